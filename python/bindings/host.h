#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "sealite/context.h"

namespace sealite::python {

namespace nb = nanobind;

/// UTF-8; what is none of it becomes U+FFFD.
nb::str text_of(std::string_view text);

/// Python as the host of Sealite's calls: who computes gives the lock on Python's objects up; Ctrl-C, and an
/// exception of a callback, end the computation.
class Host {
 public:
  /// `progress` (step, done, total) may be None; `log` gets (warning, line).
  Host(int threads, std::filesystem::path cache_folder, std::filesystem::path litert, nb::object progress,
       nb::object log);

  /// For what computes; it refers to this object.
  Context context();

  /// Runs `body` without Python's lock, one call after the other. Throws what it throws, or what a callback
  /// or a signal handler of Python threw meanwhile.
  template <typename Body>
  auto run(Body&& body) {
    using Result = std::invoke_result_t<Body>;
    std::exception_ptr error;
    std::conditional_t<std::is_void_v<Result>, std::optional<bool>, std::optional<Result>> result;
    {
      const nb::gil_scoped_release released;
      try {
        const Turn turn(*this);
        if constexpr (std::is_void_v<Result>) {
          body();
          result = true;
        } else {
          result.emplace(body());
        }
      } catch (...) {
        error = std::current_exception();
      }
    }
    if (error) throw_first(error);
    if constexpr (!std::is_void_v<Result>) return std::move(*result);
  }

 private:
  class Turn {
   public:
    explicit Turn(Host& host);
    ~Turn() { host_.turn_.unlock(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Host& host_;
  };

  bool is_cancelled();
  bool is_signalled();
  void keep_failure();
  [[noreturn]] void throw_first(const std::exception_ptr& error);

  int threads_;
  std::filesystem::path cache_folder_;
  std::filesystem::path litert_;
  nb::object progress_;
  nb::object log_;

  std::timed_mutex turn_;
  std::thread::id caller_;
  std::atomic<std::int64_t> next_look_{0};
  std::atomic<bool> failed_{false};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

void bind_host(nb::module_& module);
void bind_detector(nb::module_& module);
void bind_embedder(nb::module_& module);
void bind_pictures(nb::module_& module);
void bind_make(nb::module_& module);
void bind_verify(nb::module_& module);
void bind_inspect(nb::module_& module);
void bind_bench(nb::module_& module);

}  // namespace sealite::python
