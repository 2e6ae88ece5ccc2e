#include "runtime/litert_api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/ownership.h"
#include "runtime/litert_stderr.h"

namespace sealite::runtime {
namespace {

constexpr const char* kLibraryName = "libLiteRt.so";
constexpr const char* kRemedy =
    "unpack the wheel of `pip download --no-deps ai-edge-litert==2.3.0` and set SEALITE_LITERT to its "
    "libLiteRt.so";

/// A file that the user named is that file, in the current folder too. (The last resort, a bare name, is for
/// the system's folders alone: a library in the current folder is never loaded unasked.)
std::filesystem::path as_named(const std::filesystem::path& library) {
  std::error_code ignored;
  if (!library.has_parent_path() && std::filesystem::exists(library, ignored)) return "./" + library.string();
  return library;
}

/// Whether CMake made this folder for Sealite, in this very place: it is no copy of such a folder, nor of its
/// bin/.
bool is_build_folder(const std::filesystem::path& folder) {
  constexpr std::string_view kPlace = "CMAKE_CACHEFILE_DIR:INTERNAL=";
  if (others_may_choose(folder, "CMakeCache.txt")) return false;
  std::ifstream cache(folder / "CMakeCache.txt");
  bool sealite = false;
  bool here = false;
  for (std::string line; std::getline(cache, line) && !(sealite && here);) {
    sealite = sealite || line == "CMAKE_PROJECT_NAME:STATIC=Sealite";
    std::error_code ignored;  // the folder may have several names, by links
    here = here || (line.starts_with(kPlace) &&
                    std::filesystem::equivalent(line.substr(kPlace.size()), folder, ignored));
  }
  return sealite && here;
}

/// The folder that this program's bin/ lies in; empty if the system does not tell.
std::filesystem::path program_folder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
}

/// What to do where the library is missing. Set-up is there for a program in its build tree alone.
std::string remedy() {
  const std::filesystem::path folder = program_folder();
  const bool build_tree = !folder.empty() && is_build_folder(folder);
  return build_tree ? fmt::format("run `make setup`, or {}", kRemedy) : kRemedy;
}

/// Where the library may be, best first; only existing files, but for the last resort.
struct Place {
  std::filesystem::path library;
  std::string remark;  ///< Of a file that is there and is not loaded.
};

Place find_library(const std::filesystem::path& library) {
  if (!library.empty()) return {as_named(library), ""};
  if (const char* named = std::getenv("SEALITE_LITERT"); named != nullptr && *named != '\0')
    return {as_named(named), ""};
  std::error_code ignored;
  const std::filesystem::path program = program_folder();
  Place found{kLibraryName, ""};
  if (program.empty()) return found;
  const auto look = [&](const std::filesystem::path& base, const char* relative) {
    const std::filesystem::path candidate = base / relative / kLibraryName;
    if (!std::filesystem::exists(candidate, ignored)) return false;
    if (others_may_choose(base, std::filesystem::path(relative) / kLibraryName)) {
      found.remark = fmt::format("; {} is not loaded, since others may write there", candidate.string());
      return false;
    }
    found = {candidate, ""};
    return true;
  };
  if (look(program, "lib/sealite")) return found;
  if (is_build_folder(program)) look(program.parent_path(), "litert");
  return found;
}

/// Looks symbols up and collects the names of those that are not there.
class Binder {
 public:
  explicit Binder(void* handle) : handle_(handle) {}

  template <typename Function>
  void operator()(Function& function, const char* name) {
    void* symbol = dlsym(handle_, name);
    if (symbol == nullptr) missing_.emplace_back(name);
    function = reinterpret_cast<Function>(symbol);
  }

  /// Null if it is not there.
  template <typename Function>
  void optional(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
  }

  const std::vector<std::string>& missing() const { return missing_; }

