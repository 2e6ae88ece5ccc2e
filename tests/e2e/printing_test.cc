// What came from outside (a file, its name, the command line) reaches the terminal as harmless text in its
// own line.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "checkpoint/builders.h"
#include "e2e/demo_model.h"

namespace sealite {
namespace {

// Clears the screen, sets the title, goes on in another line, turns the direction and is no UTF-8.
const std::string kHostile =
    "\x1b[2J\x1b]0;x\x07\xc2\x9b"
    "31m\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\x9b\x85\xff\r\n"
    "  payload: id 7 (version 1)\t";

bool starts(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

// Not by the program's own function: C0 and DEL, C1 as UTF-8 and as single bytes, separators, direction
// marks.
std::string first_harm(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view rest = text.substr(i);
    if ((byte < 0x20 && byte != '\n') || byte == 0x7F) return fmt::format("byte {:#x}", byte);
    for (const char* mark : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c",
                             "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}) {
      if (starts(rest, mark)) return fmt::format("a mark at {}", i);
    }
    std::size_t length = 1;
    if (byte >= 0x80) {
      length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      if (byte < 0xC2 || rest.size() < length) return fmt::format("stray byte {:#x}", byte);
      for (std::size_t k = 1; k < length; ++k) {
        if ((static_cast<unsigned char>(rest[k]) & 0xC0U) != 0x80U)
          return fmt::format("broken byte {:#x}", byte);
      }
      if (byte == 0xC2 && static_cast<unsigned char>(rest[1]) < 0xA0) return "C1";
    }
    i += length;
  }
  return {};
}

void expect_harmless(const Outcome& outcome) {
  EXPECT_EQ(first_harm(outcome.out), "") << outcome.out;
  EXPECT_EQ(first_harm(outcome.err), "") << outcome.err;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

class Printing : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(hostile());
    for (const auto& folder : {hostile(), plain()}) {
      std::filesystem::create_directories(folder);
      std::filesystem::copy_file(asset("demo.pth"), folder / "demo.pth");
      std::filesystem::copy_file(asset("demo.card.yaml"), folder / "card.yaml");
      std::filesystem::copy_file(asset("coffee.watermarked.png"), folder / "photo.png");
      write_text(folder / "list.txt", std::string(kDemoMessage) + " " + "label\n");
      write_text(folder / "broken.png", "no picture");
    }
  }
  std::filesystem::path hostile() const { return folder_.path() / kHostile; }
  std::filesystem::path plain() const { return folder_.path() / "plain"; }

  // The command's words with @ for the folder: harmless, and as many lines as in the folder of a plain name.
  void expect_same_lines(std::vector<std::string> words, int status = 0) const {
    SCOPED_TRACE(words[0] + " " + words[1]);
    const auto in = [&](const std::filesystem::path& folder) {
      std::vector<std::string> command = words;
      for (std::string& word : command) {
        if (starts(word, "@")) word.replace(0, 1, folder.string());
      }
      return run_sealite(command);
    };
    const Outcome found = in(hostile());
    const Outcome expected = in(plain());
    EXPECT_EQ(expected.status, status) << expected.err;
    EXPECT_EQ(found.status, expected.status) << found.err;
    EXPECT_EQ(lines(found.out), lines(expected.out)) << found.out;
    EXPECT_EQ(lines(found.err), lines(expected.err)) << found.err;
    expect_harmless(found);
  }

