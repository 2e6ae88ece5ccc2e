#include "checkpoint/torch_writer.h"

#include <atomic>
#include <cstring>

#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"
#include "checkpoint/zip_index.h"
#include "checkpoint/zip_layout.h"

namespace sealite::checkpoint {
namespace {

// Byte i of a tensor is a hash of i, so that a block written in a wrong place shows.
std::byte pattern(std::uint64_t i) {
  return static_cast<std::byte>((i * 2654435761U >> 16U) & 0x3FU);
}

NewTensor patterned(std::string name, DType type, Shape shape) {
  NewTensor tensor{
      .name = std::move(name), .type = type, .shape = std::move(shape), .same_storage_as = {}, .fill = {}};
  tensor.fill = [](std::uint64_t offset, MutableByteView out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = pattern(offset + i);
  };
  return tensor;
}

NewTensor sharing(std::string name, Shape shape, std::string other) {
  return {.name = std::move(name),
          .type = DType::kFloat32,
          .shape = std::move(shape),
          .same_storage_as = std::move(other),
          .fill = {}};
}

TEST(TorchWriter, RoundTrip) {
  const TestFolder folder;
  NewCheckpoint checkpoint;
  checkpoint.archive_name = "tiny";
  checkpoint.epoch = 601;
  checkpoint.args_yaml = "nbits: 64\nscaling_w: 0.2\n";
  checkpoint.model.push_back(patterned("big", DType::kFloat32, {3, 1024, 1000}));  // 12 MB: three blocks
  checkpoint.model.push_back(patterned("half", DType::kFloat16, {5}));
  checkpoint.model.push_back(patterned("brain", DType::kBFloat16, {2, 3}));
  checkpoint.model.push_back(patterned("long", DType::kInt64, {}));
  checkpoint.model.push_back(patterned("flags", DType::kBool, {7}));
  checkpoint.model.push_back(patterned("empty", DType::kFloat32, {0, 4}));
  checkpoint.model.push_back(sharing("shared", {1024, 3000}, "big"));
  checkpoint.model.push_back(sharing("shared_again", {3072000}, "shared"));
  write_torch_file(folder / "tiny.pth", checkpoint);

  const Checkpoint read = Checkpoint::open(folder / "tiny.pth");
  EXPECT_EQ(read.tensors().size(), checkpoint.model.size());
  for (const NewTensor& tensor : checkpoint.model) {
    const TensorView* view = read.find(tensor.name);
    ASSERT_NE(view, nullptr) << tensor.name;
    EXPECT_EQ(view->type, tensor.type);
    EXPECT_EQ(view->shape, tensor.shape);
    EXPECT_TRUE(view->contiguous());
    ASSERT_EQ(view->bytes.size(), dtype_bytes(tensor.type, *element_count(tensor.shape)));
    for (std::size_t i = 0; i < view->bytes.size(); ++i)
      ASSERT_EQ(view->bytes[i], pattern(i)) << tensor.name << i;
  }
  EXPECT_EQ(read.find("shared")->bytes.data(), read.find("big")->bytes.data());
  EXPECT_EQ(read.find("shared_again")->storage, read.find("big")->storage);
  EXPECT_EQ(read.args().at("scaling_w"), "0.2");
  ASSERT_EQ(read.sections().size(), 3U);
  EXPECT_EQ(read.sections()[0].name, "epoch");

  const MappedFile file(folder / "tiny.pth");
  for (const auto& [name, entry] : read_zip_index(file.bytes())) {
    EXPECT_NO_THROW(check_crc(name, entry)) << name;
    EXPECT_EQ((entry.bytes.data() - file.bytes().data()) % 64, 0) << name;
  }
}

TEST(TorchWriter, RefusesContradictions) {
  const TestFolder folder;
  const auto refuse = [&](ErrorCode code, std::vector<NewTensor> model, std::string name = "a") {
    const NewCheckpoint checkpoint{
        .archive_name = std::move(name), .model = std::move(model), .args_yaml = {}, .epoch = {}};
    expect_error(code, [&] { write_torch_file(folder / "x.pth", checkpoint); });
    EXPECT_FALSE(std::filesystem::exists(folder / "x.pth"));
  };
  const NewTensor good = patterned("w", DType::kFloat32, {2});
  refuse(ErrorCode::kUsage, {good, good});
  refuse(ErrorCode::kUsage, {patterned("w", DType::kFloat32, {-1})});
  refuse(ErrorCode::kUsage, {patterned("w", DType::kFloat32, {INT64_MAX, 2})});
  refuse(ErrorCode::kUsage, {patterned("", DType::kFloat32, {1})});
  refuse(ErrorCode::kUsage, {sharing("v", {2}, "w"), good});
  refuse(ErrorCode::kUsage, {good, sharing("v", {3}, "w")});
  refuse(ErrorCode::kUsage, {sharing("v", {3}, "")});
  refuse(ErrorCode::kUsage, {good}, "a/b");
  refuse(ErrorCode::kUnsupported, {patterned("w", DType::kInt4, {2})});
}

TEST(TorchWriter, AFailingFillLeavesNothingBehind) {
  const TestFolder folder;
  NewTensor tensor = patterned("w", DType::kFloat32, {4 << 20});
  tensor.fill = [](std::uint64_t offset, MutableByteView out) {
    if (offset != 0) fail(ErrorCode::kIo, "no more");
    std::memset(out.data(), 0, out.size());
  };
  const NewCheckpoint checkpoint{.archive_name = "a", .model = {tensor}, .args_yaml = {}, .epoch = {}};
  expect_error(ErrorCode::kIo, [&] { write_torch_file(folder / "x.pth", checkpoint); });
  EXPECT_TRUE(std::filesystem::is_empty((folder / "x.pth").parent_path()));
}

// Headers of entries over 4 GiB, without writing that much: a sparse file.
TEST(ZipLayout, Zip64) {
  const TestFolder folder;
  ZipLayout layout;
  layout.add("a/small", 5);
  layout.add("a/huge", std::uint64_t{5} << 30U);
  layout.add("a/behind", 7);
  layout.add("a/exactly", 0xFFFFFFFFU);
  for (PlannedEntry& entry : layout.entries()) entry.crc = 1;
  const auto path = folder / "huge.zip";
  {
    std::ofstream out(path, std::ios::binary);
    for (const PlannedEntry& entry : layout.entries()) {
      out.seekp(static_cast<std::streamoff>(entry.header));
      out << layout.local_header(entry);
    }
    out.seekp(static_cast<std::streamoff>(layout.directory_offset()));
    out << layout.directory();
  }
  EXPECT_EQ(std::filesystem::file_size(path), layout.file_size());
  const MappedFile file(path);
  const ZipIndex index = read_zip_index(file.bytes());
  ASSERT_EQ(index.size(), 4U);
  for (const PlannedEntry& entry : layout.entries()) {
    const ZipEntry& found = index.at(entry.name);
    EXPECT_EQ(found.bytes.size(), entry.size);
    EXPECT_EQ(found.bytes.data(), file.bytes().data() + entry.data);
    EXPECT_EQ(entry.data % 64, 0U);
  }
}

}  // namespace
}  // namespace sealite::checkpoint
