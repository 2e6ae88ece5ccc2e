#include "base/progress.h"

namespace sealite {
namespace {

constexpr double kEvery = 0.05;  // seconds

}  // namespace

Progress::Progress(std::string_view step, std::uint64_t total)
    : context_(current_context()), step_(step), total_(total) {
  if (context_.progress) context_.progress(step_, 0, total_);
}

Progress::~Progress() {
  if (context_.progress) context_.progress("", total_, total_);
}

void Progress::advance(std::uint64_t amount) {
  const std::uint64_t done = done_ += amount;
  if (!context_.progress) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || since_told_.seconds() < kEvery) return;
  since_told_ = {};
  context_.progress(step_, done, total_);
}

}  // namespace sealite
