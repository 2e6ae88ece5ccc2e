#include "sealite/extract.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <tuple>

#include "base/context.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "checkpoint/args.h"
#include "checkpoint/check_output.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/convert_elements.h"
#include "checkpoint/growth.h"
#include "checkpoint/new_tensor.h"
#include "checkpoint/safetensors_writer.h"
#include "checkpoint/torch_writer.h"

namespace sealite {
namespace {

using checkpoint::Checkpoint;
using checkpoint::PlainValue;
using checkpoint::TensorView;

// Converted at a time; source and result stay in a core's cache.
constexpr std::size_t kPieceElements = std::size_t{1} << 14U;

// Where the writer finds a tensor's bytes.
struct Source {
  std::string name;
  const TensorView* view = nullptr;
  DType type = DType::kFloat32;  // as it is written
  std::atomic<std::uint64_t> overflowed{0};

  std::uint64_t elements() const { return element_count(view->shape).value_or(0); }
  std::uint64_t bytes() const { return dtype_bytes(type, elements()); }
};

using Sources = std::vector<std::unique_ptr<Source>>;

bool is_torch_name(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".pth" || extension == ".pt") return true;
  if (extension == ".safetensors") return false;
  fail(ErrorCode::kUsage,
       "'{}': the extension says which format to write, expected .pth, .pt or .safetensors", path.string());
}

std::string_view part_prefix(ExtractPart part) {
  if (part == ExtractPart::kDetector) return "detector.";
  if (part == ExtractPart::kEmbedder) return "embedder.";
  return "";
}

// "embedder" of "embedder.unet.inc.weight".
std::string_view first_word(std::string_view name) {
  return name.substr(0, name.find('.'));
}

DType written_type(DType type, ExtractType wanted) {
  if (!checkpoint::is_float(type)) return type;
  switch (wanted) {
    case ExtractType::kFloat32:
      return DType::kFloat32;
    case ExtractType::kFloat16:
      return DType::kFloat16;
    case ExtractType::kBFloat16:
      return DType::kBFloat16;
    case ExtractType::kAsInFile:
      break;
  }
  return type;
}

[[noreturn]] void fail_no_part(const Checkpoint& file, std::string_view prefix) {
  constexpr std::size_t kMaxShown = 8;
  std::set<std::string> words;
  for (const auto& [name, view] : file.tensors()) {
    words.insert(fmt::format("'{}'", printable(first_word(name))));
    if (words.size() > kMaxShown) break;
  }
  const bool more = words.size() > kMaxShown;
  if (more) words.erase(std::prev(words.end()));
  fail(ErrorCode::kMismatch, "'{}': no tensor's name starts with '{}'; the names here start with {}{}",
       file.path().string(), prefix, fmt::join(words, ", "), more ? ", …" : "");
}

// The tensors that are kept, in the order of the file's bytes, so that it is read from front to back.
Sources keep_tensors(const Checkpoint& file, const ExtractOptions& options) {
  const std::string_view prefix = part_prefix(options.part);
  Sources sources;
  for (const auto& [name, view] : file.tensors()) {
    if (!name.starts_with(prefix)) continue;
    if (name.empty() || name.size() > checkpoint::kLongestName)
      fail(ErrorCode::kUnsupported, "'{}': the name of tensor '{}' has {} bytes, expected 1 to {}",
           file.path().string(), printable(name), name.size(), checkpoint::kLongestName);
    auto source = std::make_unique<Source>();
    source->name = name;
    source->view = &view;
    source->type = written_type(view.type, options.dtype);
    sources.push_back(std::move(source));
  }
  if (sources.empty()) fail_no_part(file, prefix);
  std::ranges::stable_sort(sources, {}, [](const auto& source) { return source->view->bytes.data(); });
  return sources;
}

// What of the mapped file the elements [first, first + count) need.
ByteView needed_bytes(const TensorView& view, std::uint64_t first, std::uint64_t count) {
  if (!view.contiguous()) return view.bytes;
  return view.bytes.subspan(dtype_bytes(view.type, first), dtype_bytes(view.type, count));
}

void fill_block(Source& source, std::uint64_t byte_offset, MutableByteView out) {
  const TensorView& view = *source.view;
  const std::size_t size = dtype_bits(source.type) / 8;
  const std::uint64_t first = byte_offset / size;
  const std::uint64_t count = out.size() / size;
  const ByteView needed = needed_bytes(view, first, count);
  if (view.contiguous()) prefetch_pages(needed);
  if (view.type == source.type) {
    read_elements(view, first, out);
  } else {
    std::vector<std::byte> piece(dtype_bytes(view.type, std::min<std::uint64_t>(count, kPieceElements)));
    for (std::uint64_t done = 0; done < count; done += kPieceElements) {
      const std::uint64_t now = std::min<std::uint64_t>(count - done, kPieceElements);
      const MutableByteView in = MutableByteView(piece).first(dtype_bytes(view.type, now));
      read_elements(view, first + done, in);
      source.overflowed +=
          checkpoint::convert_floats(view.type, in, source.type, out.subspan(done * size, now * size));
    }
  }
  release_pages(needed);
}

// Finds tensors that are the same bytes in the file.
class SharedMemory {
 public:
  // The name of the earlier tensor that `source` shares its memory with; empty if there is none.
  std::string find_or_add(const Source& source) {
    const TensorView& view = *source.view;
    // Views of one storage that begin elsewhere, or are laid out in another way, are written by themselves.
    if (view.bytes.empty() || !view.contiguous()) return {};
    const auto [at, fresh] =
        first_.try_emplace({view.bytes.data(), view.type, source.elements()}, source.name);
    return fresh ? std::string() : at->second;
  }

