# shellcheck shell=bash
# What the end-to-end scripts share: a daemon of their own in a directory of their own, counted
# checks, and a cleanup that leaves nothing behind. Sourced, never run.
#
# Settings: GALLEONFS_BIN (directory of the binaries, .build/release), E2E_MODE (quick or full),
# E2E_KEEP=1 (leave the directory), E2E_TMP (where it is made, /tmp).

set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${GALLEONFS_BIN:-$top/.build/release}
mode=${E2E_MODE:-quick}
script=$(basename "$0" .sh)
work=$(mktemp -d "${E2E_TMP:-/tmp}/galleonfs-$script.XXXXXX")
storage=$work/storage
mounts=$work/mnt
log=$work/daemon.log
csi_socket=$work/csi.sock
daemon_pid=
daemon_flags=()
# Every volume appears below $mounts; a script that mounts by itself empties this.
mount_flags=(--mount-point "$mounts")
passed=0
failed=0

[ -x "$bin/galleonfs" ] || {
  echo "no $bin/galleonfs: build it with \`swift build -c release\`, or set GALLEONFS_BIN" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || { echo "$script mounts file systems and needs root" >&2; exit 1; }
[ -c /dev/fuse ] || { echo "no /dev/fuse: load the kernel's module fuse" >&2; exit 1; }

# choose QUICK FULL: one of the two, by the mode.
choose() { if [ "$mode" = full ]; then echo "$2"; else echo "$1"; fi; }

say() { printf '   %s\n' "$*"; }
ok() { passed=$((passed + 1)); printf '   ok    %s\n' "$*"; }
bad() { failed=$((failed + 1)); printf '   FAIL  %s\n' "$*"; }

# check SENTENCE COMMAND...: the command must succeed; what it said is shown if it does not.
check() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1 | tr -d '\0'); then ok "$sentence"; else
    bad "$sentence (exit $?: $*)"
    printf '%s\n' "$output" | tail -n 5 | sed 's/^/         /'
    return 1
  fi
}

# expect_exit CODE SENTENCE COMMAND...: the command must end with this code; its output is kept in
# $output for further questions.
expect_exit() {
  local code=$1 sentence=$2 got=0
  shift 2
  output=$("$@" 2>&1 | tr -d '\0') || got=$?
  if [ "$got" = "$code" ]; then ok "$sentence"; else
    bad "$sentence (exit $got instead of $code: $*)"
    printf '%s\n' "$output" | tail -n 5 | sed 's/^/         /'
    return 1
  fi
}

# expect_said PATTERN SENTENCE: what the last expect_exit kept must match the extended pattern.
expect_said() {
  if grep -Eiq -- "$1" <<<"$output"; then ok "$2"; else
    bad "$2 (no /$1/ in: $(head -c 300 <<<"$output"))"
    return 1
  fi
}

