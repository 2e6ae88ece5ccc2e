#include "sealite/extract.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/scratch_folder.h"
#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/torch_writer.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "model/audit.h"

namespace sealite {
namespace {

using checkpoint::Checkpoint;
using checkpoint::PlainValue;
using checkpoint::TensorOps;
using checkpoint::TensorView;
using checkpoint::text_op;

constexpr const char* kPrefixes[] = {"detector.", "embedder.", ""};

std::vector<std::byte> bytes_of(const TensorView& view) {
  std::vector<std::byte> bytes(dtype_bytes(view.type, element_count(view.shape).value_or(0)));
  read_elements(view, 0, bytes);
  return bytes;
}

// `copy` has the tensors of `source` whose names start with `prefix`, bit for bit.
void expect_same_tensors(const Checkpoint& copy, const Checkpoint& source, std::string_view prefix) {
  std::size_t kept = 0;
  for (const auto& [name, view] : source.tensors()) {
    if (!name.starts_with(prefix)) continue;
    ++kept;
    const TensorView* found = copy.find(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->type, view.type) << name;
    EXPECT_EQ(found->shape, view.shape) << name;
    EXPECT_TRUE(found->contiguous()) << name;
    EXPECT_EQ(bytes_of(*found), bytes_of(view)) << name;
  }
  EXPECT_GT(kept, 0U);
  EXPECT_EQ(copy.tensors().size(), kept);
}

class Extract : public ::testing::Test {
 protected:
  // A torch file of one storage, 0 to 11 as float32 from 1.0 on, and `tensors` of the model as opcodes.
  std::filesystem::path write_model(const std::string& tensors, const std::string& more = {}) const {
    std::string storage;
    for (int i = 0; i < 12; ++i) {
      const auto value = static_cast<float>(i);
      storage.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    write_text(folder / "source.pth",
               checkpoint::torch_zip(
                   checkpoint::proto("}(" + text_op("model") + "}(" + tensors + "u" + more + "u"), storage));
    return folder / "source.pth";
  }
  static TensorOps view(std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                        std::int64_t offset) {
    return {.elements = 12, .offset = offset, .shape = std::move(shape), .strides = std::move(strides)};
  }

  const ScratchFolder folder;
};

TEST_F(Extract, EveryPartOfEveryFixtureInBothFormats) {
  for (const char* name :
       {"chunkyseal_tiny.pth", "pixelseal_tiny.pth", "videoseal_0.0_tiny.pth", "demo.pth"}) {
    const Checkpoint source = Checkpoint::open(fixture(name));
    for (const ExtractPart part : {ExtractPart::kDetector, ExtractPart::kEmbedder, ExtractPart::kAll}) {
      for (const char* output : {"x.pth", "x.pt", "x.safetensors"}) {
        SCOPED_TRACE(std::string(name) + " " + output);
        const ExtractReport report = extract(source.path(), folder / output, {.part = part});
        const Checkpoint copy = Checkpoint::open(folder / output);
        EXPECT_EQ(copy.format(), report.format);
        expect_same_tensors(copy, source, kPrefixes[static_cast<std::size_t>(part)]);
        EXPECT_EQ(report.tensors, copy.tensors().size());
        EXPECT_EQ(report.bytes, std::filesystem::file_size(folder / output));
        EXPECT_GT(report.bytes, report.tensor_bytes);
        EXPECT_TRUE(report.overflowed.empty());
        EXPECT_EQ(copy.epoch(), source.epoch());
        for (const auto& [key, value] : source.args()) EXPECT_EQ(copy.args().at(key), value) << key;
      }
    }
  }
}

// What lies in another order in memory (channels_last) is the same checkpoint.
TEST_F(Extract, HasTheSameHashInWhateverOrderTheSourceLies) {
  const auto source =
      write_model(text_op("a") + view({2, 3}, {1, 2}, 0)() + text_op("b") + view({4}, {1}, 6)());
  const std::vector<model::Parameter> parameters{{.name = "a", .shape = {2, 3}}, {.name = "b", .shape = {4}}};
  const auto hash_of = [&](const std::filesystem::path& path) {
    return model::audit(std::make_shared<const Checkpoint>(Checkpoint::open(path)), parameters).hash;
  };
  for (const char* output : {"x.pth", "x.safetensors"}) {
    extract(source, folder / output, {.part = ExtractPart::kAll});
    EXPECT_EQ(hash_of(folder / output), hash_of(source)) << output;
  }
}

TEST_F(Extract, SaysWhatStayedBehind) {
  const ExtractReport report = extract(fixture("chunkyseal_tiny.pth"), folder / "x.pth");
  ASSERT_EQ(report.dropped_sections.size(), 3U);
  EXPECT_EQ(report.dropped_sections[1].name, "optimizer");
  EXPECT_EQ(report.dropped_sections[1].tensors, 285U);
  EXPECT_EQ(report.dropped_sections[1].bytes, 32268U);
  ASSERT_EQ(report.dropped_prefixes.size(), 3U);
  EXPECT_EQ(report.dropped_prefixes[1].name, "embedder");
  EXPECT_EQ(report.dropped_prefixes[1].tensors, 131U);
  EXPECT_EQ(report.args, ExtractedArgs::kText);
  EXPECT_EQ(report.epoch, 601);
  const auto file = Checkpoint::open(folder / "x.pth");
  ASSERT_EQ(file.sections().size(), 3U);
  EXPECT_EQ(file.sections()[0].name, "epoch");
  EXPECT_EQ(file.sections()[2].name, "args");
}

TEST_F(Extract, ArgsKeepTheirForm) {
  for (const char* name : {"chunkyseal_tiny.pth", "pixelseal_tiny.pth"}) {
    const Checkpoint source = Checkpoint::open(fixture(name));
    extract(source.path(), folder / "x.pth");
    EXPECT_EQ(Checkpoint::open(folder / "x.pth").plain_args(), source.plain_args());
  }
}

// Through safetensors, where args are texts, and back: types return.
TEST_F(Extract, ThereAndBack) {
  const Checkpoint source = Checkpoint::open(fixture("pixelseal_tiny.pth"));
  extract(source.path(), folder / "x.safetensors", {.part = ExtractPart::kAll});
  const ExtractReport report =
      extract(folder / "x.safetensors", folder / "x.pth", {.part = ExtractPart::kAll});
  const Checkpoint back = Checkpoint::open(folder / "x.pth");
  expect_same_tensors(back, source, "");
  EXPECT_EQ(back.args(), source.args());
  EXPECT_EQ(back.epoch(), source.epoch());
  EXPECT_EQ(report.args, ExtractedArgs::kDict);
  PlainValue nbits;
  const auto& items = back.plain_args().items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == "nbits") nbits = items[i + 1];
  }
  EXPECT_EQ(nbits, PlainValue::of_int(32));
  extract(folder / "x.safetensors", folder / "y.safetensors", {.part = ExtractPart::kAll});
  EXPECT_EQ(read_text(folder / "x.safetensors"), read_text(folder / "y.safetensors"));
}

TEST_F(Extract, SharedMemoryStaysShared) {
  const Checkpoint source = Checkpoint::open(fixture("pixelseal_tiny.pth"));
  const std::string one = "embedder.msg_processor.msg_embeddings.weight";
  const std::string other = "embedder.unet.msg_processor.msg_embeddings.weight";
  const ExtractReport torch = extract(source.path(), folder / "x.pth", {.part = ExtractPart::kEmbedder});
  const Checkpoint file = Checkpoint::open(folder / "x.pth");
  EXPECT_EQ(file.find(one)->storage, file.find(other)->storage);
  ASSERT_EQ(torch.shared.size(), 1U);
  EXPECT_EQ(torch.shared[0].first, other);
  EXPECT_EQ(torch.shared[0].second, one);
  const ExtractReport flat =
      extract(source.path(), folder / "x.safetensors", {.part = ExtractPart::kEmbedder});
  EXPECT_EQ(flat.shared, torch.shared);
  EXPECT_EQ(flat.tensor_bytes, torch.tensor_bytes + bytes_of(*file.find(one)).size());
}

TEST_F(Extract, ViewsOfOneStorage) {
  const auto source = write_model(text_op("detector.whole") + view({12}, {1}, 0)() +            //
                                  text_op("detector.same") + view({3, 4}, {4, 1}, 0)() +        //
                                  text_op("detector.turned") + view({4, 3}, {1, 4}, 0)() +      //
                                  text_op("detector.later") + view({2, 2}, {3, 1}, 5)() +       //
                                  text_op("detector.also_later") + view({2, 2}, {3, 1}, 5)() +  //
                                  text_op("detector.first") + view({}, {}, 0)() +               //
                                  text_op("detector.none") + view({0, 2}, {2, 1}, 0)());
  const ExtractReport report = extract(source, folder / "x.pth");
  const Checkpoint file = Checkpoint::open(folder / "x.pth");
  expect_same_tensors(file, Checkpoint::open(source), "");
  ASSERT_EQ(report.shared.size(), 1U);
  EXPECT_EQ(file.find("detector.whole")->storage, file.find("detector.same")->storage);
  EXPECT_NE(file.find("detector.whole")->storage, file.find("detector.turned")->storage);
  EXPECT_NE(file.find("detector.later")->storage, file.find("detector.also_later")->storage);
  std::vector<float> turned(12);
  read_rows(*file.find("detector.turned"), 0, 4, turned);
  EXPECT_EQ(turned, (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  extract(source, folder / "x.safetensors");
  expect_same_tensors(Checkpoint::open(folder / "x.safetensors"), Checkpoint::open(source), "");
}

TEST_F(Extract, NamesThatAreNotWrittenAreTheFilesFault) {
  const auto extract_named = [&](std::size_t bytes) {
    const std::string name = "detector." + std::string(bytes - 9, 'n');
    extract(write_model(text_op(name) + view({12}, {1}, 0)()), folder / "x.pth");
  };
  extract_named(1024);
  expect_error(ErrorCode::kUnsupported, {"source.pth", "1025 bytes, expected 1 to 1024"},
               [&] { extract_named(1025); });
}

TEST_F(Extract, NonContiguousTensorsConvertToo) {
  const auto source = write_model(text_op("detector.turned") + view({4, 3}, {1, 4}, 0)());
  for (const ExtractType type : {ExtractType::kFloat16, ExtractType::kBFloat16, ExtractType::kFloat32}) {
    extract(source, folder / "x.pth", {.dtype = type});
    const Checkpoint file = Checkpoint::open(folder / "x.pth");
    std::vector<float> turned(12);
    read_rows(*file.find("detector.turned"), 0, 4, turned);
    EXPECT_EQ(turned, (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  }
}

// Several blocks and pieces, values that fp16 cannot hold, and integers that must stay.
TEST_F(Extract, OtherTypes) {
  constexpr std::size_t kCount = 3'000'001;
  const auto value = [](std::size_t i) { return std::ldexp(1.0F + static_cast<float>(i % 1000) / 1000, -9); };
  checkpoint::NewCheckpoint content;
  content.model.push_back(
      {.name = "detector.w", .type = DType::kFloat32, .shape = {kCount}, .same_storage_as = {}, .fill = {}});
  content.model.back().fill = [&](std::uint64_t offset, MutableByteView out) {
    for (std::size_t at = 0; at < out.size(); at += 4) {
      const std::size_t i = (offset + at) / 4;
      const float number = i == 7           ? 1e6F
                           : i == 2'500'000 ? -7e4F
                           : i == 9         ? NAN
                           : i == 10        ? INFINITY
                                            : value(i);
      std::memcpy(out.data() + at, &number, 4);
    }
  };
  content.model.push_back(
      {.name = "detector.count", .type = DType::kInt64, .shape = {}, .same_storage_as = {}, .fill = {}});
  content.model.back().fill = [](std::uint64_t, MutableByteView out) {
    std::memset(out.data(), 0x7F, out.size());
  };
  write_torch_file(folder / "source.pth", content);

  for (const char* output : {"x.pth", "x.safetensors"}) {
    const ExtractReport half =
        extract(folder / "source.pth", folder / output, {.dtype = ExtractType::kFloat16});
    using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
    EXPECT_EQ(half.overflowed, (Counts{{"detector.w", 2}}));
    EXPECT_EQ(half.dtypes, (std::vector<std::pair<std::string, std::size_t>>{{"float16", 1}, {"int64", 1}}));
    EXPECT_EQ(half.tensor_bytes, 2 * kCount + 8);
    const Checkpoint file = Checkpoint::open(folder / output);
    EXPECT_EQ(load<std::int64_t>(file.find("detector.count")->bytes), 0x7F7F7F7F7F7F7F7F);
    std::vector<float> read(kCount);
    read_rows(*file.find("detector.w"), 0, kCount, read);
    for (std::size_t i = 11; i < kCount; ++i) {
      if (i == 2'500'000) continue;
      ASSERT_EQ(read[i], half_to_float(float_to_half(value(i)))) << i;
    }
    EXPECT_EQ(read[7], INFINITY);
    EXPECT_EQ(read[2'500'000], -INFINITY);
    EXPECT_TRUE(std::isnan(read[9]));
    EXPECT_EQ(read[10], INFINITY);
  }
  EXPECT_TRUE(
      extract(folder / "source.pth", folder / "x.pth", {.dtype = ExtractType::kBFloat16}).overflowed.empty());
  EXPECT_EQ(Checkpoint::open(folder / "x.pth").find("detector.w")->type, DType::kBFloat16);
  // And up again: as exact as what is left.
  extract(folder / "x.pth", folder / "y.pth", {.dtype = ExtractType::kFloat32});
  std::vector<float> read(kCount);
  read_rows(*Checkpoint::open(folder / "y.pth").find("detector.w"), 0, kCount, read);
  EXPECT_EQ(read[100], bfloat16_to_float(float_to_bfloat16(value(100))));
}

TEST_F(Extract, ArgsThatOnlyCodeCouldRebuildAreNamed) {
  const auto source =
      write_model(text_op("detector.w") + view({12}, {1}, 0)(),
                  text_op("args") + "}(" + text_op("nbits") + "K\x10" + text_op("format") + text_op("onnx") +
                      text_op("kind") + "ctorch\nfloat32\n" + "u" + text_op("epoch") + "N");
  const ExtractReport report = extract(source, folder / "x.pth");
  EXPECT_EQ(report.dropped_args, std::vector<std::string>{"kind"});
  EXPECT_EQ(report.epoch, std::nullopt);
  ASSERT_EQ(report.dropped_sections.size(), 1U);
  EXPECT_EQ(report.dropped_sections[0].name, "epoch");
  EXPECT_EQ(Checkpoint::open(folder / "x.pth").args().at("format"), "onnx");
  // Loaders want "pt" there.
  EXPECT_EQ(extract(source, folder / "x.safetensors").dropped_args,
            (std::vector<std::string>{"kind", "format"}));
  EXPECT_EQ(Checkpoint::open(folder / "x.safetensors").args().at("format"), "pt");
}

TEST_F(Extract, ClearErrors) {
  const std::string source = fixture("chunkyseal_tiny_detector_only.pth");
  expect_error(ErrorCode::kMismatch, {"'embedder.'", "start with 'detector'"},
               [&] { extract(source, folder / "x.pth", {.part = ExtractPart::kEmbedder}); });
  for (const char* name : {"x", "x.bin", "x.PTH", "x.pth.zip", "safetensors"}) {
    expect_error(ErrorCode::kUsage, {name, "expected .pth, .pt or .safetensors"},
                 [&] { extract(source, folder / name); });
  }
  expect_error(ErrorCode::kNotFound, {"none.pth"}, [&] { extract(folder / "none.pth", folder / "x.pth"); });
  expect_error(ErrorCode::kIo, {}, [&] { extract(source, folder / "missing/x.pth"); });
  EXPECT_EQ(folder.entries(), 0);
  std::filesystem::copy_file(source, folder / "a.pth");
  std::filesystem::create_symlink("a.pth", folder / "b.pt");
  for (const char* name : {"a.pth", "b.pt"}) {
    expect_error(ErrorCode::kUsage, {"the checkpoint itself"},
                 [&] { extract(folder / "a.pth", folder / name); });
  }
  EXPECT_EQ(read_text(folder / "a.pth"), read_text(source));
}

}  // namespace
}  // namespace sealite
