#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sealite/convert.h"
#include "sealite/inspect.h"
#include "sealite/verify.h"

// Reports as one line of JSON in UTF-8, with the keys that the command's `--json` has: bytes that are no
// UTF-8 become U+FFFD, infinite numbers null.

namespace sealite {

/// Whether a text has every tensor.
enum class InspectedTensors : std::uint8_t { kLeftOut, kListed };

/// `file`: its name, as the text says it.
std::string to_json(const CheckpointInspection& checkpoint, const std::string& file,
                    InspectedTensors tensors = InspectedTensors::kLeftOut);
std::string to_json(const ModelInspection& model, const std::string& file,
                    InspectedTensors tensors = InspectedTensors::kLeftOut);
/// `layers` is there where the report has some.
std::string to_json(const ConvertReport& report);
/// An array.
std::string to_json(std::span<const ConvertReport> reports);
/// Without the pictures' outputs.
std::string to_json(const VerifyReport& report);

}  // namespace sealite
