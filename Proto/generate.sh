#!/usr/bin/env bash
# Regenerates what comes from Proto/: the C messages (protoc-c), the table of their descriptors with
# the serialized FileDescriptorSet for reflection, and the Swift values.
#
#   Proto/generate.sh          writes below Sources/ and Tests/
#   Proto/generate.sh --check  exits 1 and names the files that are not fresh
#
# Needs protobuf-c-compiler, protobuf-compiler, libprotobuf-dev (the well-known types) and python3.
set -euo pipefail
cd "$(dirname "$0")"

for tool in protoc protoc-c python3; do
  command -v "$tool" >/dev/null || {
    echo "generate.sh: $tool is missing: apt-get install protobuf-compiler" \
      "protobuf-c-compiler libprotobuf-dev python3" >&2
    exit 2
  }
done

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$out/Sources/CProtoMessages/generated" "$out/c"
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

well_known="google/protobuf/timestamp.proto google/protobuf/wrappers.proto"
own=$(find . -name '*.proto' | sed 's,^\./,,' | sort)

# shellcheck disable=SC2086 # lists of names without spaces
protoc -I. -I/usr/include --include_imports --include_source_info \
  --descriptor_set_out="$out/commented.pb" $own $well_known
# shellcheck disable=SC2086
protoc -I. -I/usr/include --include_imports --descriptor_set_out="$out/plain.pb" $own $well_known
python3 generate-swift.py "$out/commented.pb" "$out/plain.pb" "$out/c.pb"
# shellcheck disable=SC2086
protoc-c --descriptor_set_in="$out/c.pb" --c_out="$out/c" $own $well_known
python3 generate-swift.py "$out/commented.pb" "$out/plain.pb" --root "$out"

# Headers go to include/, so that SwiftPM finds them; the module map shows none of them.
(cd "$out/c" && find . -name '*.pb-c.h' -o -name '*.pb-c.c') | sed 's,^\./,,' |
  while read -r file; do
    case $file in
      *.h) target=$out/Sources/CProtoMessages/include/$file ;;
      *) target=$out/Sources/CProtoMessages/generated/$file ;;
    esac
    mkdir -p "$(dirname "$target")"
    mv "$out/c/$file" "$target"
  done

generated="Sources/CProtoMessages/generated Sources/CProtoMessages/include/*/
  Sources/Messages/Generated Tests/MessagesTests/Generated"
if [ "${1:-}" = --check ]; then
  status=0
  for path in $generated; do
    (cd "$out" && [ -e "$path" ]) || [ -e "../$path" ] || continue
    diff -rq "$out/$path" "../$path" || status=1
  done
  # shellcheck disable=SC2086
  (cd "$out" && find Sources Tests -type f | sort) >"$out/made"
  while read -r file; do [ -e "../$file" ] || { echo "missing: $file"; status=1; }; done <"$out/made"
  [ $status = 0 ] || echo "generated files are not fresh: run Proto/generate.sh" >&2
  exit $status
fi
# shellcheck disable=SC2086 # patterns
(cd .. && rm -rf $generated)
cp -R "$out/Sources" "$out/Tests" ..