 private:
  void* handle_;
  std::vector<std::string> missing_;
};

void bind_model_functions(Binder& bind, LiteRtApi& api) {
  bind(api.create_environment, "LiteRtCreateEnvironment");
  bind(api.destroy_environment, "LiteRtDestroyEnvironment");
  bind(api.create_model_from_buffer, "LiteRtCreateModelFromBuffer");
  bind(api.create_model_from_fd, "LiteRtCreateModelFromFd");
  bind(api.destroy_model, "LiteRtDestroyModel");
  bind(api.get_num_model_signatures, "LiteRtGetNumModelSignatures");
  bind(api.get_model_signature, "LiteRtGetModelSignature");
  bind(api.get_signature_key, "LiteRtGetSignatureKey");
  bind(api.get_num_signature_inputs, "LiteRtGetNumSignatureInputs");
  bind(api.get_num_signature_outputs, "LiteRtGetNumSignatureOutputs");
  bind(api.get_signature_input_name, "LiteRtGetSignatureInputName");
  bind(api.get_signature_output_name, "LiteRtGetSignatureOutputName");
  bind(api.get_signature_input_tensor, "LiteRtGetSignatureInputTensorByIndex");
  bind(api.get_signature_output_tensor, "LiteRtGetSignatureOutputTensorByIndex");
  bind(api.get_ranked_tensor_type, "LiteRtGetRankedTensorType");
}

void bind_run_functions(Binder& bind, LiteRtApi& api) {
  bind(api.create_options, "LiteRtCreateOptions");
  bind(api.destroy_options, "LiteRtDestroyOptions");
  bind(api.set_hardware_accelerators, "LiteRtSetOptionsHardwareAccelerators");
  bind(api.create_opaque_options, "LiteRtCreateOpaqueOptions");
  bind(api.add_opaque_options, "LiteRtAddOpaqueOptions");
  bind(api.create_compiled_model, "LiteRtCreateCompiledModel");
  bind(api.destroy_compiled_model, "LiteRtDestroyCompiledModel");
  bind(api.is_fully_accelerated, "LiteRtCompiledModelIsFullyAccelerated");
  bind(api.get_error_messages, "LiteRtCompiledModelGetErrorMessages");
  bind(api.resize_input_tensor, "LiteRtCompiledModelResizeInputTensor");
  bind(api.get_output_tensor_layouts, "LiteRtGetCompiledModelOutputTensorLayouts");
  bind(api.get_input_buffer_requirements, "LiteRtGetCompiledModelInputBufferRequirements");
  bind(api.get_output_buffer_requirements, "LiteRtGetCompiledModelOutputBufferRequirements");
  bind(api.get_requirements_buffer_size, "LiteRtGetTensorBufferRequirementsBufferSize");
  bind(api.create_managed_tensor_buffer, "LiteRtCreateManagedTensorBufferFromRequirements");
  bind(api.lock_tensor_buffer, "LiteRtLockTensorBuffer");
  bind(api.unlock_tensor_buffer, "LiteRtUnlockTensorBuffer");
  bind(api.destroy_tensor_buffer, "LiteRtDestroyTensorBuffer");
  bind(api.run_compiled_model, "LiteRtRunCompiledModel");
}

void bind_profiler_functions(const Binder& bind, LiteRtApi& api) {
  bind.optional(api.get_profiler, "LiteRtCompiledModelGetProfiler");
  bind.optional(api.start_profiler, "LiteRtStartProfiler");
  bind.optional(api.stop_profiler, "LiteRtStopProfiler");
  bind.optional(api.reset_profiler, "LiteRtResetProfiler");
  bind.optional(api.get_num_profiler_events, "LiteRtGetNumProfilerEvents");
  bind.optional(api.get_profiler_events, "LiteRtGetProfilerEvents");
}

}  // namespace

std::shared_ptr<const LiteRtApi> LiteRtApi::load(const std::filesystem::path& library) {
  const auto [path, remark] = find_library(library);
  // RTLD_NODELETE, and no dlclose: see LiteRtApi.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* reason = dlerror();
    fail(ErrorCode::kUnsupported, "the LiteRT library {} cannot be loaded: {}{}; {}", path.string(),
         reason != nullptr ? reason : "no reason given", remark, remedy());
  }
  redirect_litert_stderr(handle);
  auto api = std::make_shared<LiteRtApi>();
  api->path = path;
  Binder bind(handle);
  bind_model_functions(bind, *api);
  bind_run_functions(bind, *api);
  bind_profiler_functions(bind, *api);
  if (!bind.missing().empty()) {
    fail(ErrorCode::kUnsupported,
         "the library {} has no function {} ({} of the functions needed are missing), so it is not LiteRT "
         "2.1.6 "
         "or later; {}",
         path.string(), bind.missing().front(), bind.missing().size(), remedy());
  }
  return api;
}

std::string_view status_name(LiteRtStatus status) {
  switch (status) {
    case 0:
      return "ok";
    case 1:
      return "invalid argument";
    case 2:
      return "memory allocation failed";
    case 3:
      return "runtime failure";
    case 4:
      return "missing input tensor";
    case 5:
      return "unsupported";
    case 6:
      return "not found";
    case 7:
      return "timed out";
    case 8:
      return "wrong version";
    case 9:
      return "unknown error";
    case 10:
      return "already exists";
    case 100:
      return "cancelled";
    case 500:
      return "file error";
    case 501:
      return "invalid flatbuffer";
    case 502:
      return "dynamic loading failed";
    case 503:
      return "serialization failed";
    case 504:
      return "compilation failed";
    case 1000:
      return "index out of bounds";
    default:
      return "unnamed status";
  }
}

}  // namespace sealite::runtime
