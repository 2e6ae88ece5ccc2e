# Sourced by the tests that run Python: packages in a folder of their own, and `work`, which goes at the end.

# shellcheck shell=bash
here=$(dirname "${BASH_SOURCE[0]}")

skip() {
  echo "$name: skipped: $*"
  exit 77
}

# need_packages FOLDER MODULE WORDS...: what pip calls WORDS, installed into FOLDER the first time and found there by
# Python; skips where that is not possible, or MODULE cannot be imported. `more_index` is asked where pip's own have not all.
need_packages() {
  local packages=$1 module=$2
  shift 2
  install_packages() {
    # --target: no virtual environment, which would need Debian's python3-venv, and nothing outside this folder.
    python3 -m pip --disable-pip-version-check install --quiet --only-binary=:all: --retries 1 --target "$packages" "$@" \
      >>"$packages/pip.log" 2>&1 </dev/null
  }
  if [[ $(cat "$packages/installed" 2>/dev/null) != "$*" ]]; then
    rm -rf "$packages"
    mkdir -p "$packages"
    install_packages "$@" || { [[ -n ${more_index:-} ]] && install_packages --extra-index-url "$more_index" "$@"; } ||
      skip "pip cannot install '$*': $(grep -i error "$packages/pip.log" | tail -n 1)"
    echo "$*" >"$packages/installed"
  fi
  export PYTHONPATH=$packages
  python3 -c "import $module" 2>"$packages/import.log" ||
    skip "cannot import $module: $(tail -n 1 "$packages/import.log")"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
