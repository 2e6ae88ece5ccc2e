#!/usr/bin/env bash
# Checks the tree against the rules of docs and CONTRIBUTING.md; prints each breach as FILE:LINE: what, exits 1 if any.
#  - src/NAME includes only its own folder and those in its `sealite_folder(NAME LINKS ...)` row of CMakeLists.txt;
#    src/cli uses the library as others do: include/sealite, and of the folders base alone (texts, errors); the public types
#    of include/sealite are for what runs, reads files, reports and for base; include/sealite includes only itself
#  - no file of src, include or tests over 400 lines, none called common, utils, manager or helpers
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

table=$(sed -n 's/^[[:space:]]*sealite_folder(\([a-z_]*\)[[:space:]]*LINKS\([a-z_ ]*\)).*/\1\2/p' CMakeLists.txt)
[[ -n $table ]] || { echo "CMakeLists.txt: no sealite_folder(NAME LINKS ...) rows" >&2; exit 1; }

mapfile -d '' -t files < <(find src include tests -type f \( -name '*.cc' -o -name '*.h' -o -name '*.c' \) -print0 | sort -z)

awk -v table="$table" '
  function report(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
  BEGIN {
    rows = split(table, row, "\n")
    for (i = 1; i <= rows; ++i) {
      words = split(row[i], word, " ")
      for (j = 1; j <= words; ++j) { allowed[word[1], word[j]] = 1; folder[word[j]] = 1 }
    }
    folder["cli"] = 1; folder["sealite"] = 1
    allowed["cli", "cli"] = allowed["cli", "base"] = 1
    for (own in folder)
      allowed[own, "sealite"] = own ~ /^(base|checkpoint|model|conversion|model_file|runtime|pixels|watermark|image|verify|measure|report|inspect|api|c|cli|sealite)$/
  }
  FNR == 1 {
    parts = split(FILENAME, part, "/")
    own = part[1] == "tests" ? "" : part[2]
    stem = part[parts]; sub(/\..*/, "", stem); sub(/_test$/, "", stem)
    if (stem ~ /^(common|utils?|managers?|helpers?)$/) report("name the file after what it holds, not \"" stem "\"")
    if (own != "" && !(own in folder)) report("folder \"" own "\" has no sealite_folder row in CMakeLists.txt")
  }
  FNR == 401 { report("over 400 lines: split the file") }
  own != "" && /^[ \t]*#[ \t]*include[ \t]*"/ {
    path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
    if (path ~ /_generated\.h$/ && path !~ /\//) next
    if (path !~ /\// || path ~ /^\./) { report("write \"folder/" path "\""); next }
    other = path; sub(/\/.*/, "", other)
    if (!((own, other) in allowed)) report("src/" own " must not include \"" path "\" (table in CMakeLists.txt)")
  }
  END { exit bad }
' "${files[@]}" || { echo "check_includes: the breaches above; rules in CONTRIBUTING.md" >&2; exit 1; }
echo "check_includes: ok, ${#files[@]} files"
