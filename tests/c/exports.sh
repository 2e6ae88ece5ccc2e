#!/usr/bin/env bash
# exports.sh LIBRARY HEADER: the shared library exports the functions of the header and nothing else, and needs no libvips.
set -euo pipefail
library=$1
header=$2

fail() {
  echo "exports: $*" >&2
  exit 1
}

exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort)
declared=$(grep -o 'sealite_[a-z_]*(' "$header" | tr -d '(' | sort -u)
[[ $(wc -l <<<"$declared") -ge 30 ]] || fail "too few functions in $header: $declared"
[[ $exported == "$declared" ]] || fail "exported (<) is not declared (>): $(diff <(echo "$exported") <(echo "$declared"))"

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
grep -q '^libstdc++' <<<"$needed" || fail "readelf says nothing of libstdc++: $needed"
readelf -d "$library" | grep -q 'SONAME.*\[libsealite\.so\.0\]' || fail "its soname is not libsealite.so.0"
# What they need in turn too.
for library_name in fmt vips glib gobject gmodule tbb; do
  ! ldd "$library" | grep -qi "$library_name" || fail "it needs $library_name: $(ldd "$library")"
done
echo "exports: ok, $(wc -l <<<"$exported") functions; needs" $needed
