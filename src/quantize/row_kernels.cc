#include "quantize/row_kernels.h"

#include <algorithm>
#include <limits>

#include "quantize/row_kernels_scalar.h"

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE \
  "quantize/row_kernels.cc"  // NOLINT(cppcoreguidelines-macro-usage): Highway's interface
#include <hwy/foreach_target.h>
// must come after foreach_target.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sealite::quantize::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, scalar::kLanes>;

float max_abs(std::span<const float> row) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto largest = hn::Zero(d);
  // x - x is 0 for finite x and NaN otherwise; NaN is sticky in a sum.
  auto poison = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= row.size(); i += lanes) {
    const auto x = hn::LoadU(d, row.data() + i);
    largest = hn::Max(largest, hn::Abs(x));
    poison = hn::Add(poison, hn::Sub(x, x));
  }
  const float tail = scalar::max_abs(row.subspan(i));
  const float body = hn::GetLane(hn::MaxOfLanes(d, largest));
  const float bad = hn::GetLane(hn::SumOfLanes(d, poison));
  return bad == 0.0F ? std::max(body, tail) : std::numeric_limits<float>::infinity();
}

template <class V>
V round_scaled(V x, V inverse_scale, V bound) {
  return hn::Round(hn::Min(hn::Max(hn::Mul(x, inverse_scale), hn::Neg(bound)), bound));
}

void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit,
                  std::span<std::int8_t> out) {
  const Floats d;
  const hn::Rebind<std::int32_t, Floats> d32;
  const hn::Rebind<std::int8_t, Floats> d8;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, inverse_scale);
  const auto bound = hn::Set(d, static_cast<float>(limit));
  std::size_t i = 0;
  for (; i + lanes <= row.size(); i += lanes) {
    const auto rounded = round_scaled(hn::LoadU(d, row.data() + i), factor, bound);
    hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(d32, rounded)), d8, out.data() + i);
  }
  scalar::quantize_row(row.subspan(i), inverse_scale, limit, out.subspan(i));
}

// Sums body(d, i) over whole groups of lanes, then tail(i) over what is left, as scalar::lane_sum does.
template <class Body, class Tail>
float lane_sum(std::size_t count, Body body, Tail tail) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float sums[scalar::kLanes] = {};
  std::size_t i = 0;
  for (; i + scalar::kLanes <= count; i += scalar::kLanes) {
    for (std::size_t lane = 0; lane < scalar::kLanes; lane += lanes) {
      hn::Store(hn::Add(hn::Load(d, sums + lane), body(d, i + lane)), d, sums + lane);
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) sums[lane] += tail(i);
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

template <class V>
V rounding_error(V x, V scale, V inverse_scale, V bound) {
  return hn::Sub(x, hn::Mul(round_scaled(x, inverse_scale, bound), scale));
}

float squared_error(std::span<const float> row, float scale, std::int32_t limit) {
  return lane_sum(
      row.size(),
      [&](Floats d, std::size_t i) {
        const auto error = rounding_error(hn::LoadU(d, &row[i]), hn::Set(d, scale), hn::Set(d, 1.0F / scale),
                                          hn::Set(d, static_cast<float>(limit)));
        return hn::Mul(error, error);
      },
      [&](std::size_t i) { return scalar::squared_error(row.subspan(i, 1), scale, limit); });
}

float rounding_shift(std::span<const float> row, float scale, std::int32_t limit,
                     std::span<const float> weights) {
  return lane_sum(
      row.size(),
      [&](Floats d, std::size_t i) {
        const auto error = rounding_error(hn::LoadU(d, &row[i]), hn::Set(d, scale), hn::Set(d, 1.0F / scale),
                                          hn::Set(d, static_cast<float>(limit)));
        return hn::Mul(error, hn::LoadU(d, &weights[i]));
      },
      [&](std::size_t i) {
        return scalar::rounding_shift(row.subspan(i, 1), scale, limit, weights.subspan(i, 1));
      });
}

// base/dtype's float_to_half and half_to_float in integer lanes: Highway's own conversions lose subnormals on
// processors without F16C.
template <class D, class V>
hn::VFromD<hn::RebindToUnsigned<D>> half_bits(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 0x8000U));
  const auto magnitude = hn::And(bits, hn::Set(du, 0x7FFFFFFFU));
  const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(du, 1U));
  const auto rounded = hn::Add(hn::Add(magnitude, hn::Set(du, 0xFFFU)), odd);
  const auto normal = hn::ShiftRight<13>(hn::Sub(rounded, hn::Set(du, 0x38000000U)));
  const auto shifted = hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5F));
  const auto subnormal = hn::Sub(hn::BitCast(du, shifted), hn::Set(du, 0x3F000000U));
  const auto is_small = hn::Lt(hn::BitCast(d, magnitude), hn::Set(d, 0x1p-14F));
  return hn::Or(sign, hn::IfThenElse(hn::RebindMask(du, is_small), subnormal, normal));
}