  ScratchFolder folder_;
};

TEST_F(Printing, EveryCommandShowsFileNamesInOneLine) {
  expect_same_lines({"convert", "@/demo.pth", "--card", "@/card.yaml", "-o", "@/model.tflite"});
  expect_same_lines(
      {"convert", "@/demo.pth", "--card", "@/card.yaml", "-o", "@/e.tflite", "--part", "embedder"});
  expect_same_lines({"inspect", "@/demo.pth", "--tensors"});
  expect_same_lines({"inspect", "@/model.tflite", "--tensors"});
  expect_same_lines({"detect", "@/model.tflite", "@/photo.png", "--candidates", "@/list.txt"});
  expect_same_lines({"embed", "@/e.tflite", "@/photo.png", "-o", "@/marked.png", "--message", kDemoMessage});
  expect_same_lines({"extract", "@/demo.pth", "-o", "@/part.pth"});
  expect_same_lines({"extract", "@/demo.pth", "-o", "@/part.safetensors", "--part", "all"});
  expect_same_lines({"make-checkpoint", "--card", "@/card.yaml", "-o", "@/made.pth"});
  expect_same_lines({"verify", "@/model.tflite", "--checkpoint", "@/demo.pth", "--card", "@/card.yaml",
                     "--report", "@/report.html"});
  expect_same_lines({"bench", "@/model.tflite", "--runs", "2", "--no-peak"});
  expect_same_lines({"convert", "@/demo.pth", "--card", "@/card.yaml", "-o", "@/dump.tflite", "--dump-after",
                     "fold-batch-norm"});
}

TEST_F(Printing, ErrorsShowFileNamesInOneLine) {
  for (const char* command : {"inspect", "detect", "embed", "verify", "bench", "extract", "convert"}) {
    std::vector<std::string> words{command, "@/none.pth"};
    if (std::string_view(command) == "detect" || std::string_view(command) == "embed")
      words.emplace_back("@/photo.png");
    if (std::string_view(command) == "embed") words.insert(words.end(), {"--random"});
    if (std::string_view(command) != "inspect" && std::string_view(command) != "verify" &&
        std::string_view(command) != "bench" && std::string_view(command) != "detect")
      words.insert(words.end(), {"-o", "@/out.png"});
    const Outcome outcome = run_sealite([&] {
      for (std::string& word : words) {
        if (starts(word, "@")) word.replace(0, 1, hostile().string());
      }
      return words;
    }());
    EXPECT_NE(outcome.status, 0) << command;
    EXPECT_EQ(lines(outcome.err), 1U) << outcome.err;
    expect_harmless(outcome);
  }
  expect_same_lines({"inspect", "@/broken.png"}, 69);
  expect_same_lines({kHostile, "@"}, 64);  // no such command
  expect_same_lines({"detect", "@", "--" + kHostile}, 64);
  expect_same_lines({"extract", "@/demo.pth", "-o", "@/x.pth", "--part", kHostile}, 64);
}

// What a watermarked picture's name could print before: a whole positive of somebody else's choice.
TEST_F(Printing, ANameIsNoFinding) {
  expect_success(convert_demo(plain() / "model.tflite"));
  const std::string name =
      "a.png\n  message: CD750D7D\n  payload: id 7 (version 1), false-positive probability 1e-9";
  std::filesystem::copy_file(asset("coffee.png"), plain() / name);
  const Outcome outcome = run_sealite({"detect", plain() / "model.tflite", plain() / name});
  expect_success(outcome);
  EXPECT_EQ(outcome.out.find("\n  payload: id 7"), std::string::npos) << outcome.out;
  EXPECT_EQ(lines(outcome.out.substr(0, outcome.out.find("\n  message: "))), 0U) << outcome.out;
}

TEST_F(Printing, LabelsAndCardsToo) {
  expect_success(convert_demo(plain() / "model.tflite"));
  std::string label = kHostile;
  std::ranges::replace(label, '\n', ' ');
  write_text(plain() / "list.txt", std::string(kDemoMessage) + " " + label + "\n");
  const Outcome detect = run_sealite(
      {"detect", plain() / "model.tflite", plain() / "photo.png", "--candidates", plain() / "list.txt"});
  expect_success(detect);
  expect_harmless(detect);
}

// As in a model that somebody made for it: the names of its tensors, and its description.
TEST_F(Printing, AModelsTextsAreShown) {
  const std::string path = plain() / "model.tflite";
  expect_success(convert_demo(path));
  std::string model = read_text(path);
  for (const auto& [text, hostile] :
       {std::pair<std::string, std::string>{"downsample", "\x1b[2J\x9b\x85\n\xe2\x80\xae"},
        {"watermark", "\nSignature"}}) {
    ASSERT_NE(model.find(text), std::string::npos) << text;
    for (std::size_t at = 0; (at = model.find(text, at)) != std::string::npos;)
      model.replace(at, text.size(), hostile.substr(0, text.size()));
  }
  write_text(path, model);
  const Outcome text = run_sealite({"inspect", path, "--tensors"});
  expect_success(text);
  expect_harmless(text);
  EXPECT_NE(text.out.find("?[2J????"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("\nSignatur "), std::string::npos) << text.out;
  const Outcome json = run_sealite({"inspect", path, "--tensors", "--json"});
  expect_success(json);
  EXPECT_TRUE(nlohmann::json::accept(json.out));
}

TEST_F(Printing, JsonStaysJson) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"inspect", hostile() / "demo.pth", "--json"},
           {"convert", hostile() / "demo.pth", "--card", hostile() / "card.yaml", "-o",
            hostile() / "m.tflite", "--json"},
           {"detect", hostile() / "m.tflite", hostile() / "photo.png", hostile() / "broken.png", "--json"}}) {
    const Outcome outcome = run_sealite(words);
    std::istringstream text(outcome.out);
    std::size_t objects = 0;
    for (std::string line; std::getline(text, line); ++objects)
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_EQ(objects, words[0] == "detect" ? 2U : 1U);
  }
}

// 263 KB took 17 s, and twice as much four times as long: this text was never printed to its end.
TEST_F(Printing, LongTextsAreShownInNoTime) {
  using checkpoint::text_op;
  std::string text;
  while (text.size() < (8U << 20U)) text += "\xc2\x9b";
  write_text(plain() / "long.pth",
             checkpoint::torch_zip(checkpoint::model_pickle(
                 checkpoint::TensorOps()(), text_op("args") + "}" + text_op("a") + text_op(text) + "s")));
  const Outcome outcome =
      run_sealite({"inspect", plain() / "long.pth", "--timeout", "300"});  // to end at all
  expect_success(outcome);
  EXPECT_GT(outcome.out.size(), 4U << 20U);
  expect_harmless(outcome);
}

}  // namespace
}  // namespace sealite
