#include "bindings/module.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <new>
#include <string>

#include "bindings/host.h"
#include "sealite/version.h"

namespace sealite::python {
namespace {

void raise(const Error& error) {
  const nb::object exception = as_exception(error);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
}

void translate(const std::exception_ptr& thrown, void* /*unused*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) {
    raise(Error(ErrorCode::kNoMemory, "not enough memory"));
  }
}

}  // namespace

nb::object as_exception(const Error& error) {
  const nb::object type = nb::module_::import_("sealite._errors").attr("Error");
  return type(static_cast<int>(error.code()), text_of(error.what()));
}

}  // namespace sealite::python

NB_MODULE(_native, module) {
  namespace own = sealite::python;
  own::nb::register_exception_translator(own::translate);
  own::nb::set_leak_warnings(false);  // what Python still has at its end is no defect of ours
  module.attr("VERSION") = std::string(sealite::version());
  own::bind_host(module);
  own::bind_pictures(module);
  own::bind_detector(module);
  own::bind_embedder(module);
  own::bind_make(module);
  own::bind_verify(module);
  own::bind_inspect(module);
  own::bind_bench(module);
}
