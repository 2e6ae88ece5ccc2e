#include "checkpoint/numpy.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/scratch_folder.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "npy.h"

namespace sealite::checkpoint {
namespace {

std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& order = "False") {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size());
  file += '\0';
  return file + header + data;
}

class Numpy : public ::testing::Test {
 protected:
  NumpyArray read(const std::string& bytes) const {
    write_text(folder / "x.npy", bytes);
    return read_numpy(folder.path(), "x").value();
  }
  const ScratchFolder folder;
};

TEST_F(Numpy, ElementTypes) {
  EXPECT_EQ(read(npy("|u1", "(3,)", {"\x00\x01\xff", 3})).values, (std::vector<float>{0, 1, 255}));
  EXPECT_EQ(read(npy("<i4", "(1, 1)", {"\xfe\xff\xff\xff", 4})).values, (std::vector<float>{-2}));
  EXPECT_EQ(read(npy("<f2", "()", {"\x00\x3c", 2})).values, (std::vector<float>{1}));
  EXPECT_EQ(read(npy("<f8", "(1,)", {"\x00\x00\x00\x00\x00\x00\xf0\x3f", 8})).values,
            (std::vector<float>{1}));
  EXPECT_EQ(read(npy("<f4", "(0, 7)", "")).shape, (Shape{0, 7}));
}

TEST_F(Numpy, TheFixturesArraysAsTheTestsOwnReaderHasThem) {
  const Npy expected = read_npy(fixture("demo.detector_logits.npy"));
  std::filesystem::copy_file(fixture("demo.detector_logits.npy"), folder / "logits.npy");
  const NumpyArray found = read_numpy(folder.path(), "logits").value();
  EXPECT_EQ(found.shape, expected.shape);
  EXPECT_EQ(found.values, expected.values);
  EXPECT_FALSE(read_numpy(folder.path(), "images").has_value());
}

TEST_F(Numpy, Refusals) {
  using enum ErrorCode;
  expect_error(kMalformed, {"x.npy", "no .npy"}, [&] { read("PK\x03\x04 something else"); });
  std::string other = npy("<f4", "(1,)", "1234");
  other[6] = '\xff';
  expect_error(kMalformed, {"version 255"}, [&] { read(other); });
  expect_error(kUnsupported, {"x.npy", "|O"}, [&] { read(npy("|O", "(1,)", "12345678")); });
  expect_error(kUnsupported, {"Fortran"}, [&] { read(npy("<f4", "(1,)", "1234", "True")); });
  expect_error(kMalformed, {"do not fill"}, [&] { read(npy("<f4", "(2,)", "1234")); });
  expect_error(kMalformed, {"do not fill"}, [&] { read(npy("<f4", "(4611686018427387904, 4)", "1234")); });
  expect_error(kMalformed, {"shape"}, [&] { read(npy("<f4", "(-1,)", "1234")); });
  expect_error(kMalformed, {"shape"}, [&] { read(npy("<f4", "(1,1,1,1,1,1,1,1,1)", "1234")); });
  expect_error(kNotFound, {"absent"}, [&] { read_numpy(folder / "absent.npz", "x"); });
}

TEST_F(Numpy, OneText) {
  const auto text = [&](const std::string& descr, const std::string& shape, const std::string& data) {
    write_text(folder / "x.npy", npy(descr, shape, data));
    return read_numpy_text(folder.path(), "x").value();
  };
  EXPECT_EQ(text("<U3", "()", {"2\0\0\0.\0\0\0\0\0\0\0", 12}), "2.");
  EXPECT_FALSE(read_numpy_text(folder.path(), "y").has_value());
  using enum ErrorCode;
  expect_error(kUnsupported, {"x.npy", "single text"}, [&] { text("<f4", "()", "1234"); });
  expect_error(kUnsupported, {"single text"}, [&] { text("<U1", "(1,)", {"2\0\0\0", 4}); });
  expect_error(kUnsupported, {"single text"}, [&] { text("<U65", "()", std::string(260, '\0')); });
  expect_error(kUnsupported, {"ASCII"}, [&] { text("<U1", "()", {"\xe9\0\0\0", 4}); });
  expect_error(kMalformed, {"no .npy"}, [&] {
    write_text(folder / "x.npy", "something else");
    read_numpy_text(folder.path(), "x");
  });
}

TEST_F(Numpy, WhateverTheBytes) {
  const std::string sound = npy("<f4", "(2, 3)", std::string(24, 'x'));
  std::mt19937 random(1);
  for (std::size_t i = 0; i < 400; ++i) {
    std::string bytes = sound.substr(0, i < sound.size() ? i : sound.size());
    for (int flips = 0; i >= sound.size() && flips < 2; ++flips)
      bytes[random() % bytes.size()] = static_cast<char>(random() & 0xFFU);
    try {
      read(bytes);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kMalformed || error.code() == ErrorCode::kUnsupported);
    }
  }
}

}  // namespace
}  // namespace sealite::checkpoint
