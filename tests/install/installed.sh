# Sourced by the tests of an installed tree, with its BUILD_DIR and SOURCE_DIR and `name` set: the tree is installed into
# $work/prefix, and $work goes at the end.

# shellcheck shell=bash
build_dir=$1
source_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$name: $*" >&2
  exit 1
}

# quietly LOG COMMAND...: what it says is only shown if it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { cat "$log"; fail "'$*' failed"; }
}

# build_against_prefix [OPTION...]: the CMake project of this folder.
build_against_prefix() {
  quietly "$work/cmake.log" cmake -B build -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" "$@"
  cmake --build build
}

# said_by PROGRAM...: what it prints; it finds LiteRT in the prefix, and $work/stderr has the rest.
said_by() {
  SEALITE_LITERT=${SEALITE_LITERT:-$work/prefix/lib/sealite/libLiteRt.so} "$@" 2>"$work/stderr" ||
    { cat "$work/stderr" >&2; fail "$1 ended with status $?"; }
}

quietly "$work/install.log" cmake --install "$build_dir" --prefix "$work/prefix"
