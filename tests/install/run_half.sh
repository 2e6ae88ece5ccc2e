#!/usr/bin/env bash
# run_half.sh BUILD_DIR SOURCE_DIR PROGRAM: installs the built tree into a temporary prefix, builds a program that needs the
# run half alone (Sealite::run), where the packages of the other half cannot be found, looks at what it links, and runs it on
# a model that PROGRAM converts.
set -euo pipefail
name="run half"
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh" "$1" "$2"
sealite=$3
mkdir "$work/reader"
cd "$work/reader"
# Each package of the other half is one that refuses to be found.
mkdir absent
for package in yaml-cpp ZLIB Eigen3 nlohmann_json PkgConfig; do
  echo "message(FATAL_ERROR \"the run half asks for $package\")" >"absent/Find$package.cmake"
done
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(Reader LANGUAGES C CXX)
list(PREPEND CMAKE_MODULE_PATH ${CMAKE_SOURCE_DIR}/absent)
find_package(Sealite REQUIRED COMPONENTS run)
add_executable(reader main.cc)
target_link_libraries(reader PRIVATE Sealite::run)
END
cat >main.cc <<'END'
#include <sealite/detector.h>
#include <sealite/embedder.h>

#include <cstdio>
#include <vector>

int main(int, char** arguments) {
  std::vector<std::uint8_t> rgb(std::size_t{240} * 320 * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(60 + i / 3 % 320 / 4 + i % 3 * 20);
  sealite::Embedder embedder(arguments[2]);
  const sealite::PixelView picture = sealite::view_pixels(rgb.data(), 320, 240);
  const sealite::MutablePixelView marked{sealite::PixelFormat::kRgb, 320, 240, {rgb.data()}};
  embedder.embed(picture, marked, "0badcafe");
  sealite::Detector detector(arguments[1]);
  std::puts(detector.detect(picture).message.c_str());
}
END
build_against_prefix -DCMAKE_BUILD_TYPE=Debug

needed=$(readelf -d build/reader | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
grep -q '^libstdc++' <<<"$needed" || fail "readelf says nothing of libstdc++: $needed"
for library in fmt vips yaml hwy eigen glib gobject gmodule tbb zlib 'libz\.'; do
  ! grep -qi "$library" <<<"$needed" || fail "it links $library: $needed"
done
for symbol in vips_ YAML N3hwy; do
  ! nm -C build/reader | grep -q "$symbol" || fail "it has $symbol in it"
done

"$sealite" convert "$source_dir/assets/demo.pth" --card "$source_dir/assets/demo.card.yaml" --part both -o demo.tflite \
  >convert.log
said=$(said_by build/reader demo.detector.tflite demo.embedder.tflite)
[[ $said == 0badcafe ]] || fail "it says '$said'"
echo "run half: ok, it needs only" $needed
