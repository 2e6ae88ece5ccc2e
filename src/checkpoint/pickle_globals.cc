#include "checkpoint/pickle_globals.h"

#include <algorithm>
#include <iterator>

namespace sealite::checkpoint {
namespace {

constexpr ElementType kFloat64{"float64", 8, std::nullopt};
constexpr ElementType kFloat32{"float32", 4, DType::kFloat32};
constexpr ElementType kFloat16{"float16", 2, DType::kFloat16};
constexpr ElementType kBFloat16{"bfloat16", 2, DType::kBFloat16};
constexpr ElementType kInt64{"int64", 8, DType::kInt64};
constexpr ElementType kInt32{"int32", 4, DType::kInt32};
constexpr ElementType kInt16{"int16", 2, std::nullopt};
constexpr ElementType kInt8{"int8", 1, DType::kInt8};
constexpr ElementType kUInt8{"uint8", 1, DType::kUInt8};
constexpr ElementType kBool{"bool", 1, DType::kBool};
constexpr ElementType kUInt16{"uint16", 2, std::nullopt};
constexpr ElementType kUInt32{"uint32", 4, std::nullopt};
constexpr ElementType kUInt64{"uint64", 8, std::nullopt};
constexpr ElementType kFloat8E4M3{"float8_e4m3fn", 1, std::nullopt};
constexpr ElementType kFloat8E5M2{"float8_e5m2", 1, std::nullopt};

using enum GlobalKind;

// What torch.save writes for state dicts, optimizers and schedulers. Every line here must be data only:
// calling it may build a value and nothing else.
constexpr Global kGlobals[] = {
    {"collections", "OrderedDict", kDict},
    {"collections", "defaultdict", kDefaultDict},
    {"collections", "Counter", kDict},
    {"builtins", "dict", kDict},
    {"builtins", "set", kSet},
    {"builtins", "frozenset", kSet},
    {"builtins", "list", kList},
    {"__builtin__", "dict", kDict},  // protocol 2 spells builtins so
    {"__builtin__", "set", kSet},
    {"__builtin__", "frozenset", kSet},
    {"__builtin__", "list", kList},
    {"argparse", "Namespace", kNamespace},
    {"torch._utils", "_rebuild_tensor_v2", kTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", kTensorV3},
    {"torch._utils", "_rebuild_parameter", kParameter},
    {"torch.nn.parameter", "Parameter", kParameter},
    {"torch", "Size", kSize},
    {"torch", "device", kDevice},
    {"torch", "DoubleStorage", kStorageType, &kFloat64},
    {"torch", "FloatStorage", kStorageType, &kFloat32},
    {"torch", "HalfStorage", kStorageType, &kFloat16},
    {"torch", "BFloat16Storage", kStorageType, &kBFloat16},
    {"torch", "LongStorage", kStorageType, &kInt64},
    {"torch", "IntStorage", kStorageType, &kInt32},
    {"torch", "ShortStorage", kStorageType, &kInt16},
    {"torch", "CharStorage", kStorageType, &kInt8},
    {"torch", "ByteStorage", kStorageType, &kUInt8},
    {"torch", "BoolStorage", kStorageType, &kBool},
    {"torch.storage", "UntypedStorage", kUntypedStorage},
    {"torch", "UntypedStorage", kUntypedStorage},
    {"torch", "float64", kDType, &kFloat64},
    {"torch", "float32", kDType, &kFloat32},
    {"torch", "float16", kDType, &kFloat16},
    {"torch", "bfloat16", kDType, &kBFloat16},
    {"torch", "int64", kDType, &kInt64},
    {"torch", "int32", kDType, &kInt32},
    {"torch", "int16", kDType, &kInt16},
    {"torch", "int8", kDType, &kInt8},
    {"torch", "uint8", kDType, &kUInt8},
    {"torch", "bool", kDType, &kBool},
    {"torch", "uint16", kDType, &kUInt16},
    {"torch", "uint32", kDType, &kUInt32},
    {"torch", "uint64", kDType, &kUInt64},
    {"torch", "float8_e4m3fn", kDType, &kFloat8E4M3},
    {"torch", "float8_e5m2", kDType, &kFloat8E5M2},
};

}  // namespace

const Global* find_global(std::string_view module, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kGlobals, [&](const Global& global) { return global.module == module && global.name == name; });
  return found == std::end(kGlobals) ? nullptr : found;
}

}  // namespace sealite::checkpoint
