#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace sealite::runtime {

// LiteRT's C interface, as far as it is used here. The wheel ships no headers; sizes and numbers were read in
// its public sources (google-ai-edge/LiteRT, litert/c) and checked by running ai-edge-litert 2.3.0
// (docs/pipeline.md).
using LiteRtStatus = int;  ///< 0 is success.
using LiteRtEnvironment = struct LiteRtEnvironmentT*;
using LiteRtModel = struct LiteRtModelT*;
using LiteRtOptions = struct LiteRtOptionsT*;
using LiteRtOpaqueOptions = struct LiteRtOpaqueOptionsT*;
using LiteRtCompiledModel = struct LiteRtCompiledModelT*;
using LiteRtTensorBuffer = struct LiteRtTensorBufferT*;
using LiteRtTensorBufferRequirements = struct LiteRtTensorBufferRequirementsT*;
using LiteRtSignature = struct LiteRtSignatureT*;
using LiteRtTensor = struct LiteRtTensorT*;
using LiteRtProfiler = struct LiteRtProfilerT*;
using LiteRtParamIndex = std::size_t;

inline constexpr int kAcceleratorCpu = 1;
inline constexpr int kAnyTypeInt = 2;
inline constexpr int kEnvOptionAutoRegisterAccelerators = 24;
inline constexpr int kEnvOptionMinLogSeverity = 25;
inline constexpr int kLogSilent = 4;
inline constexpr int kLockRead = 0;
inline constexpr int kLockWrite = 1;
inline constexpr std::size_t kMaxRank = 8;

struct LiteRtAny {
  int type;
  union {
    bool boolean;
    std::int64_t integer;
    double real;
    const char* text;
    const void* pointer;
  } value;
};
static_assert(sizeof(LiteRtAny) == 16);

struct LiteRtEnvOption {
  int tag;
  LiteRtAny value;
};
static_assert(sizeof(LiteRtEnvOption) == 24);

struct LiteRtLayout {
  unsigned int rank : 7;
  unsigned int has_strides : 1;
  std::int32_t dimensions[kMaxRank];
  std::uint32_t strides[kMaxRank];
};
static_assert(sizeof(LiteRtLayout) == 68);

struct LiteRtRankedTensorType {
  int element_type;  ///< LiteRT's numbering, not the file format's: see `compiled_model.cc`.
  LiteRtLayout layout;
};
static_assert(sizeof(LiteRtRankedTensorType) == 72);

/// The functions of one loaded libLiteRt.so. The library stays loaded until the process ends: its threads and
/// thread-local data do not survive dlclose.
struct LiteRtApi {
  /// Loads the library from the first of: `library` if not empty, else $SEALITE_LITERT if set, else
  /// ../lib/sealite/libLiteRt.so (installed) beside the executable's folder or, if that lies in Sealite's own
  /// build tree, ../../litert/libLiteRt.so, each only where nobody else may write (base/ownership.h), else
  /// the system's libLiteRt.so. Throws kUnsupported, naming the file, the reason and the remedy, if it cannot
  /// be loaded or lacks a function (before LiteRT 2.1.6: another ABI under the same names).
  static std::shared_ptr<const LiteRtApi> load(const std::filesystem::path& library = {});

  std::filesystem::path path;  ///< What was loaded.

