// Linked into every test program: neither it nor what it starts reads or writes the user's weight cache.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "base/scratch_folder.h"

namespace sealite {
namespace {

class OwnCache : public ::testing::Environment {
 public:
  void SetUp() override {
    folder_.emplace();
    ::setenv("SEALITE_CACHE_DIR", folder_->path().c_str(), 1);
    ::unsetenv("SEALITE_CACHE_SIZE");
  }
  void TearDown() override { folder_.reset(); }

 private:
  std::optional<ScratchFolder> folder_;
};

// GoogleTest owns it.
const ::testing::Environment* const kOwnCache = ::testing::AddGlobalTestEnvironment(new OwnCache);

}  // namespace
}  // namespace sealite