 private:
  std::map<std::tuple<const std::byte*, DType, std::uint64_t>, std::string> first_;
};

std::vector<checkpoint::NewTensor> new_tensors(const Checkpoint& file, const Sources& sources, bool may_share,
                                               ExtractReport& report) {
  std::vector<checkpoint::NewTensor> tensors;
  SharedMemory memory;
  std::map<std::string_view, std::size_t> types;
  for (const auto& source : sources) {
    checkpoint::NewTensor tensor{.name = source->name,
                                 .type = source->type,
                                 .shape = source->view->shape,
                                 .same_storage_as = {},
                                 .fill = {}};
    const std::string other = memory.find_or_add(*source);
    if (!other.empty()) report.shared.emplace_back(source->name, other);
    if (may_share && !other.empty()) {
      tensor.same_storage_as = other;
    } else {
      tensor.fill = [&source = *source](std::uint64_t offset, MutableByteView out) {
        fill_block(source, offset, out);
      };
      report.tensor_bytes += source->bytes();
    }
    ++types[dtype_name(source->type)];
    tensors.push_back(std::move(tensor));
  }
  report.tensors = tensors.size();
  report.dtypes.assign(types.begin(), types.end());
  add_context(file.path().string(),
              [&] { checkpoint::check_growth(report.tensor_bytes, file.file_bytes()); });
  return tensors;
}

// The texts of a safetensors file's metadata with their types again.
PlainValue dict_of_metadata(const Checkpoint& file) {
  PlainValue dict{.kind = PlainValue::Kind::kDict};
  for (const auto& [key, text] : file.args()) {
    if (key == "format" || (key == "epoch" && file.epoch())) continue;
    dict.set(key, checkpoint::scalar_of_text(text));
  }
  return dict;
}

void write_torch(const Checkpoint& file, const Sources& sources, ExtractReport& report) {
  checkpoint::NewCheckpoint content;
  content.model = new_tensors(file, sources, true, report);
  content.epoch = report.epoch = file.epoch();
  PlainValue args = file.format() == "safetensors" ? dict_of_metadata(file) : file.plain_args();
  if (args.kind == PlainValue::Kind::kText) report.args = ExtractedArgs::kText;
  if (args.kind == PlainValue::Kind::kDict) report.args = ExtractedArgs::kDict;
  const bool empty_metadata = file.format() == "safetensors" && args.items.empty();
  if (empty_metadata) report.args = ExtractedArgs::kNone;
  if (report.args != ExtractedArgs::kNone) content.sections.emplace_back("args", std::move(args));
  checkpoint::write_torch_file(report.output, content);
}

void write_safetensors(const Checkpoint& file, const Sources& sources, ExtractReport& report) {
  checkpoint::ArgMap metadata = file.args();
  if (!metadata.empty()) report.args = ExtractedArgs::kMetadata;
  if (const auto epoch = file.epoch()) {
    const std::string text = std::to_string(*epoch);
    // Args of the same name, but with another value, go first.
    if (metadata.emplace("epoch", text).first->second == text) report.epoch = epoch;
  }
  // What transformers and others ask for.
  const auto [format, fresh] = metadata.insert_or_assign("format", "pt");
  if (!fresh && file.format() != "safetensors") report.dropped_args.emplace_back("format");
  checkpoint::write_safetensors_file(report.output, new_tensors(file, sources, false, report), metadata);
}

void report_dropped(const Checkpoint& file, const Sources& sources, ExtractReport& report) {
  for (const checkpoint::Section& section : file.sections()) {
    const bool kept = section.is_model || (section.name == "epoch" && report.epoch) ||
                      (section.name == "args" && report.args != ExtractedArgs::kNone);
    if (!kept) report.dropped_sections.push_back({section.name, section.tensors, section.bytes});
  }
  std::set<std::string_view> kept;
  std::set<const std::byte*> memory;
  for (const auto& source : sources) {
    kept.insert(source->name);
    memory.insert(source->view->bytes.data());
  }
  std::map<std::string_view, DroppedPart> parts;
  for (const auto& [name, view] : file.tensors()) {
    if (kept.contains(name)) continue;
    DroppedPart& part = parts[first_word(name)];
    ++part.tensors;
    if (memory.insert(view.bytes.data()).second) part.bytes += view.bytes.size();
  }
  for (auto& [word, part] : parts) {
    part.name = word;
    report.dropped_prefixes.push_back(std::move(part));
  }
}

}  // namespace

ExtractReport extract(const std::filesystem::path& path, const std::filesystem::path& output,
                      const ExtractOptions& options) {
  const InContext scope(options.context);
  const bool torch = is_torch_name(output);
  const Checkpoint file = Checkpoint::open(path, options.key);
  checkpoint::check_output(file, output);
  checkpoint::log_notes(file);
  const Sources sources = keep_tensors(file, options);
  ExtractReport report;
  report.output = output;
  report.format = torch ? "torch" : "safetensors";
  report.dropped_args = file.dropped_args();
  torch ? write_torch(file, sources, report) : write_safetensors(file, sources, report);
  report.bytes = std::filesystem::file_size(output);
  for (const auto& source : sources) {
    if (source->overflowed > 0) report.overflowed.emplace_back(source->name, source->overflowed);
  }
  report_dropped(file, sources, report);
  return report;
}

}  // namespace sealite
