#include "checkpoint/safetensors_writer.h"

#include <nlohmann/json.hpp>

#include "checkpoint/files.h"
#include "checkpoint/patterned_tensor.h"

namespace sealite::checkpoint {
namespace {

void expect_pattern(const TensorView& view) {
  for (std::size_t i = 0; i < view.bytes.size(); ++i) ASSERT_EQ(view.bytes[i], pattern(i)) << i;
}

TEST(SafetensorsWriter, RoundTrip) {
  const TestFolder folder;
  const std::vector<NewTensor> tensors{
      patterned("big", DType::kFloat32, {3, 1024, 1000}),  // 12 MB: three blocks
      patterned("a/scalar", DType::kFloat32, {}),
      patterned("empty", DType::kFloat32, {0, 4}),
      patterned("half", DType::kFloat16, {5}),
      patterned("brain", DType::kBFloat16, {2, 3, 1, 1, 7}),
      patterned("long", DType::kInt64, {}),
      patterned("int", DType::kInt32, {3}),
      patterned("flags", DType::kBool, {7}),
      patterned("byte", DType::kUInt8, {1}),
      patterned("small", DType::kInt8, {3}),
      patterned("quote \" \\ \n \u00e4", DType::kFloat32, {1})};
  const ArgMap metadata{{"format", "pt"}, {"nbits", "64"}, {"text", "\"\n\u00e4"}};
  write_safetensors_file(folder / "x.safetensors", tensors, metadata);
  const Checkpoint read = Checkpoint::open(folder / "x.safetensors");
  EXPECT_EQ(read.format(), "safetensors");
  EXPECT_EQ(read.args(), metadata);
  ASSERT_EQ(read.tensors().size(), tensors.size());
  for (const NewTensor& tensor : tensors) {
    SCOPED_TRACE(tensor.name);
    const TensorView* view = read.find(tensor.name);
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->type, tensor.type);
    EXPECT_EQ(view->shape, tensor.shape);
    ASSERT_EQ(view->bytes.size(), dtype_bytes(tensor.type, *element_count(tensor.shape)));
    expect_pattern(*view);
  }
}

// The data begins at a multiple of 8, and so does every tensor of 8-byte elements.
TEST(SafetensorsWriter, HeaderIsAlignedAndSorted) {
  const TestFolder folder;
  for (std::size_t length = 1; length <= 9; ++length) {
    write_safetensors_file(
        folder / "x.safetensors",
        {patterned("b", DType::kBool, {3}), patterned(std::string(length, 'h'), DType::kFloat16, {3}),
         patterned("z", DType::kInt64, {3}), patterned("y", DType::kFloat32, {3}),
         patterned("x", DType::kFloat32, {3})},
        {});
    const std::string bytes = read_file(folder / "x.safetensors");
    const auto size = load<std::uint64_t>(as_bytes(bytes));
    EXPECT_EQ(size % 8, 0U);
    EXPECT_EQ(bytes.size(), 8 + size + 24 + 12 + 12 + 6 + 3);
    const auto header = nlohmann::ordered_json::parse(bytes.substr(8, size));
    std::vector<std::string> names;
    for (const auto& [name, row] : header.items()) names.push_back(name);
    EXPECT_EQ(names, (std::vector<std::string>{"z", "x", "y", std::string(length, 'h'), "b"}));
    EXPECT_EQ(header["b"].dump(), R"({"dtype":"BOOL","shape":[3],"data_offsets":[54,57]})");
  }
}

TEST(SafetensorsWriter, RefusesContradictions) {
  const TestFolder folder;
  const auto refuse = [&](ErrorCode code, const std::vector<NewTensor>& tensors,
                          const ArgMap& metadata = {}) {
    expect_error(code, [&] { write_safetensors_file(folder / "x.safetensors", tensors, metadata); });
    EXPECT_FALSE(std::filesystem::exists(folder / "x.safetensors"));
  };
  const NewTensor good = patterned("w", DType::kFloat32, {2});
  NewTensor shared = patterned("v", DType::kFloat32, {2});
  shared.same_storage_as = "w";
  refuse(ErrorCode::kUsage, {good, good});
  refuse(ErrorCode::kUsage, {good, shared});
  refuse(ErrorCode::kUsage, {patterned("", DType::kFloat32, {2})});
  refuse(ErrorCode::kUsage, {patterned("\xff", DType::kFloat32, {2})});
  refuse(ErrorCode::kUsage, {patterned("__metadata__", DType::kFloat32, {2})});
  refuse(ErrorCode::kUsage, {patterned("w", DType::kFloat32, {-1})});
  refuse(ErrorCode::kUsage, {good}, {{"key", "\xff"}});
  refuse(ErrorCode::kUnsupported, {patterned("w", DType::kInt4, {2})});
}

TEST(SafetensorsWriter, AHeaderThatNobodyReadsIsRefused) {
  const TestFolder folder;
  const ArgMap metadata{{"long", std::string(100'000'000, 'x')}};
  expect_error(ErrorCode::kUnsupported, [&] {
    write_safetensors_file(folder / "x.safetensors", {patterned("w", DType::kFloat32, {2})}, metadata);
  });
  EXPECT_FALSE(std::filesystem::exists(folder / "x.safetensors"));
}

TEST(SafetensorsWriter, AFailingFillLeavesNothingBehind) {
  const TestFolder folder;
  NewTensor tensor = patterned("w", DType::kFloat32, {4});
  tensor.fill = [](std::uint64_t, MutableByteView) { fail(ErrorCode::kIo, "no more"); };
  expect_error(ErrorCode::kIo, [&] { write_safetensors_file(folder / "x.safetensors", {tensor}, {}); });
  EXPECT_TRUE(std::filesystem::is_empty((folder / "x").parent_path()));
}

}  // namespace
}  // namespace sealite::checkpoint
