#pragma once

// SEALITE_SANITIZED is defined where a sanitizer has an allocator of its own, which nothing may stand in for.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEALITE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SEALITE_SANITIZED
#endif
#endif
