#include "checkpoint/pickle_globals.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sealite::checkpoint {
namespace {

constexpr ElementType kFloat64{"float64", 8, DType::kFloat64};
constexpr ElementType kFloat32{"float32", 4, DType::kFloat32};
constexpr ElementType kFloat16{"float16", 2, DType::kFloat16};
constexpr ElementType kBFloat16{"bfloat16", 2, DType::kBFloat16};
constexpr ElementType kInt64{"int64", 8, DType::kInt64};
constexpr ElementType kInt32{"int32", 4, DType::kInt32};
constexpr ElementType kInt16{"int16", 2, DType::kInt16};
constexpr ElementType kInt8{"int8", 1, DType::kInt8};
constexpr ElementType kUInt8{"uint8", 1, DType::kUInt8};
constexpr ElementType kBool{"bool", 1, DType::kBool};
constexpr ElementType kUInt16{"uint16", 2, DType::kUInt16};
constexpr ElementType kUInt32{"uint32", 4, DType::kUInt32};
constexpr ElementType kUInt64{"uint64", 8, DType::kUInt64};
constexpr ElementType kFloat8E4M3{"float8_e4m3fn", 1, std::nullopt};
constexpr ElementType kFloat8E5M2{"float8_e5m2", 1, std::nullopt};
constexpr ElementType kFloat8E4M3Fnuz{"float8_e4m3fnuz", 1, std::nullopt};
constexpr ElementType kFloat8E5M2Fnuz{"float8_e5m2fnuz", 1, std::nullopt};
constexpr ElementType kFloat8E8M0{"float8_e8m0fnu", 1, std::nullopt};
constexpr ElementType kFloat4{"float4_e2m1fn_x2", 1, std::nullopt};
constexpr ElementType kComplex32{"complex32", 4, std::nullopt};
constexpr ElementType kComplex64{"complex64", 8, std::nullopt};
constexpr ElementType kComplex128{"complex128", 16, std::nullopt};
constexpr ElementType kQInt8{"qint8", 1, std::nullopt};
constexpr ElementType kQUInt8{"quint8", 1, std::nullopt};
constexpr ElementType kQInt32{"qint32", 4, std::nullopt};
constexpr ElementType kQUInt4x2{"quint4x2", 1, std::nullopt};
constexpr ElementType kQUInt2x4{"quint2x4", 1, std::nullopt};

using enum GlobalKind;

// What torch.save writes for state dicts, optimizers and schedulers: the list of torch's own safe loader
// (torch/_weights_only_unpickler.py: _get_allowed_globals) as far as Sealite has a use for the value.
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
    {"builtins", "bytes", kBytes},
    {"builtins", "bytearray", kBytes},
    {"__builtin__", "bytes", kBytes},
    {"__builtin__", "bytearray", kBytes},
    {"_codecs", "encode", kEncode},
    {"torch._utils", "_rebuild_tensor", kTensorV2},
    {"torch._utils", "_rebuild_tensor_v2", kTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", kTensorV3},
    {"torch._utils", "_rebuild_parameter", kParameter},
    {"torch._utils", "_rebuild_parameter_with_state", kParameter},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", kParameter},  // of a TPU
    {"torch._tensor", "_rebuild_from_type_v2", kFromType},
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
    {"torch", "ComplexFloatStorage", kStorageType, &kComplex64},
    {"torch", "ComplexDoubleStorage", kStorageType, &kComplex128},
    {"torch", "QInt8Storage", kStorageType, &kQInt8},
    {"torch", "QUInt8Storage", kStorageType, &kQUInt8},
    {"torch", "QInt32Storage", kStorageType, &kQInt32},
    {"torch", "QUInt4x2Storage", kStorageType, &kQUInt4x2},
    {"torch", "QUInt2x4Storage", kStorageType, &kQUInt2x4},
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
    {"torch", "float8_e4m3fnuz", kDType, &kFloat8E4M3Fnuz},
    {"torch", "float8_e5m2fnuz", kDType, &kFloat8E5M2Fnuz},
    {"torch", "float8_e8m0fnu", kDType, &kFloat8E8M0},
    {"torch", "float4_e2m1fn_x2", kDType, &kFloat4},
    {"torch", "complex32", kDType, &kComplex32},
    {"torch", "complex64", kDType, &kComplex64},
    {"torch", "complex128", kDType, &kComplex128},
    {"torch", "qint8", kDType, &kQInt8},
    {"torch", "quint8", kDType, &kQUInt8},
    {"torch", "qint32", kDType, &kQInt32},
    {"torch", "quint4x2", kDType, &kQUInt4x2},
    {"torch", "quint2x4", kDType, &kQUInt2x4},
};

// Modules whose names are not for data: with Python's own loader a file that asks for one of them runs
// something. Sealite would keep the name and do nothing; but whoever has such a file should hear of it.
constexpr std::string_view kProgramModules[] = {
    "os",        "posix",  "nt",      "sys",      "subprocess", "pty",       "runpy",
    "importlib", "pickle", "_pickle", "marshal",  "shutil",     "socket",    "webbrowser",
    "ctypes",    "code",   "codeop",  "commands", "types",      "torch.hub", "multiprocessing",
    "asyncio",   "pip",    "timeit",  "pdb",      "bdb",        "platform"};
constexpr std::pair<std::string_view, std::string_view> kPrograms[] = {
    {"torch", "load"}, {"torch.jit", "load"}, {"torch.storage", "_load_from_bytes"}, {"numpy", "load"}};
// Of Python's built-in names, those that only make a value.
constexpr std::string_view kPlainBuiltins[] = {
    "bool",  "int",  "float",   "str",  "complex", "tuple",          "object",  "slice",
    "range", "type", "unicode", "long", "xrange",  "NotImplemented", "Ellipsis"};

}  // namespace

bool is_program(std::string_view module, std::string_view name) {
  if (module == "builtins" || module == "__builtin__")
    return std::ranges::find(kPlainBuiltins, name) == std::end(kPlainBuiltins);
  const auto inside = [&](std::string_view package) {
    return module == package || (module.starts_with(package) && module[package.size()] == '.');
  };
  return std::ranges::any_of(kProgramModules, inside) ||
         std::ranges::find(kPrograms, std::pair(module, name)) != std::end(kPrograms);
}

const Global* find_global(std::string_view module, std::string_view name) {
  if (module == "torch.cuda" && name.ends_with("Storage")) module = "torch";  // the same, on a GPU
  const auto* found = std::ranges::find_if(
      kGlobals, [&](const Global& global) { return global.module == module && global.name == name; });
  return found == std::end(kGlobals) ? nullptr : found;
}

}  // namespace sealite::checkpoint
