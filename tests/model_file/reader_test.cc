#include "model_file/reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "model_file/import_graph.h"
#include "model_file/workload.h"
#include "schema_generated.h"
#include "tflite/small_model.h"

namespace sealite::model_file {

using namespace tflite;
namespace {

class Reader : public ::testing::Test {
 protected:
  std::string model(WeightPlacement placement) const {
    write(small_graph(), folder / "sound.tflite", small_options(placement));
    return read_text(folder / "sound.tflite");
  }
  // In place: a file system may want to see a file that was emptied and filled again on the disk, which takes
  // 3 ms.
  static void overwrite(const std::filesystem::path& path, const std::string& bytes) {
    if (!std::filesystem::exists(path)) write_text(path, "");
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
    std::filesystem::resize_file(path, bytes.size());
  }
  // Reads `bytes`; whatever they are, the only complaint may be kMalformed.
  bool reads(const std::string& bytes) const {
    overwrite(folder / "file.tflite", bytes);
    try {
      read_model(folder / "file.tflite");
      imports(folder / "file.tflite");
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kMalformed) << error.what();
      EXPECT_NE(std::string_view(error.what()).find("file.tflite"), std::string_view::npos) << error.what();
      return false;
    }
  }
  // What reads may still be no network of ours.
  static void imports(const std::filesystem::path& path) {
    read_workload(path, "");
    try {
      verify(import_graph(path, "detect"));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported && error.code() != ErrorCode::kMalformed)
        ADD_FAILURE() << error.what();
    }
  }
  // The sound model with its tables changed.
  std::string changed(const std::function<void(tfl::ModelT&)>& change,
                      WeightPlacement placement = WeightPlacement::kInside) const {
    tfl::ModelT tables;
    tfl::GetModel(model(placement).data())->UnPackTo(&tables);
    change(tables);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(tfl::Model::Pack(builder, &tables), tfl::ModelIdentifier());
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
  }
  void expect_malformed(std::string_view says, const std::function<void(tfl::ModelT&)>& change) const {
    write_text(folder / "file.tflite", changed(change));
    expect_error(ErrorCode::kMalformed, {"file.tflite", says}, [&] { read_model(folder / "file.tflite"); });
  }

  const ScratchFolder folder;
};

TEST_F(Reader, Absent) {
  expect_error(ErrorCode::kNotFound, {"absent"}, [&] { read_model(folder / "absent"); });
  expect_error(ErrorCode::kNotFound, {}, [&] { read_model(folder.path()); });
}

TEST_F(Reader, OtherFiles) {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("TFL3"), std::string(7, '\0'), std::string(1000, '\0'),
        std::string(1000, '\xff'), std::string("\0\0\0\0TFL3", 8)})
    EXPECT_FALSE(reads(bytes)) << bytes.size();
}

TEST_F(Reader, EveryTruncation) {
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    const std::string sound = model(placement);
    EXPECT_TRUE(reads(sound));
    // The file's tail of 64 bytes holds nothing, and weights are padded to up to 64 bytes before it.
    constexpr std::size_t padding = 128;
    for (std::size_t size = 0; size < sound.size(); ++size) {
      const bool whole = reads(sound.substr(0, size));
      EXPECT_FALSE(whole && size + padding < sound.size()) << size << " of " << sound.size();
    }
  }
}

TEST_F(Reader, EveryFlippedByte) {
  std::size_t refused = 0;
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    const std::string sound = model(placement);
    for (std::size_t i = 0; i < sound.size(); ++i) {
      for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
        std::string bytes = sound;
        bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ flip);
        refused += reads(bytes) ? 0U : 1U;
      }
    }
  }
  EXPECT_GT(refused, 500U);
}

TEST_F(Reader, SeveralFlippedBytes) {
  std::mt19937 generator(1);
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    const std::string sound = model(placement);
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = sound;
      for (int i = 0; i < 3; ++i) bytes[generator() % bytes.size()] = static_cast<char>(generator() & 0xFFU);
      reads(bytes);
    }
  }
}

