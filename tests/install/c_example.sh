#!/usr/bin/env bash
# c_example.sh BUILD_DIR SOURCE_DIR: installs the built tree into a temporary prefix and does what docs/c-api.md says: its
# program is taken out of it, compiled as C99 against the prefix alone, by pkg-config's flags and by the CMake package,
# and run.
set -euo pipefail
name="C example"
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh" "$1" "$2"
mkdir "$work/example"
cd "$work/example"
ln -s "$source_dir/assets" assets
awk '$0 == "```c" { inside = 1; next } inside && /^```/ { exit } inside' "$source_dir/docs/c-api.md" >example.c
[[ -s example.c ]] || fail "docs/c-api.md has no C program"

# run PROGRAM: with nothing but the installed library; it says what the document's reader will see.
run() {
  local said
  said=$(said_by "$1")
  [[ ! -s $work/stderr ]] || { cat "$work/stderr"; fail "$1 wrote to stderr"; }
  [[ $said == "cd750d7d: 32 of 32 bits, p = 2.3e-10" ]] || fail "$1 says '$said'"
  rm demo.detector.tflite demo.embedder.tflite
}

pc=$(find "$work/prefix" -name sealite.pc -printf '%h')
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs sealite)
libdir=$(PKG_CONFIG_PATH=$pc pkg-config --variable=libdir sealite)
# shellcheck disable=SC2086
cc -std=c99 -Wall -Wextra -Wpedantic -Werror example.c -o by_pkg_config $flags -Wl,-rpath,"$libdir"
run ./by_pkg_config

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(Example LANGUAGES C)
find_package(Sealite REQUIRED COMPONENTS c)
add_executable(by_cmake example.c)
target_link_libraries(by_cmake PRIVATE Sealite::c)
END
build_against_prefix
run build/by_cmake
echo "C example: ok"