template <class D, class V>
hn::VFromD<D> from_half_bits(D d, V half) {
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> ds;
  const auto magnitude = hn::And(half, hn::Set(du, 0x7FFFU));
  const auto normal = hn::BitCast(d, hn::Add(hn::ShiftLeft<13>(magnitude), hn::Set(du, 0x38000000U)));
  const auto subnormal = hn::Mul(hn::ConvertTo(d, hn::BitCast(ds, magnitude)), hn::Set(d, 0x1p-24F));
  const auto is_small = hn::Lt(hn::BitCast(ds, magnitude), hn::Set(ds, 0x400));
  const auto unsigned_value = hn::IfThenElse(hn::RebindMask(d, is_small), subnormal, normal);
  return hn::Or(unsigned_value, hn::BitCast(d, hn::ShiftLeft<16>(hn::And(half, hn::Set(du, 0x8000U)))));
}

float half_rounding_shift(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(
      row.size(),
      [&](Floats d, std::size_t i) {
        const auto x = hn::LoadU(d, &row[i]);
        return hn::Mul(hn::Sub(x, from_half_bits(d, half_bits(d, x))), hn::LoadU(d, &weights[i]));
      },
      [&](std::size_t i) { return scalar::half_rounding_shift(row.subspan(i, 1), weights.subspan(i, 1)); });
}

float weighted_sum(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(
      row.size(),
      [&](Floats d, std::size_t i) { return hn::Mul(hn::LoadU(d, &row[i]), hn::LoadU(d, &weights[i])); },
      [&](std::size_t i) { return row[i] * weights[i]; });
}

float weighted_squares(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(
      row.size(),
      [&](Floats d, std::size_t i) {
        const auto x = hn::LoadU(d, &row[i]);
        return hn::Mul(hn::Mul(x, x), hn::LoadU(d, &weights[i]));
      },
      [&](std::size_t i) { return row[i] * row[i] * weights[i]; });
}

void to_half_row(std::span<const float> row, std::span<std::uint16_t> out) {
  const Floats d;
  const hn::Rebind<std::uint16_t, Floats> d16;
  const hn::RebindToSigned<Floats> d32;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= row.size(); i += lanes) {
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(d32, half_bits(d, hn::LoadU(d, &row[i])))), d16, &out[i]);
  }
  scalar::to_half_row(row.subspan(i), out.subspan(i));
}

}  // namespace sealite::quantize::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sealite::quantize {

HWY_EXPORT(max_abs);
HWY_EXPORT(quantize_row);
HWY_EXPORT(squared_error);
HWY_EXPORT(rounding_shift);
HWY_EXPORT(half_rounding_shift);
HWY_EXPORT(weighted_sum);
HWY_EXPORT(weighted_squares);
HWY_EXPORT(to_half_row);

float max_abs(std::span<const float> row) {
  return HWY_DYNAMIC_DISPATCH(max_abs)(row);
}

void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit,
                  std::span<std::int8_t> out) {
  HWY_DYNAMIC_DISPATCH(quantize_row)(row, inverse_scale, limit, out);
}

float squared_error(std::span<const float> row, float scale, std::int32_t limit) {
  return HWY_DYNAMIC_DISPATCH(squared_error)(row, scale, limit);
}

float rounding_shift(std::span<const float> row, float scale, std::int32_t limit,
                     std::span<const float> weights) {
  return HWY_DYNAMIC_DISPATCH(rounding_shift)(row, scale, limit, weights);
}

float half_rounding_shift(std::span<const float> row, std::span<const float> weights) {
  return HWY_DYNAMIC_DISPATCH(half_rounding_shift)(row, weights);
}

float weighted_sum(std::span<const float> row, std::span<const float> weights) {
  return HWY_DYNAMIC_DISPATCH(weighted_sum)(row, weights);
}

float weighted_squares(std::span<const float> row, std::span<const float> weights) {
  return HWY_DYNAMIC_DISPATCH(weighted_squares)(row, weights);
}

void to_half_row(std::span<const float> row, std::span<std::uint16_t> out) {
  HWY_DYNAMIC_DISPATCH(to_half_row)(row, out);
}

}  // namespace sealite::quantize
#endif
