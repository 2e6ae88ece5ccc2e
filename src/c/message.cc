#include "sealite/message.h"

#include <optional>
#include <vector>

#include "c/guard.h"
#include "c/handles.h"
#include "c/model.h"
#include "watermark/decide.h"
#include "watermark/message.h"
#include "watermark/payload.h"

namespace sealite::c {
namespace {

// Far above any model's; a wrong number must not take memory.
constexpr std::size_t kMostBits = 65536;

std::size_t checked_bits(std::size_t bits) {
  if (bits < 1 || bits > kMostBits)
    fail(ErrorCode::kUsage, "'bits' is {}, expected 1 to {}", bits, kMostBits);
  return bits;
}

std::span<const float> logits_of(const float* logits, std::size_t count) {
  require(logits, "logits");
  checked_bits(count == 0 ? 0 : count - 1);
  return {logits, count};
}

std::vector<float> copy_of(const float* logits, std::size_t count) {
  const auto given = logits_of(logits, count);
  return {given.begin(), given.end()};
}

void decode(std::span<const float> logits, const std::string& key, sealite_payload* payload) {
  sealite_payload own = known(payload, "payload");
  own.kind = SEALITE_PAYLOAD_NONE;
  own.version = 0;
  own.id = 0;
  own.text_size = 0;
  own.corrected_bits = 0;
  own.false_positive = 1;
  own.log10_false_positive = 0;
  const auto found = watermark::PayloadCodec(logits.size() - 1, key).decode(logits);
  if (!found) return put_known(own, payload);
  const bool text = found->kind == PayloadKind::kText;
  own.kind = text ? SEALITE_PAYLOAD_TEXT : SEALITE_PAYLOAD_ID;
  own.version = found->version;
  own.id = found->id;
  own.text_size = text ? found->text.size() + 1 : 0;
  own.corrected_bits = found->corrected_bits;
  own.false_positive = found->false_positive;
  own.log10_false_positive = found->log10_false_positive;
  put_known(own, payload);
  if (text) put_text(found->text, own.text, own.text_capacity, "text");
}

void match(std::span<const float> logits, const std::string& expected, const std::string& key,
           sealite_message_match* match) {
  sealite_message_match own = known(match, "match");
  const watermark::PayloadCodec codec(logits.size() - 1, key);
  const MessageMatch found =
      watermark::compare(watermark::bits_from_logits(logits), watermark::parse_message(expected, codec));
  own.matches = found.matches;
  own.bits = found.bits;
  own.p_value = found.p_value;
  own.log10_p_value = found.log10_p_value;
  put_known(own, match);
}

void find_best(const sealite_candidates& list, std::vector<float> logits, sealite_candidate* best) {
  sealite_candidate own = known(best, "best");
  if (logits.size() != list.bits + 1) {
    fail(ErrorCode::kUsage, "{} logits, expected {}: the candidates have {} bits", logits.size(),
         list.bits + 1, list.bits);
  }
  Detection detection;
  detection.logits = std::move(logits);
  const CandidateMatch found = list.candidates.best(detection);
  own.message_size = found.message.size() + 1;
  own.label_size = found.label.size() + 1;
  own.line = found.line;
  own.candidates = found.candidates;
  own.matches = found.match.matches;
  own.bits = found.match.bits;
  own.p_value = found.p_value;
  own.log10_p_value = found.log10_p_value;
  put_known(own, best);
  is_wanted(own.label, own.label_capacity, own.label_size, "label");  // both are written or none
  put_text(found.message, own.message, own.message_capacity, "message");
  put_text(found.label, own.label, own.label_capacity, "label");
}

}  // namespace
}  // namespace sealite::c

using namespace sealite::c;

int sealite_message_hex(const char* words, size_t bits, const char* key, char* buffer, size_t capacity,
                        size_t* needed) {
  return guarded([&] {
    const std::string hex =
        sealite::message_hex(required_text(words, "words"), checked_bits(bits), text_of(key));
    put_text(hex, buffer, capacity, needed);
  });
}

int sealite_random_message_hex(size_t bits, char* buffer, size_t capacity, size_t* needed) {
  return guarded(
      [&] { put_text(sealite::random_message_hex(checked_bits(bits)), buffer, capacity, needed); });
}

int sealite_payload_capacity(size_t bits, size_t* id_bits, size_t* text_bytes) {
  return guarded([&] {
    require(id_bits, "id_bits");
    require(text_bytes, "text_bytes");
    const sealite::PayloadCapacity capacity = sealite::payload_capacity(bits);
    *id_bits = capacity.id_bits;
    *text_bytes = capacity.text_bytes;
  });
}

int sealite_payload_decode(const float* logits, size_t count, const char* key, sealite_payload* payload) {
  return guarded([&] { decode(logits_of(logits, count), text_of(key), payload); });
}

int sealite_match(const float* logits, size_t count, const char* expected, const char* key,
                  sealite_message_match* match) {
  return guarded([&] {
    sealite::c::match(logits_of(logits, count), required_text(expected, "expected"), text_of(key), match);
  });
}

int sealite_candidates_open(const sealite_context* context, const char* path, size_t bits, const char* key,
                            sealite_candidates** candidates) {
  return guarded([&] {
    open_handle(candidates, "candidates", [&] {
      const sealite::Context own = context_of(context);
      return sealite_candidates{
          bits, sealite::Candidates(required_text(path, "path"), checked_bits(bits), text_of(key), own)};
    });
  });
}

void sealite_candidates_close(sealite_candidates* candidates) {
  close_handle(candidates);
}

int sealite_candidates_best(const sealite_candidates* candidates, const float* logits, size_t count,
                            sealite_candidate* best) {
  return guarded([&] {
    require(candidates, "candidates");
    find_best(*candidates, copy_of(logits, count), best);
  });
}
