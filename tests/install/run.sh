#!/usr/bin/env bash
# run.sh BUILD_DIR SOURCE_DIR: installs the built tree into a temporary prefix and, from there alone, runs the program and
# does what README.md says under "Install": its own CMakeLists.txt and main.cc are taken out of it, built against the prefix
# and run on a picture.
set -euo pipefail
name="install test"
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh" "$1" "$2"

# readme_block LANGUAGE: the first ```LANGUAGE block of README.md.
readme_block() {
  awk -v start="\`\`\`$1" '$0 == start { inside = 1; next } inside && /^```/ { exit } inside' "$source_dir/README.md"
}

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
build_against_prefix -DCMAKE_BUILD_TYPE=Debug
said=$(said_by build/reader)
[[ $said == "cd750d7d: 32 of 32 bits, p = 2.3e-10" ]] || fail "the README's program says '$said'"

if grep -rqF "$source_dir" "$work/prefix/include" "$work"/prefix/lib*/cmake "$work"/prefix/lib*/*/cmake 2>/dev/null; then
  fail "the installed package names the source folder $source_dir"
fi
echo "install test: ok, the README's program says: $said"
