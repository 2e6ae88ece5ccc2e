#include "runtime/compiled_model.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "runtime/litert_api.h"
#include "runtime/litert_values.h"
#include "runtime/page_releaser.h"
#include "runtime/weight_cache.h"

namespace sealite::runtime {
namespace {

/// A tensor of the signature and what belongs to it now.
struct Slot {
  Shape shape;
  Handle<LiteRtTensorBuffer> buffer;
  bool written = false;
};

}  // namespace

class CompiledModel::Impl {
 public:
  Impl(std::shared_ptr<const MappedFile> model, std::string_view signature, const RunOptions& options);

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  bool fully_delegated() const { return fully_delegated_; }
  WeightCacheUse cache_use() const { return cache_.use(); }
  const Shape& input_shape(std::size_t index) const { return input_slots_.at(checked(inputs_, index)).shape; }
  void resize_input(std::size_t index, const Shape& shape);
  const Shape& output_shape(std::size_t index);
  void write_input(std::size_t index, std::span<const float> values);
  void run();
  Profiler start_profiler() const { return {*api_, compiled_.get()}; }
  std::vector<float> read_output(std::size_t index);

 private:
  void create_environment();
  void load_model();
  void find_signature(std::string_view name);
  void read_tensors(LiteRtSignature signature);
  TensorInfo read_tensor(std::string_view name, LiteRtTensor tensor) const;
  void compile_with_cache(RunOptions options);
  bool can_prepare() const;
  void compile(const RunOptions& options);
  void add_options(LiteRtOptions options, const char* id, const std::string& text);
  void prepare_outputs();
  void create_buffer(Slot& slot, const TensorInfo& info, LiteRtTensorBufferRequirements requirements);
  void check(LiteRtStatus status, ErrorCode code, std::string_view what) const;
  std::size_t checked(const std::vector<TensorInfo>& tensors, std::size_t index) const;
  void require_float(const TensorInfo& info) const;

