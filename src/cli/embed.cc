#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/limits.h"
#include "cli/no_memory.h"
#include "cli/output_check.h"
#include "cli/picture_list.h"
#include "cli/piped_model.h"
#include "cli/plain_text.h"
#include "cli/probability_text.h"
#include "cli/program_context.h"
#include "cli/units.h"
#include "sealite/detector.h"
#include "sealite/embedder.h"
#include "sealite/files.h"
#include "sealite/message.h"

namespace sealite::cli {
namespace {

struct EmbedArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::string output;
  std::string output_dir;
  std::string output_name = "{name}{ext}";
  bool recursive = false;
  std::string message;
  std::string text;
  std::string id;
  bool text_given = false;
  bool random = false;
  std::string key;
  bool key_given = false;
  EmbedFileOptions files;
  HostOptions host;
  int threads = 1;
  std::string check;
  bool json = false;
};

// One picture, and the file that its marked copy goes to.
struct Work {
  std::string input;
  std::string output;
};

// What the written file says when it is read again.
struct ReadBack {
  std::string message;
  MessageMatch match;
  bool read_back = false;
};

// Of its own: the picture is written, but nobody will find the message in it.
constexpr int kNotReadBack = 3;

// Of raw bits so few may be wrong that an unmarked picture agrees as well with this probability at most: as
// for ids and texts (docs/payload.md).
constexpr double kLog10MostChance = -6;

std::optional<Detector> load_detector(const EmbedArguments& arguments, const Context& context,
                                      std::size_t bits) {
  if (arguments.check.empty()) return std::nullopt;
  Detector detector(arguments.check, {context, arguments.threads});
  if (detector.bits() != bits) {
    fail(ErrorCode::kMismatch, "--check: '{}' reads {} bits, the embedder '{}' writes {}: not the same model",
         arguments.check, detector.bits(), arguments.model, bits);
  }
  return detector;
}

bool is_payload(const EmbedArguments& arguments) {
  return arguments.text_given || !arguments.id.empty();
}

// The one of the four options that was given, in hexadecimal.
std::string chosen_message(const EmbedArguments& arguments, std::size_t bits) {
  const bool payload = is_payload(arguments);
  if (arguments.key_given && !payload)
    fail(ErrorCode::kUsage, "--key is for --text and --id: it changes nothing in raw bits");
  if (arguments.random) return random_message_hex(bits);
  if (!payload) {
    // "id:7" is --id's: the key that belongs to it would be lost.
    const bool other = arguments.message.starts_with("id:") || arguments.message.starts_with("text:");
    if (other)
      fail(ErrorCode::kUsage, "--message: '{}' is not hexadecimal; see --id and --text", arguments.message);
    return add_context("--message", [&] { return message_hex(arguments.message, bits); });
  }
  const char* option = arguments.text_given ? "--text" : "--id";
  const std::string words = arguments.text_given ? "text:" + arguments.text : "id:" + arguments.id;
  return add_context(option, [&] { return message_hex(words, bits, arguments.key); });
}

// An id or a text is read back if that is what a reader without knowledge of it decodes; raw bits if they
// agree.
ReadBack check_picture(const EmbedArguments& arguments, const Work& work, Detector& detector,
                       const std::string& message) {
  const Detection found = detect_file(detector, work.output, arguments.files.read);
  ReadBack check{found.message, detector.match(found, message), false};
  if (is_payload(arguments)) {
    const auto payload = detector.decode(found, arguments.key);
    check.read_back = payload && message_hex(payload->words(), detector.bits(), arguments.key) == message;
  } else {
    check.read_back =
        check.match.matches == check.match.bits || check.match.log10_p_value <= kLog10MostChance;
  }
  return check;
}

void warn_not_read_back(const EmbedArguments& arguments, const Work& work, const MessageMatch& match) {
  warn(
      "'{}' is written, but '{}' does not read the message back: {} of {} bits agree, p = {}; try a higher "
      "--strength "
      "or --quality, another picture, or the detector of the same checkpoint",
      work.output, arguments.check, match.matches, match.bits, probability_text(match.log10_p_value));
}

std::string decibels(double psnr) {
  return std::isinf(psnr) ? "infinite" : fmt::format("{:.2f} dB", psnr);
}

void print_text(const Work& work, const EmbedFileReport& report, const std::optional<ReadBack>& check,
                std::size_t bits) {
  print("{}\n", work.output);
  const EmbedReport& embedded = report.embedded;
  print("  message: {} ({} bits)\n", embedded.message, bits);
  print("  picture: {} x {} pixels, {}\n", embedded.width, embedded.height, mebibytes(report.bytes));
  if (embedded.psnr)
    print("  PSNR: {}, SSIM: {}\n", decibels(*embedded.psnr),
          embedded.ssim ? fmt::format("{:.5f}", *embedded.ssim) : "none below 11 pixels a side");
  if (!check) return;
  print("  read back: {}: {} of {} bits (accuracy {:.4f}), p = {}\n", check->message, check->match.matches,
        check->match.bits, check->match.accuracy(), probability_text(check->match.log10_p_value));
}

void print_json(const Work& work, const EmbedFileReport& report, const std::optional<ReadBack>& check,
                const Embedder& embedder, double seconds) {
  auto json = nlohmann::ordered_json::object();
  json["picture"] = shown_picture(work.input);
  json["output"] = work.output;
  json["message"] = report.embedded.message;
  json["bits"] = embedder.bits();
  json["width"] = report.embedded.width;
  json["height"] = report.embedded.height;
  json["bytes"] = report.bytes;
  if (const auto& psnr = report.embedded.psnr) {
    const auto& ssim = report.embedded.ssim;
    json["psnr"] = std::isinf(*psnr) ? nlohmann::ordered_json() : nlohmann::ordered_json(*psnr);
    json["ssim"] = ssim ? nlohmann::ordered_json(*ssim) : nlohmann::ordered_json();
  }
  if (check) {
    json["check"] = {{"message", check->message},
                     {"matches", check->match.matches},
                     {"bit_accuracy", check->match.accuracy()},
                     {"p_value", check->match.p_value},
                     {"log10_p_value", check->match.log10_p_value},
                     {"read_back", check->read_back}};
  }
  json["cache"] = cache_use_name(embedder.cache_use());
  json["seconds"] = seconds;
  json["peak_memory_bytes"] = peak_memory();
  print_json_line(json);
}

void print_failure(const Work& work, const Error& error, bool json) {
  if (!json) {
    print_error_line(message_of(error));
    return;
  }
  auto line = nlohmann::ordered_json::object();
  line["picture"] = shown_picture(work.input);
  line["error"] = {{"code", error_code_name(error.code())}, {"message", message_of(error)}};
  print_json_line(line);
}

// The pattern with {name}, the picture's name without its extension, {ext}, that extension with its dot (.png
// where nothing can be written so), and {n}, 1 for the first picture.
std::string output_name(const std::string& pattern, const std::string& input, std::size_t number) {
  const std::filesystem::path path(input);
  std::string extension = path.extension().string();
  try {
    check_output_format(path);
  } catch (const Error&) {
    extension = ".png";
  }
  std::string name;
  const std::pair<std::string_view, std::string> words[] = {
      {"{name}", path.stem().string()}, {"{ext}", extension}, {"{n}", fmt::format("{}", number)}};
  for (std::string_view left = pattern; !left.empty();) {
    const auto* word = std::begin(words);
    while (word != std::end(words) && !left.starts_with(word->first)) ++word;
    if (word != std::end(words)) {
      name += word->second;
      left.remove_prefix(word->first.size());
      continue;
    }
    if (left.front() == '{')
      fail(ErrorCode::kUsage, "--output-name: '{}': there are {{name}}, {{ext}} and {{n}}", pattern);
    name += left.front();
    left.remove_prefix(1);
  }
  if (name.find('/') == std::string::npos) return name;
  fail(ErrorCode::kUsage, "--output-name: '{}' is no file name", name);
}

// All that can be wrong with the names is known before the first picture.
std::vector<Work> plan(const EmbedArguments& arguments) {
  expect_pictures(arguments.inputs, "embed");
  const std::vector<std::string> inputs = list_pictures(arguments.inputs, arguments.recursive);
  if (arguments.output.empty() == arguments.output_dir.empty())
    fail(ErrorCode::kUsage, "say where to write: either -o FILE or --output-dir FOLDER");
  if (!arguments.output.empty()) {
    if (inputs.size() > 1)
      fail(ErrorCode::kUsage, "{} pictures and one --output: give --output-dir", inputs.size());
    return {{inputs[0], arguments.output}};
  }
  std::error_code error;
  std::filesystem::create_directories(arguments.output_dir, error);
  if (error || !std::filesystem::is_directory(arguments.output_dir)) {
    fail(ErrorCode::kIo, "--output-dir: '{}' cannot be made: {}", arguments.output_dir,
         error ? error.message() : "it is no folder");
  }
  std::vector<Work> works;
  std::map<std::string, std::string> taken;
  for (const std::string& input : inputs) {
    const std::filesystem::path output = std::filesystem::path(arguments.output_dir) /
                                         output_name(arguments.output_name, input, works.size() + 1);
    check_output_format(output);
    const auto [place, is_new] = taken.emplace(output.string(), input);
    if (!is_new) {
      fail(ErrorCode::kUsage, "'{}' and '{}' would both be written to '{}'; see --output-name", place->second,
           input, output.string());
    }
    works.push_back({input, output.string()});
  }
  return works;
}

// Marks one picture and says so; 3 if --check does not find the message.
int mark(const EmbedArguments& arguments, const Work& work, Embedder& embedder,
         std::optional<Detector>& detector, ProgressLine& progress) {
  const Stopwatch stopwatch;
  const std::string message = chosen_message(arguments, embedder.bits());
  const EmbedFileReport report = embed_file(embedder, work.input, work.output, message, arguments.files);
  std::optional<ReadBack> check;
  if (detector) check = check_picture(arguments, work, *detector, message);
  int status = 0;
  progress.pause([&] {
    for (const std::string& warning : report.warnings) print_warning(warning);
    if (arguments.json) {
      print_json(work, report, check, embedder, stopwatch.seconds());
    } else {
      print_text(work, report, check, embedder.bits());
    }
    if (!check || check->read_back) return;
    warn_not_read_back(arguments, work, check->match);
    status = kNotReadBack;
  });
  return status;
}

// Before the first is written: one picture's mark must not be the loss of another.
void check_outputs(const EmbedArguments& arguments, const std::vector<Work>& works) {
  InputFiles inputs;
  inputs.add("the --check detector", arguments.check);
  for (const Work& work : works) inputs.add("the input", work.input);
  for (const Work& work : works) inputs.check_is_none(work.output);
}

// One picture that cannot be marked does not keep the others from it; the exit status is the first error's.
int run(const EmbedArguments& arguments) {
  ProgressLine progress;
  const Context context = program_context(progress, arguments.host);
  const std::vector<Work> works = plan(arguments);
  check_outputs(arguments, works);
  std::optional<PipedModel> piped;
  Embedder embedder(model_source(arguments.model, arguments.inputs, piped, context),
                    {context, arguments.threads});
  chosen_message(arguments, embedder.bits());
  std::optional<Detector> detector = load_detector(arguments, context, embedder.bits());
  if (!embedder.fully_delegated())
    warn("'{}': LiteRT's fast path (XNNPACK) did not take the whole graph; it may be slow", arguments.model);
  if (works.size() == 1) {
    progress.show("marking the picture", 0, 0);
    return mark(arguments, works[0], embedder, detector, progress);
  }
  int status = 0;
  for (std::size_t i = 0; i < works.size(); ++i) {
    progress.show("marking pictures", i, works.size());
    int one = 0;
    try {
      one = mark(arguments, works[i], embedder, detector, progress);
    } catch (const Error& error) {
      const ErrorCode code = error.code();
      if (code == ErrorCode::kInterrupted || code == ErrorCode::kTimeout || code == ErrorCode::kIo) throw;
      progress.pause([&] { print_failure(works[i], error, arguments.json); });
      one = static_cast<int>(code);
    }
    if (status == 0) status = one;
    std::fflush(stdout);
  }
  progress.show("", 0, 0);
  return status;
}

constexpr const char* kFooter =
    "Exactly one of --message, --text, --id and --random says what is embedded. The output's extension "
    "chooses\n"
    "its format (.jpg .jfif .png .webp .avif .tif); what lies beside the pixels is kept, and the\n"
    "pixels are 8-bit RGB. PSNR and SSIM compare the pixels before lossy coding. docs/embedding.md\n"
    "Exit status 3: the picture is written, but --check does not read the message back (an id or a text is\n"
    "not decoded; raw bits agree no better than an unmarked picture's once in a million).\n"
    "Examples:\n"
    "  sealite embed embedder.tflite photo.jpg -o marked.jpg --message 5c1f93a0 --check detector.tflite\n"
    "  sealite embed pixelseal.tflite photo.png -o marked.png --id 1234 --key 'my key'\n"
    "  sealite embed pixelseal.tflite photo.jpg -o marked.webp --random --strength 0.8 --json\n"
    "  sealite embed pixelseal.tflite photos -r --output-dir marked --output-name '{name}-marked{ext}' --id "
    "1234";

// Of these exactly one has to be given. Returns --text.
const CLI::Option* add_message_options(CLI::App& command, EmbedArguments& arguments) {
  CLI::Option_group& group = *command.add_option_group("message", "What to embed");
  group.add_option("--message", arguments.message,
                   "Raw bits: hexadecimal or as 0s and 1s, first bit first, or number:N");
  const CLI::Option* text =
      group.add_option("--text", arguments.text, "A short UTF-8 text (models of 64 to 1024 bits)");
  group.add_option("--id", arguments.id, "A number (models of 64 to 1024 bits)");
  group.add_flag("--random", arguments.random, "Random bits from the system; they are printed");
  group.require_option(1);
  return text;
}

}  // namespace

