// Where LiteRT is looked for, if nobody says: never where somebody else may have put it.
#include "e2e/demo_model.h"

namespace sealite {
namespace {

using std::filesystem::perms;

class LiteRtSearch : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(folder_ / "demo.tflite")); }

  // A copy of the program at `program`, and something that is no library at `library`, which shows by its
  // error whether it was loaded.
  void lay_out(const std::string& program, const std::string& library) const {
    for (const std::string& path : {program, library}) {
      std::filesystem::create_directories((folder_ / path).parent_path());
      std::filesystem::permissions((folder_ / path).parent_path(), perms::owner_all);
    }
    std::filesystem::copy_file(SEALITE_BINARY, folder_ / program);
    write_text(folder_ / library, "no library");
  }
  std::string error_of(const std::string& program) const {
    const Outcome outcome = Process({"env", "-u", "SEALITE_LITERT", folder_ / program, "detect",
                                     folder_ / "demo.tflite", asset("coffee.png")})
                                .wait();
    EXPECT_EQ(outcome.signal, 0);
    if (outcome.status == 0) return "";  // the system has one
    expect_refusal(outcome, ErrorCode::kUnsupported, {"LiteRT library"});
    return outcome.err;
  }
  bool loads(const std::string& program, const std::string& library) const {
    return error_of(program).find("LiteRT library " + (folder_ / library).string()) != std::string::npos;
  }
  void write_cmake_cache(const std::string& folder, const std::string& says) const {
    write_text(folder_ / folder / "CMakeCache.txt",
               "# This is the CMakeCache file.\nCMAKE_PROJECT_NAME:STATIC=Sealite\n\n"
               "CMAKE_CACHEFILE_DIR:INTERNAL=" +
                   says + "\n");
  }

  ScratchFolder folder_;
};

TEST_F(LiteRtSearch, TwoFoldersUpOnlyInABuildTreeOfItsOwn) {
  lay_out("release/bin/sealite", "litert/libLiteRt.so");
  EXPECT_FALSE(loads("release/bin/sealite", "litert/libLiteRt.so"));
  write_cmake_cache("release", "/somewhere/else");
  EXPECT_FALSE(loads("release/bin/sealite", "litert/libLiteRt.so")) << "a copied folder";
  const std::string here = std::filesystem::canonical(folder_ / "release");
  write_text(folder_ / "release/CMakeCache.txt",
             "CMAKE_PROJECT_NAME:STATIC=Other\nCMAKE_CACHEFILE_DIR:INTERNAL=" + here + "\n");
  EXPECT_FALSE(loads("release/bin/sealite", "litert/libLiteRt.so")) << "somebody else's";
  write_cmake_cache("release", here);
  EXPECT_TRUE(loads("release/bin/sealite", "litert/libLiteRt.so"));
  std::filesystem::permissions(folder_ / "litert", perms::all);
  const std::string error = error_of("release/bin/sealite");
  EXPECT_TRUE(error.empty() || error.find("is not loaded, since others may write there") != std::string::npos)
      << error;
  EXPECT_FALSE(loads("release/bin/sealite", "litert/libLiteRt.so"));
  std::filesystem::permissions(folder_ / "litert", perms::owner_all);
  std::filesystem::permissions(folder_ / "release/CMakeCache.txt", perms::all);
  EXPECT_FALSE(loads("release/bin/sealite", "litert/libLiteRt.so"));
}

TEST_F(LiteRtSearch, InstalledOnlyWhereNobodyElseMayWrite) {
  lay_out("prefix/bin/sealite", "prefix/lib/sealite/libLiteRt.so");
  EXPECT_TRUE(loads("prefix/bin/sealite", "prefix/lib/sealite/libLiteRt.so"));
  for (const char* place :
       {"prefix", "prefix/lib", "prefix/lib/sealite", "prefix/lib/sealite/libLiteRt.so"}) {
    std::filesystem::permissions(folder_ / place, perms::all);
    EXPECT_FALSE(loads("prefix/bin/sealite", "prefix/lib/sealite/libLiteRt.so")) << place;
    std::filesystem::permissions(folder_ / place, perms::owner_all);
  }
  EXPECT_TRUE(loads("prefix/bin/sealite", "prefix/lib/sealite/libLiteRt.so"));
}

}  // namespace
}  // namespace sealite
