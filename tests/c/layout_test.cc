#include <gtest/gtest.h>

#include "c/c99.h"
#include "sealite/error.h"
#include "sealite/sealite.h"

namespace sealite {
namespace {

// The ABI of libsealite.so.0 on 64-bit machines. A size that grows is a field at the end (docs/c-api.md):
// then the old size has to be accepted as well (src/c/structs.h). Any other change is libsealite.so.1.
static_assert(sizeof(void*) != 8 || sizeof(sealite_context_options) == 64);
static_assert(sizeof(void*) != 8 || sizeof(sealite_pixels) == 88);
static_assert(sizeof(void*) != 8 || sizeof(sealite_mutable_pixels) == sizeof(sealite_pixels));
static_assert(sizeof(void*) != 8 || sizeof(sealite_model_options) == 16);
static_assert(sizeof(void*) != 8 || sizeof(sealite_model_info) == 32);
static_assert(sizeof(void*) != 8 || sizeof(sealite_detection) == 64);
static_assert(sizeof(void*) != 8 || sizeof(sealite_payload) == 72);
static_assert(sizeof(void*) != 8 || sizeof(sealite_message_match) == 40);
static_assert(sizeof(void*) != 8 || sizeof(sealite_candidate) == 104);
static_assert(sizeof(void*) != 8 || sizeof(sealite_embed_options) == 24);
static_assert(sizeof(void*) != 8 || sizeof(sealite_embed_report) == 24);
static_assert(sizeof(void*) != 8 || sizeof(sealite_convert_options) == 104);
static_assert(sizeof(void*) != 8 || sizeof(sealite_verify_options) == 72);

// One number for one reason, in both languages.
static_assert(static_cast<int>(ErrorCode::kUsage) == SEALITE_USAGE);
static_assert(static_cast<int>(ErrorCode::kMalformed) == SEALITE_MALFORMED);
static_assert(static_cast<int>(ErrorCode::kNotFound) == SEALITE_NOT_FOUND);
static_assert(static_cast<int>(ErrorCode::kUnsupported) == SEALITE_UNSUPPORTED);
static_assert(static_cast<int>(ErrorCode::kInternal) == SEALITE_INTERNAL);
static_assert(static_cast<int>(ErrorCode::kNoMemory) == SEALITE_NO_MEMORY);
static_assert(static_cast<int>(ErrorCode::kIo) == SEALITE_IO);
static_assert(static_cast<int>(ErrorCode::kTimeout) == SEALITE_TIMEOUT);
static_assert(static_cast<int>(ErrorCode::kMismatch) == SEALITE_MISMATCH);
static_assert(static_cast<int>(ErrorCode::kInterrupted) == SEALITE_INTERRUPTED);

TEST(CLayout, TheHeaderIsC) {
  EXPECT_EQ(context_in_c(), SEALITE_OK);
}

TEST(CLayout, VersionAndNamesOfErrors) {
  EXPECT_STREQ(sealite_version(), SEALITE_TEST_VERSION);
  EXPECT_STREQ(sealite_error_name(SEALITE_OK), "ok");
  EXPECT_STREQ(sealite_error_name(SEALITE_NOT_FOUND), "not_found");
  EXPECT_STREQ(sealite_error_name(SEALITE_INTERRUPTED), "interrupted");
  EXPECT_STREQ(sealite_error_name(1), "unknown");
  EXPECT_STREQ(sealite_error_name(-7), "unknown");
}

TEST(CLayout, ClosingNothingIsHarmless) {
  sealite_context_close(nullptr);
  sealite_detector_close(nullptr);
  sealite_embedder_close(nullptr);
  sealite_candidates_close(nullptr);
  sealite_report_close(nullptr);
}

}  // namespace
}  // namespace sealite
