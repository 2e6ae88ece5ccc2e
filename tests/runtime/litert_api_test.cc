#include "runtime/litert_api.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "litert_library.h"

namespace sealite::runtime {
namespace {

std::string load_error(const std::filesystem::path& library) {
  try {
    LiteRtApi::load(library);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
  return "no error";
}

TEST(LiteRtApi, LoadsTheLibrary) {
  const auto api = LiteRtApi::load(litert_library());
  EXPECT_EQ(api->path, litert_library());
  EXPECT_NE(api->create_model_from_fd, nullptr);
  EXPECT_NE(api->run_compiled_model, nullptr);
}

TEST(LiteRtApi, MissingFileIsNamedWithTheRemedy) {
  const std::string text = load_error("/nowhere/libLiteRt.so");
  EXPECT_NE(text.find("/nowhere/libLiteRt.so"), std::string::npos) << text;
  EXPECT_NE(text.find("make setup"), std::string::npos) << text;
  EXPECT_NE(text.find("SEALITE_LITERT"), std::string::npos) << text;
}

TEST(LiteRtApi, LibraryWithoutTheSymbolsIsRefused) {
  const std::string text = load_error("libm.so.6");
  EXPECT_NE(text.find("libm.so.6"), std::string::npos) << text;
  EXPECT_NE(text.find("LiteRtCreateEnvironment"), std::string::npos) << text;
  EXPECT_NE(text.find("ai-edge-litert"), std::string::npos) << text;
}

TEST(LiteRtApi, FileThatIsNoLibraryIsRefused) {
  EXPECT_NE(load_error(SEALITE_SOURCE_DIR "/CMakeLists.txt").find("CMakeLists.txt"), std::string::npos);
}

TEST(LiteRtApi, EnvironmentVariableNamesTheLibrary) {
  const char* before = std::getenv("SEALITE_LITERT");
  const std::string saved = before != nullptr ? before : "";
  setenv("SEALITE_LITERT", "/elsewhere/libLiteRt.so", 1);
  const std::string text = load_error({});
  if (before != nullptr) {
    setenv("SEALITE_LITERT", saved.c_str(), 1);
  } else {
    unsetenv("SEALITE_LITERT");
  }
  EXPECT_NE(text.find("/elsewhere/libLiteRt.so"), std::string::npos) << text;
}

TEST(LiteRtApi, StatusNames) {
  EXPECT_EQ(status_name(0), "ok");
  EXPECT_EQ(status_name(501), "invalid flatbuffer");
  EXPECT_EQ(status_name(-7), "unnamed status");
}

}  // namespace
}  // namespace sealite::runtime
