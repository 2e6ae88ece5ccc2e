#!/usr/bin/env bash
# run.sh BUILD_DIR SOURCE_DIR: installs the built tree into a temporary prefix and, from there alone, runs the program and
# does what README.md says under "Install": its own CMakeLists.txt and main.cc are taken out of it, built against the prefix
# and run on a picture.
set -euo pipefail
build_dir=$1
source_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "install test: $*" >&2
  exit 1
}

# readme_block LANGUAGE: the first ```LANGUAGE block of README.md.
readme_block() {
  awk -v start="\`\`\`$1" '$0 == start { inside = 1; next } inside && /^```/ { exit } inside' "$source_dir/README.md"
}

cmake --install "$build_dir" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
[[ -x $work/prefix/bin/sealite ]] || fail "no bin/sealite was installed"
"$work/prefix/bin/sealite" --version || fail "the installed sealite --version failed"
if [[ -f $source_dir/build/litert/libLiteRt.so ]]; then
  [[ -f $work/prefix/lib/sealite/libLiteRt.so ]] || fail "lib/sealite/libLiteRt.so was not installed"
fi

# Every package that the README names is one that exists here, so that it can be read as a command.
packages=$(grep -A 1 '^apt-get install g++' "$source_dir/README.md" | tr -d '\\\n' | sed 's/apt-get install//')
for package in $packages; do
  ! command -v dpkg-query >/dev/null || dpkg-query -W "$package" >/dev/null 2>&1 ||
    fail "the README names the package '$package', which is not installed"
done

mkdir "$work/reader"
readme_block cmake >"$work/reader/CMakeLists.txt"
readme_block cpp >"$work/reader/main.cc"
cp -r "$source_dir/assets" "$work/reader/assets"
cd "$work/reader"
cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/reader.log" ||
  { cat "$work/reader.log"; exit 1; }
cmake --build build
export SEALITE_LITERT=${SEALITE_LITERT:-$work/prefix/lib/sealite/libLiteRt.so}
said=$(build/reader 2>"$work/reader.err") || { cat "$work/reader.err"; fail "the README's program ended with status $?"; }
[[ $said == "cd750d7d: 32 of 32 bits, p = 2.3e-10" ]] || fail "the README's program says '$said'"

if grep -rqF "$source_dir" "$work/prefix/include" "$work"/prefix/lib*/cmake "$work"/prefix/lib*/*/cmake 2>/dev/null; then
  fail "the installed package names the source folder $source_dir"
fi
echo "install test: ok, the README's program says: $said"