TEST_F(Reader, WrongNumbers) {
  constexpr int kFar = 1'000'000;
  EXPECT_TRUE(reads(changed([](tfl::ModelT&) {})));
  expect_malformed("no subgraph", [](tfl::ModelT& m) { m.subgraphs.clear(); });
  expect_malformed("no buffers", [](tfl::ModelT& m) { m.buffers.clear(); });
  expect_malformed("operator code",
                   [](tfl::ModelT& m) { m.subgraphs[0]->operators[0]->opcode_index = kFar; });
  expect_malformed("operator code", [](tfl::ModelT& m) { m.operator_codes.clear(); });
  for (const int index : {kFar, -2}) {
    expect_malformed("tensor index",
                     [&](tfl::ModelT& m) { m.subgraphs[0]->operators[0]->inputs[1] = index; });
    expect_malformed("tensor index",
                     [&](tfl::ModelT& m) { m.subgraphs[0]->operators[2]->outputs[0] = index; });
    expect_malformed("tensor index", [&](tfl::ModelT& m) { m.subgraphs[0]->inputs[0] = index; });
    expect_malformed("tensor index", [&](tfl::ModelT& m) { m.subgraphs[0]->outputs[0] = index; });
  }
  expect_malformed("uses buffer", [](tfl::ModelT& m) { m.subgraphs[0]->tensors[1]->buffer = kFar; });
  expect_malformed("names no tensor",
                   [](tfl::ModelT& m) { m.signature_defs[0]->inputs[0]->tensor_index = kFar; });
  expect_malformed("names no tensor",
                   [](tfl::ModelT& m) { m.signature_defs[0]->outputs[0]->tensor_index = kFar; });
  expect_malformed("has no subgraph", [](tfl::ModelT& m) { m.signature_defs[0]->subgraph_index = 1; });
  expect_malformed("'sealite' has no buffer", [](tfl::ModelT& m) { m.metadata[0]->buffer = kFar; });
}

TEST_F(Reader, WrongOrder) {
  expect_malformed("before it is made", [](tfl::ModelT& m) {
    std::swap(m.subgraphs[0]->operators[0], m.subgraphs[0]->operators[1]);
  });
  expect_malformed("before it is made", [](tfl::ModelT& m) { m.subgraphs[0]->inputs.clear(); });
  expect_malformed("never made", [](tfl::ModelT& m) { m.subgraphs[0]->operators.pop_back(); });
}

TEST_F(Reader, WeightsOfAnotherSize) {
  const auto weight = [](tfl::ModelT& m) -> tfl::TensorT& { return *m.subgraphs[0]->tensors[1]; };
  expect_malformed("'conv.weight' is float32 [5, 2, 2, 4]", [&](tfl::ModelT& m) { weight(m).shape[3] = 4; });
  expect_malformed("has 240 bytes", [&](tfl::ModelT& m) { weight(m).shape[3] = -3; });
  expect_malformed("has 240 bytes", [&](tfl::ModelT& m) { weight(m).shape.assign(8, 0x7FFFFFFF); });
  expect_malformed("has 240 bytes", [&](tfl::ModelT& m) { weight(m).shape_signature = {5, -1, 2, 3}; });
  expect_malformed("int8", [&](tfl::ModelT& m) { weight(m).type = tfl::TensorType::INT8; });
  expect_malformed("has 239 bytes", [&](tfl::ModelT& m) { m.buffers[weight(m).buffer]->data.pop_back(); });
}

TEST_F(Reader, WeightsOutsideTheFile) {
  const auto place = [](std::uint64_t offset, std::uint64_t size) {
    return [=](tfl::ModelT& m) {
      tfl::BufferT& buffer = *m.buffers[m.subgraphs[0]->tensors[1]->buffer];
      buffer.data.clear();
      buffer.offset = offset;
      buffer.size = size;
    };
  };
  EXPECT_TRUE(reads(changed(place(64, 240))));
  expect_malformed("cut off", place(1'000'000, 240));
  expect_malformed("cut off", place(64, 1'000'000));
  expect_malformed("cut off", place(~std::uint64_t{0} - 100, 240));
  expect_malformed("'conv.weight' before it is made", place(64, 0));
}

TEST_F(Reader, OtherProjectsFiles) {
  const auto read_changed = [&](const std::function<void(tfl::ModelT&)>& change) {
    write_text(folder / "file.tflite", changed(change));
    return read_model(folder / "file.tflite");
  };
  EXPECT_TRUE(read_changed([](tfl::ModelT& m) { m.signature_defs.clear(); }).signatures.empty());
  EXPECT_TRUE(read_changed([](tfl::ModelT& m) { m.metadata.clear(); }).metadata.empty());
  const auto future = read_changed(
      [](tfl::ModelT& m) { m.operator_codes[0]->builtin_code = static_cast<tfl::BuiltinOperator>(9999); });
  EXPECT_EQ(future.operators.count("BUILTIN_9999"), 1U);
  const auto custom = read_changed([](tfl::ModelT& m) { m.operator_codes[0]->custom_code = "Special"; });
  EXPECT_EQ(custom.operators.count("CUSTOM Special"), 1U);
  const auto old =
      read_changed([](tfl::ModelT& m) { m.operator_codes[0]->builtin_code = tfl::BuiltinOperator::ADD; });
  EXPECT_EQ(old.operators.count("CONV_2D"), 1U);  // from the 8-bit field of before 2020
  read_changed([](tfl::ModelT& m) { m.subgraphs[0]->tensors[0]->type = tfl::TensorType::STRING; });
  read_changed([](tfl::ModelT& m) { m.subgraphs[0]->operators[2]->inputs[2] = -1; });  // no bias
}

}  // namespace
}  // namespace sealite::model_file
