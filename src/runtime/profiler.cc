#include "runtime/profiler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace sealite::runtime {
namespace {

/// LiteRT's ProfiledEventData (litert/c/litert_profiler_event.h). That header's C form of the memory usage
/// has 16 bytes; in the library it has 24, which nothing here reads.
struct Event {
  const char* tag;
  std::uint32_t type;
  std::uint64_t start_us;
  std::uint64_t elapsed_us;
  std::byte memory_usage[48];
  std::uint64_t metadata[2];
  std::uint32_t source;
};
static_assert(sizeof(void*) != 8 || (sizeof(Event) == 104 && offsetof(Event, source) == 96));

// Bits of Event::type.
constexpr std::uint32_t kOperator = 1U << 1U;          // of the interpreter, whole delegates among them
constexpr std::uint32_t kDelegateOperator = 3U << 2U;  // inside a delegate

constexpr std::string_view kDelegate = "TfLiteXNNPackDelegate";

constexpr std::size_t kRoom = 256;  // for each event, should a later LiteRT's be larger
constexpr std::byte kUnwritten{0xA5};

/// The header is not in the wheel, so the events' size is not taken on trust: it follows from how far LiteRT
/// wrote. (The last bytes of an event are padding.)
void check_layout(const std::vector<std::byte>& buffer, std::size_t count) {
  const auto last = std::find_if(buffer.rbegin(), buffer.rend(), [](std::byte b) { return b != kUnwritten; });
  const auto written = static_cast<std::size_t>(buffer.rend() - last);
  if (written > count * sizeof(Event) - sizeof(Event) + offsetof(Event, source) &&
      written <= count * sizeof(Event)) {
    return;
  }
  fail(ErrorCode::kUnsupported, "this LiteRT's profiler writes {} bytes for {} events, not {} for each",
       written, count, sizeof(Event));
}

}  // namespace

Profiler::Profiler(const LiteRtApi& api, LiteRtCompiledModel model) : api_(api) {
  if (api.get_profiler == nullptr || api.start_profiler == nullptr || api.stop_profiler == nullptr ||
      api.reset_profiler == nullptr || api.get_num_profiler_events == nullptr ||
      api.get_profiler_events == nullptr) {
    fail(ErrorCode::kUnsupported, "the LiteRT library {} has no profiler", api.path.string());
  }
  if (api.get_profiler(model, &profiler_) != 0 || profiler_ == nullptr)
    fail(ErrorCode::kUnsupported, "LiteRT has no profiler for this model");
  if (api.reset_profiler(profiler_) != 0 || api.start_profiler(profiler_) != 0)
    fail(ErrorCode::kUnsupported, "LiteRT's profiler does not start");
}

std::vector<OperatorTime> Profiler::stop() {
  int count = 0;
  if (api_.stop_profiler(profiler_) != 0 || api_.get_num_profiler_events(profiler_, &count) != 0 || count < 0)
    fail(ErrorCode::kUnsupported, "LiteRT's profiler has no events");
  if (count == 0) return {};
  const auto events = static_cast<std::size_t>(count);
  std::vector<std::byte> buffer(events * kRoom, kUnwritten);
  if (api_.get_profiler_events(profiler_, count, buffer.data()) != 0)
    fail(ErrorCode::kUnsupported, "LiteRT's profiler does not give its events");
  check_layout(buffer, events);
  std::vector<OperatorTime> times;
  for (std::size_t i = 0; i < events; ++i) {
    Event event{};
    std::memcpy(&event, buffer.data() + i * sizeof(Event), sizeof(Event));
    const bool inside = (event.type & kDelegateOperator) != 0;
    const std::string_view tag = event.tag == nullptr ? "?" : event.tag;
    // A delegate's own event is the sum of those inside it.
    if (!inside && ((event.type & kOperator) == 0 || tag == kDelegate)) continue;
    times.push_back({std::string(tag), 1e-6 * static_cast<double>(event.elapsed_us)});
  }
  return times;
}

}  // namespace sealite::runtime