  // In this order: destroyed from the last to the first.
  std::shared_ptr<const LiteRtApi> api_;
  std::shared_ptr<const MappedFile> file_;  // LiteRT reads in it
  WeightCache cache_;
  Handle<LiteRtEnvironment> environment_;
  Handle<LiteRtModel> model_;
  Handle<LiteRtCompiledModel> compiled_;
  LiteRtParamIndex signature_ = 0;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<Slot> input_slots_;
  std::vector<Slot> output_slots_;
  bool fully_delegated_ = false;
  bool outputs_ready_ = false;  // output_slots_ fit the inputs' shapes
  bool ran_ = false;
  bool starved_ = false;  // compiling got no memory, which LiteRT says later
};

CompiledModel::Impl::Impl(std::shared_ptr<const MappedFile> model, std::string_view signature,
                          const RunOptions& options)
    : api_(LiteRtApi::load(options.library)),
      file_(std::move(model)),
      cache_(options, *file_, reinterpret_cast<const void*>(api_->create_environment)) {
  errno = 0;  // for `check`
  create_environment();
  load_model();
  find_signature(signature);
  compile_with_cache(options);
  input_slots_.resize(inputs_.size());
  output_slots_.resize(outputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) input_slots_[i].shape = inputs_[i].shape;
}

void CompiledModel::Impl::create_environment() {
  LiteRtEnvOption options[2] = {};
  options[0].tag = kEnvOptionMinLogSeverity;
  options[0].value.type = kAnyTypeInt;
  options[0].value.value.integer = kLogSilent;
  options[1].tag = kEnvOptionAutoRegisterAccelerators;  // else it looks for GPU and NPU libraries to load
  options[1].value.type = kAnyTypeInt;
  options[1].value.value.integer = kAcceleratorCpu;
  LiteRtEnvironment environment = nullptr;
  check(api_->create_environment(2, options, &environment), ErrorCode::kInternal, "LiteRT cannot start");
  environment_ = {environment, api_->destroy_environment};
}

void CompiledModel::Impl::load_model() {
  LiteRtModel model = nullptr;
  check(api_->create_model_from_buffer(environment_.get(), file_->bytes().data(), file_->size(), &model),
        ErrorCode::kMalformed, "LiteRT cannot load the model");
  model_ = {model, api_->destroy_model};
}

void CompiledModel::Impl::find_signature(std::string_view name) {
  LiteRtParamIndex count = 0;
  check(api_->get_num_model_signatures(model_.get(), &count), ErrorCode::kMalformed, "no signatures");
  std::string found;
  for (LiteRtParamIndex i = 0; i < count; ++i) {
    LiteRtSignature signature = nullptr;
    const char* key = nullptr;
    check(api_->get_model_signature(model_.get(), i, &signature), ErrorCode::kMalformed, "a signature");
    check(api_->get_signature_key(signature, &key), ErrorCode::kMalformed, "a signature's name");
    if (name == or_empty(key)) {
      signature_ = i;
      read_tensors(signature);
      return;
    }
    found += fmt::format("{}\"{}\"", found.empty() ? "" : ", ", or_empty(key));
  }
  fail(ErrorCode::kUsage, "{}: the model has no signature \"{}\"; it has {}", file_->path().string(), name,
       found.empty() ? "none" : found);
}

void CompiledModel::Impl::read_tensors(LiteRtSignature signature) {
  LiteRtParamIndex count = 0;
  const char* name = nullptr;
  LiteRtTensor tensor = nullptr;
  const auto ok = [this](LiteRtStatus status) {
    check(status, ErrorCode::kMalformed, "a signature's tensors");
  };
  ok(api_->get_num_signature_inputs(signature, &count));
  for (LiteRtParamIndex i = 0; i < count; ++i) {
    ok(api_->get_signature_input_name(signature, i, &name));
    ok(api_->get_signature_input_tensor(signature, i, &tensor));
    inputs_.push_back(read_tensor(or_empty(name), tensor));
  }
  ok(api_->get_num_signature_outputs(signature, &count));
  for (LiteRtParamIndex i = 0; i < count; ++i) {
    ok(api_->get_signature_output_name(signature, i, &name));
    ok(api_->get_signature_output_tensor(signature, i, &tensor));
    outputs_.push_back(read_tensor(or_empty(name), tensor));
  }
}

TensorInfo CompiledModel::Impl::read_tensor(std::string_view name, LiteRtTensor tensor) const {
  LiteRtRankedTensorType type = {};
  check(api_->get_ranked_tensor_type(tensor, &type), ErrorCode::kUnsupported, "a tensor without a rank");
  return {std::string(name), to_dtype(type.element_type, name), to_shape(type.layout, name)};
}

void CompiledModel::Impl::compile_with_cache(RunOptions options) {
  if (options.weight_cache.empty()) options.weight_cache = cache_.path();
  compile(options);
  if (cache_.in_memory() && !can_prepare()) {  // no memory for that file, perhaps
    options.weight_cache.clear();
    compiled_ = {};
    compile(options);
    return;
  }
  if (!cache_.store(*file_)) return;
  options.weight_cache = cache_.path();
  compiled_ = {};
  compile(options);
}

// A failed packing LiteRT only says when it is asked for the outputs. Free shapes cannot be asked for yet.
bool CompiledModel::Impl::can_prepare() const {
  if (std::ranges::any_of(inputs_, [](const TensorInfo& input) { return is_free(input.shape); })) return true;
  std::vector<LiteRtLayout> layouts(outputs_.size());
  return api_->get_output_tensor_layouts(compiled_.get(), signature_, layouts.size(), layouts.data(), true) ==
         0;
}

void CompiledModel::Impl::compile(const RunOptions& options) {
  LiteRtOptions raw = nullptr;
  check(api_->create_options(&raw), ErrorCode::kInternal, "LiteRT's options");
  const Handle<LiteRtOptions> owner(raw, api_->destroy_options);
  check(api_->set_hardware_accelerators(raw, kAcceleratorCpu), ErrorCode::kInternal, "LiteRT's options");
  add_options(raw, "xnnpack", xnnpack_options(options));
  add_options(raw, "runtime_options_string", runtime_options(options));
  LiteRtCompiledModel compiled = nullptr;
  const PageReleaser releaser(*file_);
  const LiteRtStatus status = api_->create_compiled_model(environment_.get(), model_.get(), raw, &compiled);
  starved_ = errno == ENOMEM;
  check(status, status == 5 ? ErrorCode::kUnsupported : ErrorCode::kMalformed,
        "LiteRT cannot compile the model");
  compiled_ = {compiled, api_->destroy_compiled_model};
  check(api_->is_fully_accelerated(compiled, &fully_delegated_), ErrorCode::kInternal, "delegation");
}

void CompiledModel::Impl::add_options(LiteRtOptions options, const char* id, const std::string& text) {
  CText payload(strdup(text.c_str()));
  if (payload == nullptr) fail(ErrorCode::kNoMemory, "out of memory");
  LiteRtOpaqueOptions opaque = nullptr;
  check(api_->create_opaque_options(id, payload.get(), std::free, &opaque), ErrorCode::kInternal,
        "LiteRT's options");
  // NOLINTNEXTLINE(bugprone-unused-return-value): LiteRT frees it now
  static_cast<void>(payload.release());
  check(api_->add_opaque_options(options, opaque), ErrorCode::kInternal, "LiteRT's options");
}

void CompiledModel::Impl::resize_input(std::size_t index, const Shape& shape) {
  const TensorInfo& info = inputs_[checked(inputs_, index)];
  Slot& slot = input_slots_[index];
  if (!fits(shape, info.shape))
    fail(ErrorCode::kUsage, "input \"{}\": the model takes shape {}, not {}", info.name,
         to_string(info.shape), to_string(shape));
  if (shape == slot.shape) return;
  const std::vector<int> dims(shape.begin(), shape.end());
  check(api_->resize_input_tensor(compiled_.get(), signature_, index, dims.data(), dims.size()),
        ErrorCode::kMalformed, "LiteRT cannot resize an input");
  slot.shape = shape;
  slot.buffer = {};
  slot.written = false;
  outputs_ready_ = false;
  ran_ = false;
}

void CompiledModel::Impl::prepare_outputs() {
  if (outputs_ready_) return;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (is_free(input_slots_[i].shape)) {
      fail(ErrorCode::kUsage, "input \"{}\" has the free shape {}: resize it first", inputs_[i].name,
           to_string(input_slots_[i].shape));
    }
  }
  std::vector<LiteRtLayout> layouts(outputs_.size());
  check(api_->get_output_tensor_layouts(compiled_.get(), signature_, layouts.size(), layouts.data(), true),
        ErrorCode::kMalformed, "LiteRT cannot prepare the model");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    output_slots_[i].shape = to_shape(layouts[i], outputs_[i].name);
    LiteRtTensorBufferRequirements requirements = nullptr;
    check(api_->get_output_buffer_requirements(compiled_.get(), signature_, i, &requirements),
          ErrorCode::kInternal, "LiteRT cannot size an output");
    create_buffer(output_slots_[i], outputs_[i], requirements);
  }
  outputs_ready_ = true;
}

