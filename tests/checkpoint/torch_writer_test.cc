#include "checkpoint/torch_writer.h"

#include <atomic>
#include <cstring>

#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"
#include "checkpoint/patterned_tensor.h"
#include "checkpoint/zip_index.h"
#include "checkpoint/zip_layout.h"

namespace sealite::checkpoint {
namespace {

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
    EXPECT_NO_THROW(check_crc(name, entry, entry.packed)) << name;
    EXPECT_EQ((entry.packed.data() - file.bytes().data()) % 64, 0) << name;
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

// What `args` and an optimizer are made of.
PlainValue sample_value() {
  using Kind = PlainValue::Kind;
  PlainValue nested{.kind = Kind::kDict};
  nested.set("none", {});
  nested.set("list", {.kind = Kind::kList, .items = {PlainValue::of_bool(true), PlainValue::of_bool(false)}});
  nested.set("empty list", {.kind = Kind::kList});
  nested.set("empty tuple", {.kind = Kind::kTuple});
  nested.set("empty dict", {.kind = Kind::kDict});
  PlainValue value{.kind = Kind::kDict};
  for (const std::int64_t number : {INT64_MIN, -1L, 0L, 255L, 256L, 65535L, 65536L, 2147483648L, INT64_MAX})
    value.set("int " + std::to_string(number), PlainValue::of_int(number));
  for (const double number : {0.1, -0.0, 1e300, 5e-324, 2.0})
    value.set("float " + std::to_string(number), PlainValue::of_float(number));
  value.set("text", PlainValue::of_text("None, \u00e4\n\\ \U0001F41F"));
  value.set("tuple", {.kind = Kind::kTuple, .items = {PlainValue::of_int(1), PlainValue::of_text("")}});
  value.set("nested", nested);
  value.items.push_back(PlainValue::of_int(7));  // keys need not be texts
  value.items.push_back(PlainValue::of_text("seven"));
  return value;
}

TEST(TorchWriter, PlainValuesKeepTheirTypes) {
  const TestFolder folder;
  NewCheckpoint checkpoint;
  checkpoint.model.push_back(patterned("w", DType::kFloat32, {2}));
  checkpoint.sections.emplace_back("args", sample_value());
  write_torch_file(folder / "x.pth", checkpoint);
  const Checkpoint read = Checkpoint::open(folder / "x.pth");
  EXPECT_TRUE(read.dropped_args().empty());
  EXPECT_EQ(read.plain_args(), sample_value());
  EXPECT_EQ(read.args().at("nested.list.1"), "false");
}

TEST(TorchWriter, SectionsNameTensors) {
  const TestFolder folder;
  NewCheckpoint checkpoint;
  checkpoint.model.push_back(patterned("w", DType::kFloat32, {2}));
  checkpoint.section_tensors.push_back(patterned("step", DType::kFloat32, {}));
  checkpoint.section_tensors.push_back(patterned("average", DType::kFloat16, {3, 5}));
  PlainValue state{.kind = PlainValue::Kind::kDict};
  state.set("average", PlainValue::of_tensor(1));
  state.set("step", PlainValue::of_tensor(0));
  checkpoint.sections.emplace_back("optimizer", state);
  checkpoint.sections.emplace_back("args", state);  // of which one number has a plain form
  write_torch_file(folder / "x.pth", checkpoint);
  const Checkpoint read = Checkpoint::open(folder / "x.pth");
  ASSERT_EQ(read.sections().size(), 3U);
  EXPECT_TRUE(read.sections()[0].is_model);
  EXPECT_EQ(read.sections()[1].name, "optimizer");
  EXPECT_EQ(read.sections()[1].tensors, 2U);
  EXPECT_EQ(read.sections()[1].bytes, 4U + 30U);
  EXPECT_FALSE(read.sections()[1].is_model);
  EXPECT_EQ(read.dropped_args(), std::vector<std::string>{"average"});
  ASSERT_EQ(read.plain_args().items.size(), 2U);
  EXPECT_EQ(read.plain_args().items[0].text, "step");
  EXPECT_EQ(read.plain_args().items[1].kind, PlainValue::Kind::kFloat);

  checkpoint.section_tensors.pop_back();
  expect_error(ErrorCode::kUsage, [&] { write_torch_file(folder / "x.pth", checkpoint); });
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
    EXPECT_EQ(found.packed.size(), entry.size);
    EXPECT_EQ(found.packed.data(), file.bytes().data() + entry.data);
    EXPECT_EQ(entry.data % 64, 0U);
  }
}

}  // namespace
}  // namespace sealite::checkpoint
