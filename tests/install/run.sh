#!/usr/bin/env bash
# run.sh BUILD_DIR SOURCE_DIR: installs the built tree into a temporary prefix and, from there alone, runs the program
# and builds, links and runs another project that says find_package(Sealite).
set -euo pipefail
build_dir=$1
source_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "install test: $*" >&2
  exit 1
}

cmake --install "$build_dir" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
[[ -x $work/prefix/bin/sealite ]] || fail "no bin/sealite was installed"
program=$("$work/prefix/bin/sealite" --version) || fail "the installed sealite --version failed"
if [[ -f $source_dir/build/litert/libLiteRt.so ]]; then
  [[ -f $work/prefix/lib/sealite/libLiteRt.so ]] || fail "lib/sealite/libLiteRt.so was not installed"
fi

cmake -S "$source_dir/tests/install" -B "$work/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/consumer.log" || { cat "$work/consumer.log"; exit 1; }
cmake --build "$work/consumer"
library=$("$work/consumer/consumer")
[[ $program == *"$library"* ]] || fail "library version '$library', program says '$program'"
if grep -rqF "$source_dir" "$work/prefix/include" "$work"/prefix/lib*/cmake "$work"/prefix/lib*/*/cmake 2>/dev/null; then
  fail "the installed package names the source folder $source_dir"
fi
echo "install test: ok, version $library"