void CompiledModel::Impl::create_buffer(Slot& slot, const TensorInfo& info,
                                        LiteRtTensorBufferRequirements requirements) {
  std::size_t size = 0;
  check(api_->get_requirements_buffer_size(requirements, &size), ErrorCode::kInternal, "a buffer's size");
  const auto count = element_count(slot.shape);
  if (!count || size < dtype_bytes(info.type, *count)) {
    fail(ErrorCode::kInternal, "{}: LiteRT gives tensor \"{}\" of shape {} only {} bytes",
         file_->path().string(), info.name, to_string(slot.shape), size);
  }
  const LiteRtRankedTensorType type = to_ranked_type(info.type, slot.shape);
  LiteRtTensorBuffer buffer = nullptr;
  check(api_->create_managed_tensor_buffer(environment_.get(), &type, requirements, &buffer),
        ErrorCode::kInternal, "LiteRT cannot allocate a buffer");
  slot.buffer = {buffer, api_->destroy_tensor_buffer};
}

const Shape& CompiledModel::Impl::output_shape(std::size_t index) {
  checked(outputs_, index);
  prepare_outputs();
  return output_slots_[index].shape;
}

void CompiledModel::Impl::write_input(std::size_t index, std::span<const float> values) {
  const TensorInfo& info = inputs_[checked(inputs_, index)];
  Slot& slot = input_slots_[index];
  require_float(info);
  const std::size_t count = float_count(slot.shape, info.name);
  if (values.size() != count) {
    fail(ErrorCode::kUsage, "input \"{}\" of shape {} takes {} values, not {}", info.name,
         to_string(slot.shape), count, values.size());
  }
  prepare_outputs();  // also makes LiteRT apply the resizes, so that the size it asks for is the new one
  if (!slot.buffer) {
    LiteRtTensorBufferRequirements requirements = nullptr;
    check(api_->get_input_buffer_requirements(compiled_.get(), signature_, index, &requirements),
          ErrorCode::kInternal, "LiteRT cannot size an input");
    create_buffer(slot, info, requirements);
  }
  void* address = nullptr;
  check(api_->lock_tensor_buffer(slot.buffer.get(), &address, kLockWrite), ErrorCode::kInternal, "an input");
  if (!values.empty()) std::memcpy(address, values.data(), values.size_bytes());
  check(api_->unlock_tensor_buffer(slot.buffer.get()), ErrorCode::kInternal, "an input");
  slot.written = true;
}

