#pragma once

#include <string>

namespace sealite::runtime {

/// Text that differs where XNNPACK may choose other kernels: the processor's model and what it can do; the
/// same on all its cores. Empty if it cannot be told.
std::string processor_identity();

/// The hash of the shared library that `function` is in, as it lies in memory, so that it is that of the code
/// which runs and not of a file that has replaced it. Empty if it cannot be told.
std::string library_identity(const void* function);

}  // namespace sealite::runtime
