#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>

#include "sealite/pixels.h"

namespace sealite::python {

namespace nb = nanobind;

/// [H,W,C] of somebody's: C is 1 (grey), 3 (RGB) or 4 (RGBA).
using PixelArray = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::device::cpu>;
using MutablePixelArray = nb::ndarray<std::uint8_t, nb::ndim<3>, nb::device::cpu>;

/// The same memory. Throws kUsage for another order of axes, or gaps between the pixels of a row.
PixelView view_of(const PixelArray& array);
MutablePixelView mutable_view_of(const MutablePixelArray& array);

}  // namespace sealite::python
