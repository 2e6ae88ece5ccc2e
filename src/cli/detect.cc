#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/warn.h"
#include "cli/cache_option.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/limits.h"
#include "cli/plain_text.h"
#include "cli/quiet_stderr.h"
#include "cli/units.h"
#include "sealite/detector.h"
#include "sealite/message.h"

namespace sealite::cli {
namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> pictures;
  DetectorOptions options;
  int jobs = 0;  // 0: every processor that inference leaves
  std::string expect;
  std::string candidates;
  std::string key;
  bool key_given = false;
  bool logits = false;
  bool json = false;
};

// What one picture gave.
struct Findings {
  Detection detection;
  std::optional<DecodedPayload> payload;
  std::optional<MessageMatch> match;
  std::optional<CandidateMatch> candidate;
};

Detector load(const Arguments& arguments) {
  const QuietStderr quiet;
  return Detector(arguments.model, arguments.options);
}

bool carries_payloads(const Detector& detector) {
  return payload_capacity(detector.bits()).id_bits != 0;
}

double accuracy(const MessageMatch& match) {
  return static_cast<double>(match.matches) / static_cast<double>(match.bits);
}

// Also where a double underflows to 0.
std::string probability_text(double log10_probability) {
  if (log10_probability > -300) return fmt::format("{:.2g}", std::pow(10.0, log10_probability));
  const double exponent = std::floor(log10_probability);
  return fmt::format("{:.1f}e{:.0f}", std::pow(10.0, log10_probability - exponent), exponent);
}

void print_payload(const Detector& detector, const std::optional<DecodedPayload>& payload) {
  if (!payload) {
    print("  payload: none\n");
    return;
  }
  const std::string what = payload->kind == PayloadKind::kId ? fmt::format("id {}", payload->id)
                                                             : fmt::format("text \"{}\"", payload->text);
  print("  payload: {} (version {}, {} of {} bits corrected), false-positive probability {}\n", what,
        payload->version, payload->corrected_bits, detector.bits(),
        probability_text(payload->log10_false_positive));
}

void print_candidate(const CandidateMatch& candidate) {
  const std::string label = candidate.label.empty() ? "" : fmt::format(" ({})", candidate.label);
  print("  best candidate: line {}{}, message {}\n", candidate.line, label, candidate.message);
  print("    matches: {} of {} bits (accuracy {:.4f}), p = {} for {} candidates\n", candidate.match.matches,
        candidate.match.bits, accuracy(candidate.match), probability_text(candidate.log10_p_value),
        candidate.candidates);
}

void print_text(const std::string& picture, const Detector& detector, const Findings& found) {
  print("{}\n", picture);
  print("  message: {} ({} bits, {} ones)\n", found.detection.message, detector.bits(), found.detection.ones);
  if (carries_payloads(detector)) print_payload(detector, found.payload);
  if (found.match) {
    print("  matches: {} of {} bits (accuracy {:.4f}), p = {}\n", found.match->matches, found.match->bits,
          accuracy(*found.match), probability_text(found.match->log10_p_value));
  }
  if (found.candidate) print_candidate(*found.candidate);
  print("  unused detection bit: {:.6f}\n", static_cast<double>(found.detection.logits[0]));
}

nlohmann::ordered_json payload_json(const std::optional<DecodedPayload>& payload) {
  if (!payload) return nullptr;
  auto json = nlohmann::ordered_json::object();
  json["version"] = payload->version;
  // As --expect takes it; and since many JSON readers lose the last digits of large numbers.
  json["words"] = payload->words();
  if (payload->kind == PayloadKind::kId) json["id"] = payload->id;
  if (payload->kind == PayloadKind::kText) json["text"] = payload->text;
  json["corrected_bits"] = payload->corrected_bits;
  json["false_positive"] = payload->false_positive;
  json["log10_false_positive"] = payload->log10_false_positive;
  return json;
}

nlohmann::ordered_json candidate_json(const CandidateMatch& candidate) {
  auto json = nlohmann::ordered_json::object();
  json["line"] = candidate.line;
  json["label"] = candidate.label;
  json["message"] = candidate.message;
  json["matches"] = candidate.match.matches;
  json["bit_accuracy"] = accuracy(candidate.match);
  json["candidates"] = candidate.candidates;
  json["p_value"] = candidate.p_value;
  json["log10_p_value"] = candidate.log10_p_value;
  return json;
}

void print_json(const std::string& picture, const Detector& detector, const Findings& found, bool logits,
                double seconds) {
  auto json = nlohmann::ordered_json::object();
  json["picture"] = picture;
  json["message"] = found.detection.message;
  json["bits"] = detector.bits();
  json["ones"] = found.detection.ones;
  if (carries_payloads(detector)) json["payload"] = payload_json(found.payload);
  if (found.match) {
    json["matches"] = found.match->matches;
    json["bit_accuracy"] = accuracy(*found.match);
    json["p_value"] = found.match->p_value;
    json["log10_p_value"] = found.match->log10_p_value;
  }
  if (found.candidate) json["candidate"] = candidate_json(*found.candidate);
  json["unused_detection_bit"] = found.detection.logits[0];
  if (logits) json["logits"] = found.detection.logits;
  json["cache"] = cache_use_name(detector.cache_use());
  json["seconds"] = seconds;
  print_json_line(json);
}

