#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/error.h"
#include "cli/candidate_file.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/limits.h"
#include "cli/no_memory.h"
#include "cli/picture_list.h"
#include "cli/piped_model.h"
#include "cli/plain_text.h"
#include "cli/probability_text.h"
#include "cli/program_context.h"
#include "cli/units.h"
#include "cli/verdict_table.h"
#include "sealite/candidates.h"
#include "sealite/files.h"
#include "sealite/message.h"

namespace sealite::cli {
namespace {

struct DetectArguments {
  std::string model;
  std::vector<std::string> pictures;
  HostOptions host;
  ReadOptions read;
  int threads = 1;
  int jobs = 0;  // 0: every processor that inference leaves
  std::string expect;
  std::string candidates;
  std::string key;
  bool key_given = false;
  double rate = 0;  // --fpr; 0: not given
  bool logits = false;
  bool json = false;
  bool csv = false;
  bool recursive = false;
};

// What one picture gave.
struct Findings {
  Detection detection;
  std::optional<DecodedPayload> payload;
  std::optional<MessageMatch> match;
  std::optional<CandidateMatch> candidate;
};

bool carries_payloads(const Detector& detector) {
  return payload_capacity(detector.bits()).id_bits != 0;
}

// The best of what was asked for: a message, a candidate, else an id or a text that needs no asking.
VerdictRow row_of(const std::string& picture, const Findings& found, const DetectArguments& arguments) {
  VerdictRow row{picture, {}, {}, found.detection.message, {}, {}, {}};
  if (found.match) {
    row.matches = found.match->matches;
    row.log10_p_value = found.match->log10_p_value;
    row.with = arguments.expect;
  }
  if (found.candidate && (!found.match || found.candidate->log10_p_value < *row.log10_p_value)) {
    row.matches = found.candidate->match.matches;
    row.log10_p_value = found.candidate->log10_p_value;
    row.with = found.candidate->label.empty() ? found.candidate->message : found.candidate->label;
  }
  if (!found.match && !found.candidate && found.payload) {
    row.log10_p_value = found.payload->log10_false_positive;
    row.with = found.payload->words();
  }
  if (arguments.rate > 0) row.verdict = judge(row.log10_p_value.value_or(0), arguments.rate);
  if (row.verdict != PictureVerdict::kMarked) row.with.clear();
  return row;
}

// Whether this p-value is rare enough for --fpr.
bool is_found(double log10_p_value, double rate) {
  return log10_p_value <= std::log10(rate);
}

void print_decision(double log10_p_value, double rate, const char* indent) {
  if (rate == 0) return;
  print("{}found: {} p is {} {} (--fpr)\n", indent, is_found(log10_p_value, rate) ? "yes," : "no,",
        is_found(log10_p_value, rate) ? "at most" : "above", probability_text(std::log10(rate)));
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

void print_candidate(const CandidateMatch& candidate, double rate) {
  print("  best candidate: {}, message {}\n", with_label({candidate.line, candidate.label}),
        candidate.message);
  for (const CandidateLine& also : candidate.also) print("    the same message: {}\n", with_label(also));
  print("    matches: {} of {} bits (accuracy {:.4f}), p = {} for {} candidates\n", candidate.match.matches,
        candidate.match.bits, candidate.match.accuracy(), probability_text(candidate.log10_p_value),
        candidate.candidates);
  print_decision(candidate.log10_p_value, rate, "    ");
}

void print_logits(const Detection& detection) {
  print("  unused detection bit: {:.6f}\n  logits:", static_cast<double>(detection.logits[0]));
  for (std::size_t i = 1; i < detection.logits.size(); ++i) print(" {:.6g}", detection.logits[i]);
  print("\n");
}

void print_text(const std::string& picture, const Detector& detector, const Findings& found,
                const DetectArguments& arguments) {
  print("{}\n", picture);
  print("  message: {} ({} bits, {} ones)\n", found.detection.message, detector.bits(), found.detection.ones);
  if (carries_payloads(detector)) print_payload(detector, found.payload);
  if (found.match) {
    print("  matches: {} of {} bits (accuracy {:.4f}), p = {}\n", found.match->matches, found.match->bits,
          found.match->accuracy(), probability_text(found.match->log10_p_value));
    print_decision(found.match->log10_p_value, arguments.rate, "  ");
  }
  if (found.candidate) print_candidate(*found.candidate, arguments.rate);
  print_verdict(row_of(picture, found, arguments));
  if (arguments.logits) print_logits(found.detection);
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

nlohmann::ordered_json candidate_json(const CandidateMatch& candidate, double rate) {
  auto json = nlohmann::ordered_json::object();
  json["line"] = candidate.line;
  json["label"] = candidate.label;
  json["message"] = candidate.message;
  if (!candidate.also.empty()) json["also"] = nlohmann::json::array();
  for (const CandidateLine& also : candidate.also)
    json["also"].push_back({{"line", also.line}, {"label", also.label}});
  json["matches"] = candidate.match.matches;
  json["bit_accuracy"] = candidate.match.accuracy();
  json["candidates"] = candidate.candidates;
  json["p_value"] = candidate.p_value;
  json["log10_p_value"] = candidate.log10_p_value;
  if (rate > 0) json["found"] = is_found(candidate.log10_p_value, rate);
  return json;
}

void print_json(const std::string& picture, const Detector& detector, const Findings& found,
                const DetectArguments& arguments, double seconds) {
  auto json = nlohmann::ordered_json::object();
  json["picture"] = picture;
  json["message"] = found.detection.message;
  json["bits"] = detector.bits();
  json["ones"] = found.detection.ones;
  if (carries_payloads(detector)) json["payload"] = payload_json(found.payload);
  if (found.match) {
    json["matches"] = found.match->matches;
    json["bit_accuracy"] = found.match->accuracy();
    json["p_value"] = found.match->p_value;
    json["log10_p_value"] = found.match->log10_p_value;
    if (arguments.rate > 0) json["found"] = is_found(found.match->log10_p_value, arguments.rate);
  }
  if (found.candidate) json["candidate"] = candidate_json(*found.candidate, arguments.rate);
  const VerdictRow row = row_of(picture, found, arguments);
  if (row.verdict) json["verdict"] = picture_verdict_name(*row.verdict);
  if (!row.with.empty()) json["marked_with"] = row.with;
  json["unused_detection_bit"] = found.detection.logits[0];
  if (arguments.logits) json["logits"] = found.detection.logits;
  json["cache"] = cache_use_name(detector.cache_use());
  json["seconds"] = seconds;
  print_json_line(json);
}

void print_error(const std::string& picture, const Error& error, const DetectArguments& arguments) {
  if (arguments.csv) {
    print_csv_row({picture, {}, {}, {}, {}, {}, message_of(error)});
    return;
  }
  if (!arguments.json) {
    print_error_line(message_of(error));
    return;
  }
  auto line = nlohmann::ordered_json::object();
  line["picture"] = picture;
  if (arguments.rate > 0) line["verdict"] = "unreadable";
  line["error"] = {{"code", error_code_name(error.code())}, {"message", message_of(error)}};
  print_json_line(line);
}

// Wrong options are reported before the first picture is read.
void check_options(const DetectArguments& arguments, const Detector& detector) {
  if (arguments.key_given && !carries_payloads(detector)) {
    fail(ErrorCode::kUsage,
         "--key: raw bits only: '{}' has {} bits, ids and texts take 64 to 1024; use --expect or "
         "--candidates with "
         "hexadecimal messages",
         arguments.model, detector.bits());
  }
  if (arguments.rate > 0 && arguments.expect.empty() && arguments.candidates.empty() &&
      !carries_payloads(detector))
    fail(ErrorCode::kUsage, "--fpr is for --expect and --candidates: give one of them");
  if (!arguments.expect.empty())
    add_context("--expect", [&] { message_hex(arguments.expect, detector.bits(), arguments.key); });
}

// A rate that no picture can reach is not a question.
void check_rate(const DetectArguments& arguments, std::size_t bits, std::size_t messages) {
  const double least = log10_least_p_value(bits, messages);
  if (arguments.rate == 0 || is_found(least, arguments.rate)) return;
  fail(
      ErrorCode::kUsage,
      "--fpr {}: {} bits and {} candidate{} cannot go below {}; take {}a model of more bits or a higher rate",
      probability_text(std::log10(arguments.rate)), bits, messages, messages == 1 ? "" : "s",
      probability_text(least), messages == 1 ? "" : "fewer candidates, ");
}

void print_hint(const Detector& detector) {
  print("Bits alone do not tell whether a picture is marked: give the message you look for with --expect.\n");
  if (carries_payloads(detector)) return;
  print("Raw bits only: ids and texts take models of 64 to 1024 bits, this one has {}.\n", detector.bits());
}

Findings examine(Detection detection, const DetectArguments& arguments, const Detector& detector,
                 const std::optional<Candidates>& candidates) {
  Findings found;
  found.detection = std::move(detection);
  found.payload = detector.decode(found.detection, arguments.key);
  if (!arguments.expect.empty())
    found.match = detector.match(found.detection, arguments.expect, arguments.key);
  if (candidates) found.candidate = candidates->best(found.detection);
  return found;
}

void warn_if_slow(const Detector& detector, const std::string& model) {
  if (!detector.fully_delegated())
    warn("'{}': LiteRT's fast path (XNNPACK) did not take the whole graph; it may be slow", model);
}

int readers(const DetectArguments& arguments) {
  if (arguments.jobs > 0) return arguments.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - arguments.threads);
}

// One picture that cannot be read does not keep the others from it; the exit status is the first error's.
int run(const DetectArguments& arguments) {
  expect_pictures(arguments.pictures, "detect");
  ProgressLine progress;
  const Context context = program_context(progress, arguments.host);
  std::optional<PipedModel> piped;
  Detector detector(model_source(arguments.model, arguments.pictures, piped, context),
                    {context, arguments.threads});
  check_options(arguments, detector);
  const std::optional<Candidates> candidates =
      load_candidates(arguments.candidates, detector.bits(), arguments.key, context);
  if (!arguments.expect.empty()) check_rate(arguments, detector.bits(), 1);
  if (candidates) check_rate(arguments, detector.bits(), candidates->size());
  warn_if_slow(detector, arguments.model);
  int status = 0;
  bool unexplained = false;  // some picture's bits were compared with nothing
  const auto pictures = list_pictures(arguments.pictures, arguments.recursive);
  const std::vector<std::filesystem::path> files(pictures.begin(), pictures.end());
  VerdictSummary summary;
  if (arguments.csv) print_csv_head();
  const auto report = [&](const std::string& picture, PictureDetection read) {
    if (read.error) {
      print_error(picture, *read.error, arguments);
      summary.add({picture, {}, {}, {}, 0, 0, "unreadable"});
      if (status == 0) status = static_cast<int>(read.error->code());
    } else {
      const Findings found = examine(std::move(read.detection), arguments, detector, candidates);
      unexplained = unexplained || !(found.payload || found.match || found.candidate);
      summary.add(row_of(picture, found, arguments));
      if (arguments.csv) {
        print_csv_row(row_of(picture, found, arguments));
      } else if (arguments.json) {
        print_json(picture, detector, found, arguments, read.seconds);
      } else {
        print_text(picture, detector, found, arguments);
      }
    }
    std::fflush(stdout);
  };
  const bool one = files.size() == 1;
  const auto show = [&](std::size_t done) {
    progress.show(one ? "reading the picture" : "reading pictures", done, one ? 0 : files.size());
  };
  show(0);
  const auto answer = [&](std::size_t index, PictureDetection read) {
    const bool last = index + 1 == files.size();
    if (last) progress.show("", 0, 0);  // nothing comes after it
    progress.pause([&] { report(shown_picture(pictures[index]), std::move(read)); });
    if (!last) show(index + 1);
  };
  detect_files(detector, files, readers(arguments), answer, arguments.read);
  if (arguments.rate > 0 && (arguments.csv || files.size() > 1)) {
    const std::string line = summary.line(arguments.rate);
    if (arguments.csv || arguments.json) {
      print_lines_to_stderr(line + "\n");  // the other stream is a table's alone
    } else {
      print("{}\n", line);
    }
  }
  if (unexplained && !arguments.json && !arguments.csv) print_hint(detector);
  return status;
}

}  // namespace

Run add_detect(CLI::App& app) {
  auto arguments = std::make_shared<DetectArguments>();
  CLI::App& command = *app.add_subcommand("detect", "Read the watermark's bits in pictures");
  command
      .add_option("model,--tflite_model", arguments->model,
                  "A detector's .tflite file, or - for the standard input")
      ->required();
  command.add_option(
      "pictures,--image_path", arguments->pictures,
      "Pictures, at least one: files of any size (JPEG, PNG, WebP, AVIF, TIFF, GIF, PPM, JPEG XL, "
      "JPEG 2000), folders of them, or - for the standard input");
  command.add_option("--threads", arguments->threads, "Threads for inference")
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
  command
      .add_option(
          "--fpr", arguments->rate,
          "Wanted false-positive rate of --expect and --candidates: each picture is said to carry the "
          "message or not, and a rate that the bits cannot reach is refused")
      ->check(CLI::Range(1e-300, 1.0))
      ->option_text("P");
  add_litert_option(command, arguments->host);
  add_pixel_limit(command, arguments->read.max_pixels);
  add_cache_option(command, arguments->host);
  command.add_flag(
      "--logits", arguments->logits,
      "Show the logits too, and the first output, the detection bit that training leaves unused");
  command.add_flag("--json", arguments->json, "Print one line of JSON for each picture, errors included");
  command.add_flag("--csv", arguments->csv, "Print a table: one line for each picture, errors included")
      ->excludes("--json");
  command.add_flag("-r,--recursive", arguments->recursive, "Look into the folders inside folders too");
  command.footer(
      "With --fpr each picture has a verdict (docs/false-positives.md): marked, not marked, cannot tell,\n"
      "unreadable; a line at the end counts them.\n"
      "p is the probability that an unmarked picture agrees at least as well by chance (one-sided "
      "binomial),\ntimes the number of candidates if there are several. Models of 64 to 1024 bits carry ids "
      "and "
      "texts\n(docs/payload.md); others raw bits only.\n"
      "Examples:\n"
      "  sealite detect demo.tflite photo.png --expect 5c1f93a0\n"
      "  sealite detect chunkyseal.tflite *.jpg --threads 2 --json > results.jsonl\n"
      "  sealite detect pixelseal.tflite photo.jpg --key 'my key' --expect id:1234\n"
      "  sealite detect pixelseal.tflite photos -r --candidates customers.txt --fpr 1e-9 --csv > table.csv");
  return [arguments, key] {
    arguments->key_given = key->count() != 0;
    return run(*arguments);
  };
}

}  // namespace sealite::cli
