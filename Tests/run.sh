#!/usr/bin/env bash
# Installs what the tests need and runs them all: format, generated messages, build, unit tests,
# manifests, end-to-end scripts, benchmarks in smoke mode.
#
#   Tests/run.sh                 everything; the end-to-end scripts in their quick form
#   Tests/run.sh --full          the end-to-end scripts in their full form (long)
#   Tests/run.sh --only WORD     only sections whose name contains WORD (repeat for more)
#   Tests/run.sh --list          the sections' names
#
# Needs Debian 12, Swift 6.3 and root (or sudo) for packages, mounts and loop devices.
set -u -o pipefail
cd "$(dirname "$0")/.."
top=$PWD
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

packages=(
  # What the product is built from and runs on.
  libfuse3-dev fuse3 libssl-dev libgrpc-dev libprotobuf-c-dev protobuf-c-compiler
  protobuf-compiler libprotobuf-dev librocksdb-dev
  libxxhash-dev libzstd-dev etcd-server pkg-config e2fsprogs xfsprogs util-linux
  # What the tests drive.
  python3 python3-venv git sqlite3 postgresql postgresql-contrib rsync fio attr acl openssl curl
  ca-certificates procps gcc libc6-dev
)
# Where helm cannot be had, its stand-in is built from these.
command -v "${HELM:-helm}" >/dev/null || packages+=(
  golang-go golang-github-masterminds-sprig-dev golang-github-ghodss-yaml-dev
  golang-github-xeipuuv-gojsonschema-dev
)
# Longest time a script may take, in seconds, before it counts as failed.
quick_limit=600
full_limit=3600

mode=quick
only=()
list=0
while [ $# -gt 0 ]; do
  case $1 in
    --full) mode=full ;;
    --quick) mode=quick ;;
    --only) only+=("${2:?--only wants a word}"); shift ;;
    --list) list=1 ;;
    -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
    *) echo "unknown argument $1; see $0 --help" >&2; exit 2 ;;
  esac
  shift
done

logs=$(mktemp -d /tmp/galleonfs-tests.XXXXXX)
names=()
results=()
passed=0
failed=0
began=$SECONDS
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -E)

wanted() {
  local word
  [ ${#only[@]} = 0 ] && return 0
  for word in "${only[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

# section NAME COMMAND...: runs it with its output shown and kept, and takes down how it ended.
section() {
  local name=$1 status=0 start=$SECONDS
  shift
  wanted "$name" || return 0
  if [ "$list" = 1 ]; then echo "$name"; return 0; fi
  printf '\n== %s\n' "$name"
  "$@" </dev/null > >(tee "$logs/${name//[ \/]/-}.log") 2>&1 || status=$?
  wait 2>/dev/null
  names+=("$name")
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    results+=("passed  $((SECONDS - start)) s")
    printf '== %s: passed, %s s\n' "$name" $((SECONDS - start))
  else
    failed=$((failed + 1))
    results+=("FAILED  $((SECONDS - start)) s")
    printf '== %s: FAILED (exit %s), %s s\n' "$name" "$status" $((SECONDS - start))
  fi
  return "$status"
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} = 0 ]; then echo "all ${#packages[@]} packages are there"; return 0; fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold "${missing[@]}" >"$logs/apt.log" 2>&1 ||
    { tail -n 20 "$logs/apt.log"; return 1; }
  [ -z "$(missing_packages)" ]
}

show_tools() {
  swift --version 2>&1 | head -n 1
  swift --version 2>&1 | grep -q 'version 6\.[3-9]' || { echo "Swift 6.3 is needed"; return 1; }
  printf '%s, kernel %s, %s CPUs, %s MiB\n' "$(. /etc/os-release && echo "$PRETTY_NAME")" \
    "$(uname -r)" "$(nproc)" "$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
  [ -c /dev/fuse ] || "${as_root[@]}" modprobe fuse 2>/dev/null || {
    echo "no /dev/fuse: the file system's tests need it"
    return 1
  }
}

check_format() { swift format lint --strict -r -p Sources Tests Package.swift; }

check_messages() { Proto/generate.sh --check; }

# quietly PATTERN COMMAND...: leaves out the lines of its output that match; ends as it ended.
quietly() {
  local pattern=$1
  shift
  "$@" 2>&1 | { grep -vE --line-buffered -- "$pattern" || true; }
}

build() {
  quietly '^\[[0-9]+/[0-9]+\] (Compiling|Emitting|Wrapping|Write|Copying|Applying)' \
    swift build "$@"
}

# Suites and tests that passed are counted by the last lines; those that did not are shown.
# One process a target: suites that block threads on disks and mounts must not starve the others.
unit_tests() {
  local target status=0
  for target in Tests/*Tests; do
    target=$(basename "$target")
    printf -- '-- %s\n' "$target"
    quietly '^(◇|✔ (Test|Suite) "?[^r])|^\[[0-9]+/[0-9]+\]|^Test Suite|Executed 0 tests|^↳' \
      timeout -k 10 300 swift test --skip-build --filter "^$target\." || status=1
  done
  return "$status"
}

render_manifests() { Deploy/render.sh --check; }

end_to_end() {
  local limit=$quick_limit
  [ "$mode" = full ] && limit=$full_limit
  E2E_MODE=$mode GALLEONFS_BIN=$top/.build/release timeout -k 30 "$limit" \
    "${as_root[@]}" "$1"
}

section packages install_packages
section tools show_tools
section format check_format
[ ! -e Proto/generate.sh ] || section messages check_messages
section "build for tests" build --build-tests && section "unit tests" unit_tests
section manifests render_manifests
if section "build for release" build -c release; then
  for file in Tests/EndToEnd/*.sh; do
    name=$(basename "$file" .sh)
    [ "$name" = lib ] || section "end to end: $name" end_to_end "$file"
  done
  section "end to end: quickstart" end_to_end Deploy/quickstart.sh
  section "benchmarks, smoke" "${as_root[@]}" Tests/Benchmarks/run.sh --smoke
fi
[ "$list" = 0 ] || { rm -rf "$logs"; exit 0; }

printf '\n== Results, %s s in all; logs in %s\n' $((SECONDS - began)) "$logs"
for index in "${!names[@]}"; do printf '   %-34s %s\n' "${names[$index]}" "${results[$index]}"; done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