# equal EXPECTED FOUND SENTENCE
equal() {
  if [ "$1" = "$2" ]; then ok "$3"; else bad "$3 (expected $1, found $2)"; return 1; fi
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

bind_port=$(free_port)
ipc_port=$(free_port)
http_port=$(free_port)

# cli ARGUMENT...: the command line, talking to our daemon.
cli() { "$bin/galleonfs" --daemon-address "127.0.0.1:$ipc_port" "$@"; }

# http PATH: the answer's body; fails unless it is 200.
http() {
  local status line body
  exec 3<>"/dev/tcp/127.0.0.1/$http_port" || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  IFS= read -r -t 5 status <&3 || { exec 3>&-; return 1; }
  while IFS= read -r -t 5 line <&3; do [ "$line" = $'\r' ] && break; done
  body=$(timeout 5 cat <&3)
  exec 3>&-
  printf '%s\n' "$body"
  [[ $status == *" 200 "* ]]
}

# wait_until SECONDS COMMAND...: tries again until it succeeds or the time is over.
wait_until() {
  local deadline=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(now_ms)" -lt "$deadline" ] || return 1
    sleep 0.02
  done
}

# daemon_start [FLAG...]: returns when the daemon serves, or fails with the end of its log.
daemon_start() {
  mkdir -p "$mounts"
  "$bin/galleonfs" -d --storage-path "$storage" --bind-address "127.0.0.1:$bind_port" \
    --ipc-address "127.0.0.1:$ipc_port" --http-address "127.0.0.1:$http_port" \
    --csi-endpoint "unix://$csi_socket" --node-name e2e \
    "${mount_flags[@]}" "${daemon_flags[@]}" "$@" >>"$log" 2>&1 </dev/null &
  daemon_pid=$!
  local deadline=$(($(now_ms) + 30000))
  until http /readyz >/dev/null 2>&1; do
    if ! kill -0 "$daemon_pid" 2>/dev/null || [ "$(now_ms)" -ge "$deadline" ]; then
      bad "the daemon starts"
      tail -n 15 "$log" | sed 's/^/         /'
      return 1
    fi
    sleep 0.02
  done
}

# daemon_kill: as a crash would.
daemon_kill() {
  [ -n "$daemon_pid" ] || return 0
  kill -9 "$daemon_pid" 2>/dev/null
  wait "$daemon_pid" 2>/dev/null
  daemon_pid=
}

# daemon_stop: drains and unmounts; fails if the daemon did not end well within 30 s.
daemon_stop() {
  [ -n "$daemon_pid" ] || return 0
  kill -TERM "$daemon_pid" 2>/dev/null
  local status=0 deadline=$(($(now_ms) + 30000))
  while kill -0 "$daemon_pid" 2>/dev/null; do
    [ "$(now_ms)" -lt "$deadline" ] || { daemon_kill; return 1; }
    sleep 0.02
  done
  wait "$daemon_pid" || status=$?
  daemon_pid=
  return "$status"
}

# mounted NAME: the volume is mounted at its place and answers.
mounted() { mountpoint -q "$mounts/$1" && stat "$mounts/$1/." >/dev/null 2>&1; }

# volume_create NAME SIZE [FLAG...]: on the class without encryption unless a flag says otherwise;
# returns when it is mounted at $mounts/NAME.
volume_create() {
  local name=$1 size=$2
  shift 2
  [[ " $* " == *" --storage-class "* ]] || set -- --storage-class fast-local-ssd "$@"
  cli volume create --name "$name" --size "$size" "$@" >"$work/create.out" 2>&1 || {
    bad "volume $name is created: $(tail -n 3 "$work/create.out")"
    return 1
  }
  wait_until 10 mounted "$name" || { bad "volume $name is mounted at $mounts/$name"; return 1; }
}

# drop_caches: what is read next comes from the volume, not from the kernel's page cache.
drop_caches() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# our_processes: ids of processes that name our directory and are not this script.
our_processes() {
  local entry pid
  for entry in /proc/[0-9]*; do
    pid=${entry#/proc/}
    [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
    { tr '\0' ' ' <"$entry/cmdline"; } 2>/dev/null | grep -qF -- "$work" && echo "$pid"
  done
}

cleanup() {
  local status=$? pid target device
  trap - EXIT INT TERM
  daemon_kill
  for pid in $(our_processes); do kill -9 "$pid" 2>/dev/null; done
  awk -v work="$work" 'index($2, work) == 1 { print $2 }' /proc/mounts | sort -r |
    while IFS= read -r target; do umount -l "$target" 2>/dev/null; done
  losetup -ln -O NAME,BACK-FILE 2>/dev/null | awk -v work="$work" 'index($2, work) == 1 { print $1 }' |
    while IFS= read -r device; do losetup -d "$device" 2>/dev/null; done
  if [ "${E2E_KEEP:-}" = 1 ]; then
    say "kept: $work"
  elif [ "$failed" != 0 ] || [ "$status" != 0 ]; then
    say "the end of the daemon's log:"
    tail -n 15 "$log" 2>/dev/null | sed 's/^/         /'
    rm -rf --one-file-system "$work"
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# finish: the daemon ends well, nothing is left behind, and the script's result is printed.
finish() {
  if [ -n "$daemon_pid" ]; then
    if daemon_stop; then ok "the daemon drains and ends"; else bad "the daemon drains and ends"; fi
    if grep -q " $mounts/" /proc/mounts; then
      bad "no mount is left behind: $(grep -o " $mounts/[^ ]*" /proc/mounts | tr '\n' ' ')"
    else ok "no mount is left behind"; fi
  fi
  echo "   $passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}
