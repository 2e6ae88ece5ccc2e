#include "bindings/host.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include "sealite/error.h"
#include "sealite/weight_cache.h"

namespace sealite::python {
namespace {

std::int64_t milliseconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

nb::str text_of(std::string_view text) {
  return nb::steal<nb::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

Host::Host(int threads, std::filesystem::path cache_folder, std::filesystem::path litert, nb::object progress,
           nb::object log)
    : threads_(threads),
      cache_folder_(std::move(cache_folder)),
      litert_(std::move(litert)),
      progress_(std::move(progress)),
      log_(std::move(log)) {}

Context Host::context() {
  Context context;
  context.threads = threads_;
  context.cache_folder = cache_folder_;
  context.litert_library = litert_;
  context.cancelled = [this] { return is_cancelled(); };
  context.log = [this](LogLevel level, std::string_view line) {
    const nb::gil_scoped_acquire held;
    try {
      log_(level == LogLevel::kWarning, text_of(line));
    } catch (nb::python_error&) {
      keep_failure();
    }
  };
  if (progress_.is_none()) return context;
  context.progress = [this](std::string_view step, std::uint64_t done, std::uint64_t total) {
    const nb::gil_scoped_acquire held;
    try {
      progress_(text_of(step), done, total);
    } catch (nb::python_error&) {
      keep_failure();
    }
  };
  return context;
}

// Another thread's call may take long, and Ctrl-C shall not wait for it.
Host::Turn::Turn(Host& host) : host_(host) {
  constexpr std::chrono::milliseconds kLook(50);
  while (!host.turn_.try_lock_for(kLook)) {
    const nb::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }
  host.caller_ = std::this_thread::get_id();
  host.failed_ = false;
  const std::lock_guard lock(host.failure_mutex_);
  host.failure_ = nullptr;
}

bool Host::is_cancelled() {
  return failed_ || is_signalled();
}

// Python runs its handlers of signals in its main thread alone: a call from there is asked, some fifty times
// a second, since asking takes Python's lock.
bool Host::is_signalled() {
  constexpr std::int64_t kBetweenLooks = 20;
  if (std::this_thread::get_id() != caller_) return false;
  const std::int64_t now = milliseconds_now();
  if (now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  const nb::gil_scoped_acquire held;
  if (PyErr_CheckSignals() == 0) return false;
  try {
    throw nb::python_error();
  } catch (nb::python_error&) {
    keep_failure();
  }
  return true;
}

void Host::keep_failure() {
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = std::current_exception();
  failed_ = true;
}

void Host::throw_first(const std::exception_ptr& error) {
  std::exception_ptr first;
  {
    const std::lock_guard lock(failure_mutex_);
    first = std::exchange(failure_, nullptr);
  }
  std::rethrow_exception(first ? first : error);
}

void bind_host(nb::module_& module) {
  nb::class_<Host>(module, "Host")
      .def(nb::init<int, std::filesystem::path, std::filesystem::path, nb::object, nb::object>(),
           nb::arg("threads"), nb::arg("cache_folder"), nb::arg("litert"), nb::arg("progress").none(),
           nb::arg("log"));
  module.def("user_cache_folder", &user_cache_folder);
}

}  // namespace sealite::python
