#include "base/progress.h"

namespace sealite {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(50);

}  // namespace

Progress::Progress(std::string_view step, std::uint64_t total)
    : context_(current_context()), step_(step), total_(total), told_(Clock::now()) {
  if (context_.progress) context_.progress(step_, 0, total_);
}

Progress::~Progress() {
  if (context_.progress) context_.progress("", total_, total_);
}

void Progress::advance(std::uint64_t amount) {
  const std::uint64_t done = done_ += amount;
  if (!context_.progress) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || Clock::now() - told_ < kEvery) return;
  told_ = Clock::now();
  context_.progress(step_, done, total_);
}

}  // namespace sealite
