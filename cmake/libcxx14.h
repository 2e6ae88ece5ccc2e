#pragma once

// What the run half uses of C++20 that libc++ 14 lacks: that is the library of Debian's emscripten. Every other build
// has these from its own library. It is included before anything else (cmake/emscripten.cmake).
#include <version>
#if defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 15000
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

// NOLINTBEGIN(cert-dcl58-cpp): the names are the standard's own.
namespace std {

template <class To, class From>
  requires(sizeof(To) == sizeof(From))
To bit_cast(const From& from) noexcept {
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
}

namespace ranges {

template <class Range, class Value, class Projection = identity>
auto find(Range&& range, const Value& value, Projection projection = {}) {
  return std::find_if(std::begin(range), std::end(range),
                      [&](auto&& item) { return invoke(projection, item) == value; });
}

template <class Range, class Predicate, class Projection = identity>
auto find_if(Range&& range, Predicate predicate, Projection projection = {}) {
  return std::find_if(std::begin(range), std::end(range),
                      [&](auto&& item) { return invoke(predicate, invoke(projection, item)); });
}

template <class Range, class Predicate, class Projection = identity>
bool any_of(Range&& range, Predicate predicate, Projection projection = {}) {
  return ranges::find_if(range, predicate, projection) != std::end(range);
}

template <class Range, class Predicate, class Projection = identity>
bool all_of(Range&& range, Predicate predicate, Projection projection = {}) {
  return std::all_of(std::begin(range), std::end(range),
                     [&](auto&& item) { return invoke(predicate, invoke(projection, item)); });
}

template <class Range, class Value, class Projection = identity>
auto count(Range&& range, const Value& value, Projection projection = {}) {
  return std::count_if(std::begin(range), std::end(range),
                       [&](auto&& item) { return invoke(projection, item) == value; });
}

template <class Range, class Predicate, class Projection = identity>
auto count_if(Range&& range, Predicate predicate, Projection projection = {}) {
  return std::count_if(std::begin(range), std::end(range),
                       [&](auto&& item) { return invoke(predicate, invoke(projection, item)); });
}

template <class Range, class Value>
void fill(Range&& range, const Value& value) {
  std::fill(std::begin(range), std::end(range), value);
}

template <class Range, class Value>
void replace(Range&& range, const Value& old_value, const Value& new_value) {
  std::replace(std::begin(range), std::end(range), old_value, new_value);
}

template <class Range, class Output>
auto copy(Range&& range, Output output) {
  return std::copy(std::begin(range), std::end(range), output);
}

template <class Range, class Output, class Function>
auto transform(Range&& range, Output output, Function function) {
  return std::transform(std::begin(range), std::end(range), output, function);
}

template <class First, class Second, class Output, class Function>
auto transform(First&& first, Second&& second, Output output, Function function) {
  return std::transform(std::begin(first), std::end(first), std::begin(second), output, function);
}

template <class First, class Second, class Predicate = equal_to>
bool equal(First&& first, Second&& second, Predicate predicate = {}) {
  return std::equal(std::begin(first), std::end(first), std::begin(second), std::end(second), predicate);
}

template <class First, class Second>
auto mismatch(First&& first, Second&& second) {
  struct Result {
    decltype(std::begin(first)) in1;
    decltype(std::begin(second)) in2;
  };
  const auto [in1, in2] =
      std::mismatch(std::begin(first), std::end(first), std::begin(second), std::end(second));
  return Result{in1, in2};
}

template <class Compare, class Projection>
auto projected_less(Compare& compare, Projection& projection) {
  return [&](auto&& a, auto&& b) { return invoke(compare, invoke(projection, a), invoke(projection, b)); };
}

template <class Range, class Compare = less, class Projection = identity>
void sort(Range&& range, Compare compare = {}, Projection projection = {}) {
  std::sort(std::begin(range), std::end(range), projected_less(compare, projection));
}

template <class Range, class Compare = less, class Projection = identity>
void stable_sort(Range&& range, Compare compare = {}, Projection projection = {}) {
  std::stable_sort(std::begin(range), std::end(range), projected_less(compare, projection));
}

template <class Range, class Iterator>
void nth_element(Range&& range, Iterator nth) {
  std::nth_element(std::begin(range), nth, std::end(range));
}

template <class Range>
auto min(Range&& range) {
  return *std::min_element(std::begin(range), std::end(range));
}

template <class Range, class Compare = less, class Projection = identity>
auto max_element(Range&& range, Compare compare = {}, Projection projection = {}) {
  return std::max_element(std::begin(range), std::end(range), projected_less(compare, projection));
}

template <class Range, class Compare = less, class Projection = identity>
auto min_element(Range&& range, Compare compare = {}, Projection projection = {}) {
  return std::min_element(std::begin(range), std::end(range), projected_less(compare, projection));
}

template <class Range, class Predicate = equal_to>
auto adjacent_find(Range&& range, Predicate predicate = {}) {
  return std::adjacent_find(std::begin(range), std::end(range), predicate);
}

template <class Range, class Predicate = equal_to>
auto unique(Range&& range, Predicate predicate = {}) {
  return ranges::subrange(std::unique(std::begin(range), std::end(range), predicate), std::end(range));
}

}  // namespace ranges

class stop_token {
 public:
  explicit stop_token(shared_ptr<atomic<bool>> stopped) : stopped_(std::move(stopped)) {}
  bool stop_requested() const { return *stopped_; }

 private:
  shared_ptr<atomic<bool>> stopped_;
};

class jthread {
 public:
  jthread() = default;
  template <class Function, class... Arguments>
  explicit jthread(Function&& function, Arguments&&... arguments) {
    if constexpr (is_invocable_v<Function, stop_token, Arguments...>)
      thread_ = thread(std::forward<Function>(function), stop_token(stopped_), std::forward<Arguments>(arguments)...);
    else
      thread_ = thread(std::forward<Function>(function), std::forward<Arguments>(arguments)...);
  }
  jthread(jthread&&) = default;
  jthread& operator=(jthread&& other) noexcept {
    end();
    thread_ = std::move(other.thread_);
    stopped_ = std::move(other.stopped_);
    return *this;
  }
  ~jthread() { end(); }
  bool joinable() const { return thread_.joinable(); }
  void join() { thread_.join(); }
  void request_stop() { *stopped_ = true; }

 private:
  void end() {
    if (!thread_.joinable()) return;
    request_stop();
    thread_.join();
  }

  shared_ptr<atomic<bool>> stopped_ = make_shared<atomic<bool>>(false);
  thread thread_;
};

}  // namespace std
// NOLINTEND(cert-dcl58-cpp)
#endif