  LiteRtStatus (*create_environment)(int, const LiteRtEnvOption*, LiteRtEnvironment*);
  void (*destroy_environment)(LiteRtEnvironment);
  /// `address` must stay until the model is destroyed.
  LiteRtStatus (*create_model_from_buffer)(LiteRtEnvironment, const void* address, std::size_t size,
                                           LiteRtModel*);
  /// Not called; it appeared with the ABI that `create_model_from_buffer` above needs, so its presence shows
  /// that ABI.
  LiteRtStatus (*create_model_from_fd)(LiteRtEnvironment, int fd, std::size_t offset, std::size_t size,
                                       LiteRtModel*);
  void (*destroy_model)(LiteRtModel);
  LiteRtStatus (*get_num_model_signatures)(LiteRtModel, LiteRtParamIndex* count);
  LiteRtStatus (*get_model_signature)(LiteRtModel, LiteRtParamIndex, LiteRtSignature*);
  LiteRtStatus (*get_signature_key)(LiteRtSignature, const char**);
  LiteRtStatus (*get_num_signature_inputs)(LiteRtSignature, LiteRtParamIndex* count);
  LiteRtStatus (*get_num_signature_outputs)(LiteRtSignature, LiteRtParamIndex* count);
  LiteRtStatus (*get_signature_input_name)(LiteRtSignature, LiteRtParamIndex, const char**);
  LiteRtStatus (*get_signature_output_name)(LiteRtSignature, LiteRtParamIndex, const char**);
  LiteRtStatus (*get_signature_input_tensor)(LiteRtSignature, LiteRtParamIndex, LiteRtTensor*);
  LiteRtStatus (*get_signature_output_tensor)(LiteRtSignature, LiteRtParamIndex, LiteRtTensor*);
  LiteRtStatus (*get_ranked_tensor_type)(LiteRtTensor, LiteRtRankedTensorType*);
  LiteRtStatus (*create_options)(LiteRtOptions*);
  void (*destroy_options)(LiteRtOptions);
  LiteRtStatus (*set_hardware_accelerators)(LiteRtOptions, int accelerators);
  /// `payload`: NUL-terminated TOML, freed with `destroy`.
  LiteRtStatus (*create_opaque_options)(const char* id, void* payload, void (*destroy)(void*),
                                        LiteRtOpaqueOptions*);
  /// Takes ownership of the opaque options.
  LiteRtStatus (*add_opaque_options)(LiteRtOptions, LiteRtOpaqueOptions);
  LiteRtStatus (*create_compiled_model)(LiteRtEnvironment, LiteRtModel, LiteRtOptions, LiteRtCompiledModel*);
  void (*destroy_compiled_model)(LiteRtCompiledModel);
  LiteRtStatus (*is_fully_accelerated)(LiteRtCompiledModel, bool*);
  /// The text is freed with free().
  LiteRtStatus (*get_error_messages)(LiteRtCompiledModel, char**);
  LiteRtStatus (*resize_input_tensor)(LiteRtCompiledModel, LiteRtParamIndex signature, LiteRtParamIndex input,
                                      const int* dims, std::size_t rank);
  LiteRtStatus (*get_output_tensor_layouts)(LiteRtCompiledModel, LiteRtParamIndex signature,
                                            std::size_t count, LiteRtLayout*, bool update_allocation);
  LiteRtStatus (*get_input_buffer_requirements)(LiteRtCompiledModel, LiteRtParamIndex signature,
                                                LiteRtParamIndex input, LiteRtTensorBufferRequirements*);
  LiteRtStatus (*get_output_buffer_requirements)(LiteRtCompiledModel, LiteRtParamIndex signature,
                                                 LiteRtParamIndex output, LiteRtTensorBufferRequirements*);
  LiteRtStatus (*get_requirements_buffer_size)(LiteRtTensorBufferRequirements, std::size_t*);
  LiteRtStatus (*create_managed_tensor_buffer)(LiteRtEnvironment, const LiteRtRankedTensorType*,
                                               LiteRtTensorBufferRequirements, LiteRtTensorBuffer*);
  LiteRtStatus (*lock_tensor_buffer)(LiteRtTensorBuffer, void** address, int mode);
  LiteRtStatus (*unlock_tensor_buffer)(LiteRtTensorBuffer);
  void (*destroy_tensor_buffer)(LiteRtTensorBuffer);
  LiteRtStatus (*run_compiled_model)(LiteRtCompiledModel, LiteRtParamIndex signature, std::size_t inputs,
                                     LiteRtTensorBuffer*, std::size_t outputs, LiteRtTensorBuffer*);

  // Null where the library lacks one: only profiling needs them (runtime/profiler.h).
  LiteRtStatus (*get_profiler)(LiteRtCompiledModel, LiteRtProfiler*);  ///< The model keeps it.
  LiteRtStatus (*start_profiler)(LiteRtProfiler);
  LiteRtStatus (*stop_profiler)(LiteRtProfiler);
  LiteRtStatus (*reset_profiler)(LiteRtProfiler);
  LiteRtStatus (*get_num_profiler_events)(LiteRtProfiler, int* count);
  LiteRtStatus (*get_profiler_events)(LiteRtProfiler, int count, void* events);
};

/// What a status number means, e.g. "invalid flatbuffer"; LiteRT does not export its own texts.
std::string_view status_name(LiteRtStatus status);

}  // namespace sealite::runtime
