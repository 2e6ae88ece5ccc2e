#include "base/helper_threads.h"

#include <exception>
#include <thread>
#include <vector>

#include "base/context.h"

namespace sealite {

void run_on_threads(std::size_t threads, const std::function<void()>& work) {
  const Context& context = current_context();
  const auto help = [&] {
    const InContext scope(context);
    work();
  };
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(help);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the threads that there are do it all
  }
  work();
}

}  // namespace sealite
