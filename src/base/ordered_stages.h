#pragma once

#include <cstddef>
#include <functional>

namespace sealite {

/// What is done to every item, one stage after the other. `place` is the item's own of `places` many: what it
/// leaves there for the next stage is nobody else's until its last stage is over.
struct OrderedStages {
  using Stage = std::function<void(std::size_t item, std::size_t place)>;
  Stage prepare;  ///< Several items at once.
  Stage run;      ///< One item at a time, in order, while others are prepared or given.
  Stage give;     ///< The same.
};

/// How many items are on their way at most with so many threads.
constexpr std::size_t stage_places(std::size_t threads) {
  return threads + 1;
}

/// Takes the items 0 to `count` - 1 through the stages on `threads` threads, this one among them. The first
/// exception stops the rest and is rethrown here. Throws kInterrupted soon after the host cancels
/// (base/context.h).
void run_ordered(std::size_t count, std::size_t threads, const OrderedStages& stages);

}  // namespace sealite