void print_error(const std::string& picture, const Error& error, bool json) {
  if (!json) {
    print_error_line(error.what());
    return;
  }
  auto line = nlohmann::ordered_json::object();
  line["picture"] = picture;
  line["error"] = {{"code", error_code_name(error.code())}, {"message", error.what()}};
  print_json_line(line);
}

// Wrong options are reported before the first picture is read.
void check_options(const Arguments& arguments, const Detector& detector) {
  if (arguments.key_given && !carries_payloads(detector)) {
    fail(ErrorCode::kUsage,
         "--key: raw bits only: '{}' has {} bits, ids and texts take 64 to 1024; use --expect or "
         "--candidates with "
         "hexadecimal messages",
         arguments.model, detector.bits());
  }
  if (!arguments.expect.empty())
    add_context("--expect", [&] { message_hex(arguments.expect, detector.bits(), arguments.key); });
}

void print_hint(const Detector& detector) {
  print("Bits alone do not tell whether a picture is marked: give the message you look for with --expect.\n");
  if (carries_payloads(detector)) return;
  print("Raw bits only: ids and texts take models of 64 to 1024 bits, this one has {}.\n", detector.bits());
}

Findings examine(Detection detection, const Arguments& arguments, const Detector& detector,
                 const std::optional<Candidates>& candidates) {
  Findings found;
  found.detection = std::move(detection);
  found.payload = detector.decode(found.detection, arguments.key);
  if (!arguments.expect.empty())
    found.match = detector.match(found.detection, arguments.expect, arguments.key);
  if (candidates) found.candidate = candidates->best(found.detection);
  return found;
}

int readers(const Arguments& arguments) {
  if (arguments.jobs > 0) return arguments.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - arguments.options.threads);
}

// One picture that cannot be read does not keep the others from it; the exit status is the first error's.
int run(const Arguments& arguments) {
  Detector detector = load(arguments);
  check_options(arguments, detector);
  std::optional<Candidates> candidates;
  if (!arguments.candidates.empty()) candidates.emplace(arguments.candidates, detector.bits(), arguments.key);
  if (!detector.fully_delegated()) {
    warn("'{}': LiteRT's fast path (XNNPACK) did not take the whole graph; it may be slow", arguments.model);
  }
  int status = 0;
  bool unexplained = false;  // some picture's bits were compared with nothing
  const std::vector<std::filesystem::path> files(arguments.pictures.begin(), arguments.pictures.end());
  detector.detect_files(files, readers(arguments), [&](std::size_t index, PictureDetection read) {
    const std::string& picture = arguments.pictures[index];
    if (read.error) {
      print_error(picture, *read.error, arguments.json);
      if (status == 0) status = static_cast<int>(read.error->code());
    } else {
      const Findings found = examine(std::move(read.detection), arguments, detector, candidates);
      unexplained = unexplained || !(found.payload || found.match || found.candidate);
      if (arguments.json) {
        print_json(picture, detector, found, arguments.logits, read.seconds);
      } else {
        print_text(picture, detector, found);
      }
    }
    std::fflush(stdout);
  });
  if (unexplained && !arguments.json) print_hint(detector);
  return status;
}

}  // namespace

Run add_detect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand("detect", "Read the watermark's bits in pictures");
  command.add_option("model", arguments->model, "A detector's .tflite file")->required();
  command.add_option("pictures", arguments->pictures, "JPEG, PNG, WebP, AVIF or TIFF files of any size")
      ->required();
  command.add_option("--threads", arguments->options.threads, "Threads for inference")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      .add_option("--jobs", arguments->jobs,
                  "Pictures decoded beside the one in the model (default: processors less --threads)")
      ->check(CLI::Range(1, 256));
  command.add_option("--expect", arguments->expect,
                     "Message to compare with: hexadecimal, first bit first, or id:N or text:STRING");
  command.add_option("--candidates", arguments->candidates,
                     "File with a message on each line (and a label behind it): the best match is named");
  const CLI::Option* key =
      command.add_option("--key", arguments->key, "Key that ids and texts were made with (default: none)");
  command.add_option("--litert", arguments->options.litert_library,
                     "libLiteRt.so to load (default: searched)");
  add_pixel_limit(command, arguments->options.max_pixels);
  add_cache_option(command, arguments->options.use_cache);
  command.add_flag("--logits", arguments->logits, "Add all logits to the JSON");
  command.add_flag("--json", arguments->json, "Print one line of JSON for each picture, errors included");
  command.footer(
      "p is the probability that an unmarked picture agrees at least as well by chance (one-sided "
      "binomial),\ntimes the number of candidates if there are several. Models of 64 to 1024 bits carry ids "
      "and "
      "texts\n(docs/payload.md); others raw bits only.\n"
      "Examples:\n"
      "  sealite detect demo.tflite photo.png --expect 5c1f93a0\n"
      "  sealite detect chunkyseal.tflite *.jpg --threads 2 --json > results.jsonl\n"
      "  sealite detect pixelseal.tflite photo.jpg --key 'my key' --expect id:1234\n"
      "  sealite detect pixelseal.tflite photo.jpg --candidates customers.txt");
  return [arguments, key] {
    arguments->key_given = key->count() != 0;
    return run(*arguments);
  };
}

}  // namespace sealite::cli