void CompiledModel::Impl::run() {
  std::vector<LiteRtTensorBuffer> inputs;
  std::vector<LiteRtTensorBuffer> outputs;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!input_slots_[i].written) fail(ErrorCode::kUsage, "input \"{}\" is not written", inputs_[i].name);
    inputs.push_back(input_slots_[i].buffer.get());
  }
  prepare_outputs();
  for (const Slot& slot : output_slots_) outputs.push_back(slot.buffer.get());
  ran_ = false;
  errno = 0;
  check(api_->run_compiled_model(compiled_.get(), signature_, inputs.size(), inputs.data(), outputs.size(),
                                 outputs.data()),
        ErrorCode::kInternal, "LiteRT cannot run the model");
  ran_ = true;
}

std::vector<float> CompiledModel::Impl::read_output(std::size_t index) {
  const TensorInfo& info = outputs_[checked(outputs_, index)];
  require_float(info);
  if (!ran_) fail(ErrorCode::kUsage, "output \"{}\" is read before a run", info.name);
  const Slot& slot = output_slots_[index];
  std::vector<float> values(float_count(slot.shape, info.name));
  void* address = nullptr;
  check(api_->lock_tensor_buffer(slot.buffer.get(), &address, kLockRead), ErrorCode::kInternal, "an output");
  if (!values.empty()) std::memcpy(values.data(), address, values.size() * sizeof(float));
  check(api_->unlock_tensor_buffer(slot.buffer.get()), ErrorCode::kInternal, "an output");
  return values;
}

void CompiledModel::Impl::check(LiteRtStatus status, ErrorCode code, std::string_view what) const {
  if (status == 0) return;
  // It has a status for this that it does not use; errno is what its allocator left.
  const bool no_memory = status == kStatusNoMemory || errno == ENOMEM || starved_;
  const std::string reported = compiled_ ? reported_errors(*api_, compiled_.get()) : "";
  fail(no_memory ? ErrorCode::kNoMemory : code, "{}: {}: {} (LiteRT status {}){}{}", file_->path().string(),
       what, status_name(status), status, reported, no_memory ? memory_need(file_->size()) : "");
}

std::size_t CompiledModel::Impl::checked(const std::vector<TensorInfo>& tensors, std::size_t index) const {
  if (index >= tensors.size()) {
    fail(ErrorCode::kUsage, "{}: tensor {} of a signature with {}", file_->path().string(), index,
         tensors.size());
  }
  return index;
}

void CompiledModel::Impl::require_float(const TensorInfo& info) const {
  if (info.type != DType::kFloat32) {
    fail(ErrorCode::kUsage, "{}: tensor \"{}\" holds {}, not float32", file_->path().string(), info.name,
         dtype_name(info.type));
  }
}

CompiledModel::CompiledModel(const std::filesystem::path& model, std::string_view signature,
                             const RunOptions& options)
    : CompiledModel(std::make_shared<const MappedFile>(open_model_file(model)), signature, options) {}
CompiledModel::CompiledModel(std::shared_ptr<const MappedFile> model, std::string_view signature,
                             const RunOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), signature, options)) {}
CompiledModel::~CompiledModel() = default;
CompiledModel::CompiledModel(CompiledModel&&) noexcept = default;
CompiledModel& CompiledModel::operator=(CompiledModel&&) noexcept = default;

const std::vector<TensorInfo>& CompiledModel::inputs() const {
  return impl_->inputs();
}
const std::vector<TensorInfo>& CompiledModel::outputs() const {
  return impl_->outputs();
}
bool CompiledModel::fully_delegated() const {
  return impl_->fully_delegated();
}
WeightCacheUse CompiledModel::cache_use() const {
  return impl_->cache_use();
}
void CompiledModel::resize_input(std::size_t index, const Shape& shape) {
  impl_->resize_input(index, shape);
}
const Shape& CompiledModel::input_shape(std::size_t index) const {
  return impl_->input_shape(index);
}
Shape CompiledModel::output_shape(std::size_t index) {
  return impl_->output_shape(index);
}
void CompiledModel::write_input(std::size_t index, std::span<const float> values) {
  impl_->write_input(index, values);
}
void CompiledModel::run() {
  impl_->run();
}
std::vector<OperatorTime> CompiledModel::run_profiled() {
  Profiler profiler = impl_->start_profiler();
  impl_->run();
  return profiler.stop();
}
std::vector<float> CompiledModel::read_output(std::size_t index) {
  return impl_->read_output(index);
}

}  // namespace sealite::runtime
