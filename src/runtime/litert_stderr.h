#pragma once

namespace sealite::runtime {

/// LiteRT prints to C's `stderr` ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.", for every model)
/// from a logger that its C API cannot silence. This points that library's own reference to `stderr` at a
/// stream of ours, which hands each line to the log of the call's host (base/context.h) and passes on what is
/// printed outside of Sealite's calls; nobody else's stderr changes. `handle` is the library's, from dlopen.
/// Where the reference is not found (another C library than glibc), the lines stay where they are.
void redirect_litert_stderr(void* handle);

}  // namespace sealite::runtime