Run add_embed(CLI::App& app) {
  auto arguments = std::make_shared<EmbedArguments>();
  arguments->files.embed.metrics = true;
  CLI::App& command = *app.add_subcommand("embed", "Put a watermark into a picture");
  command.add_option("model", arguments->model, "An embedder's .tflite file, or - for the standard input")
      ->required();
  command.add_option(
      "pictures,--image_path", arguments->inputs,
      "Pictures, at least one: files of any size (JPEG, PNG, WebP, AVIF, TIFF, GIF, PPM, JPEG XL, "
      "JPEG 2000), folders of them, or - for the standard input");
  command.add_option("-o,--output", arguments->output, "Picture to write");
  command.add_option("--output-dir", arguments->output_dir, "Folder to write to, of any number of pictures");
  command
      .add_option("--output-name", arguments->output_name,
                  "Their names there: {name} and {ext} (with its dot) are the picture's own, {n} its number")
      ->capture_default_str();
  command.add_flag("-r,--recursive", arguments->recursive, "Look into the folders inside folders too");
  const CLI::Option* text = add_message_options(command, *arguments);
  const CLI::Option* key =
      command.add_option("--key", arguments->key, "Key for --text and --id: detect needs the same one");
  command.add_option("--strength", arguments->files.embed.strength, "Multiplies the watermark")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  const std::map<std::string, EmbedAttenuation> attenuations{{"card", EmbedAttenuation::kCard},
                                                             {"none", EmbedAttenuation::kNone},
                                                             {"lowres", EmbedAttenuation::kLowres}};
  command
      .add_option("--attenuation", arguments->files.embed.attenuation,
                  "Weaker where it would be seen: card (as the model says), lowres (coarser), none")
      ->transform(CLI::CheckedTransformer(attenuations))
      ->default_str("card")
      ->option_text("card|none|lowres [card]");
  command.add_option("--quality", arguments->files.quality, "For JPEG, WebP and AVIF")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option(
      "--check", arguments->check,
      "A detector's .tflite file: read the written picture back (exit status 3 if the message is not there)");
  command.add_option("--threads", arguments->threads, "Threads for inference")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  add_litert_option(command, arguments->host);
  add_pixel_limit(command, arguments->files.read.max_pixels);
  add_cache_option(command, arguments->host);
  command.add_flag_callback(
      "--no-metrics", [arguments] { arguments->files.embed.metrics = false; },
      "Do not measure PSNR and SSIM: half of the time of a large picture");
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(kFooter);
  return [arguments, text, key] {
    arguments->text_given = text->count() != 0;
    arguments->key_given = key->count() != 0;
    return run(*arguments);
  };
}

}  // namespace sealite::cli
