#include "checkpoint/shards.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {
namespace {

constexpr std::size_t kMaxIndex = std::size_t{16} << 20U;  // of a thousand tensors it is 100 KB
constexpr std::size_t kMaxShards = 4096;
constexpr std::size_t kMaxRows = std::size_t{1} << 20U;
constexpr std::size_t kLongestFileName = 255;

// Takes the JSON event by event: {"weight_map": {NAME: FILE, …}, and whatever else}.
class IndexReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, std::string, std::less<>> files;

  bool start_object(std::size_t /*count*/) override {
    if (in_map()) fail_index("an object in the weight_map");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*count*/) override {
    if (in_map() || (depth_ == 1 && top_ == "weight_map")) fail_index("a list in the weight_map");
    ++depth_;
    return true;
  }
  bool end_array() override { return end_object(); }
  bool key(string_t& key) override {
    if (depth_ == 1) top_ = key;
    name_ = key;
    return true;
  }
  bool string(string_t& value) override {
    if (!in_map()) return true;
    if (files.size() >= kMaxRows) fail_index("too many tensors");
    if (!files.emplace(name_, value).second)
      fail_index(fmt::format("tensor '{}' appears twice", printable(name_)));
    return true;
  }
  bool null() override { return other(); }
  bool boolean(bool /*value*/) override { return other(); }
  bool number_integer(number_integer_t /*value*/) override { return other(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return other(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return other(); }
  bool binary(binary_t& /*value*/) override { return other(); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) override {
    fail_index(fmt::format("broken JSON at byte {}", position));
  }

 private:
  [[noreturn]] static void fail_index(std::string_view what) {
    fail(ErrorCode::kMalformed, "broken index of shards: {}", what);
  }
  bool in_map() const { return depth_ == 2 && top_ == "weight_map"; }
  bool other() const {
    if (in_map()) fail_index(fmt::format("tensor '{}' has no file's name", printable(name_)));
    return true;
  }

  std::size_t depth_ = 0;
  std::string top_;
  std::string name_;
};

// A name becomes a path only here: it must be that of a file in the index's own folder.
void check_file_name(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= kLongestFileName && name != "." && name != ".." &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain) {
    fail(ErrorCode::kMalformed, "the index names the file '{}', which is not one in its own folder",
         printable(name));
  }
}

}  // namespace

bool is_shard_index(ByteView file) {
  const std::string_view text = as_text(file);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (file.size() > kMaxIndex || start == std::string_view::npos || text[start] != '{') return false;
  const bool binary = text.substr(0, 8).find('\0') != std::string_view::npos;  // a .safetensors file's length
  return !binary && text.find("\"weight_map\"") != std::string_view::npos;
}

std::filesystem::path find_shard_index(const std::filesystem::path& folder) {
  constexpr std::string_view kEnd = ".index.json";
  std::set<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().ends_with(kEnd)) found.insert(at->path());
  }
  if (error) fail(ErrorCode::kIo, "cannot read the folder '{}': {}", folder.string(), error.message());
  if (found.empty()) {
    fail(ErrorCode::kNotFound,
         "'{}' is a folder, not a regular file, and has no *{}; give the checkpoint file itself",
         folder.string(), kEnd);
  }
  if (found.size() > 1) {
    fail(ErrorCode::kNotFound, "'{}' has several *{} files; give one of them: '{}' or '{}'", folder.string(),
         kEnd, found.begin()->string(), std::next(found.begin())->string());
  }
  return *found.begin();
}

Contents read_shards(ByteView index, const std::filesystem::path& folder,
                     const std::function<Contents(ByteView file)>& read) {
  IndexReader reader;
  nlohmann::json::sax_parse(as_text(index), &reader);
  if (reader.files.empty()) fail(ErrorCode::kUnsupported, "its weight_map is empty");
  std::map<std::string, Contents> shards;
  for (const auto& [name, file] : reader.files) {
    check_file_name(file);
    shards.try_emplace(file);
    if (shards.size() > kMaxShards) fail(ErrorCode::kMalformed, "more than {} shards", kMaxShards);
  }
  Contents contents;
  std::uint64_t bytes = 0;
  for (auto& [file, shard] : shards) {
    MappedFile mapped(folder / file);
    shard = add_context(fmt::format("shard '{}'", printable(file)), [&] { return read(mapped.bytes()); });
    bytes += mapped.size();
    contents.more.push_back(std::move(mapped));
    std::ranges::move(shard.more, std::back_inserter(contents.more));
    contents.args.merge(shard.args);
  }
  for (const auto& [name, file] : reader.files) {
    Contents& shard = shards.at(file);
    const auto tensor = shard.tensors.find(name);
    const auto unreadable = shard.unreadable.find(name);
    if (tensor != shard.tensors.end()) {
      contents.tensors.emplace(name, tensor->second);
    } else if (unreadable != shard.unreadable.end()) {
      contents.unreadable.emplace(name, unreadable->second);
    } else {
      fail(ErrorCode::kMalformed, "the index says that tensor '{}' is in '{}', which does not have it",
           printable(name), printable(file));
    }
  }
  if (contents.tensors.empty()) fail(ErrorCode::kUnsupported, "the files hold no tensors");
  contents.sections.push_back({"model", reader.files.size(), bytes, true});
  return contents;
}

}  // namespace sealite::checkpoint
