#!/usr/bin/env bash
# Measures GalleonFS against the local file system on the same disk and against the floor of FUSE,
# side by side in one run, and prints a Markdown table of medians and how the goals were met.
#
#   Tests/Benchmarks/run.sh               five rounds of everything (needs a quiet machine)
#   Tests/Benchmarks/run.sh --smoke       one tiny round: only checks that every row can be measured
#   Tests/Benchmarks/run.sh --rounds 7 --only "sync names"
#
# Systems: ext4 (made with defaults, on a loop device with direct I/O and a fully written image),
# galleonfs (one replica, its pool on such an ext4 of its own), fuse-ll (libfuse's passthrough_ll
# over the first ext4), fuse-null (our FUSE server over nothing), gluster (WITH_GLUSTER=1; one
# brick on an ext4 of its own). A system that cannot be had is left out and named.
set -u -o pipefail
cd "$(dirname "$0")/../.."
top=$PWD
bin=${GALLEONFS_BIN:-$top/.build/release}

rounds=${ROUNDS:-5}
smoke=0
groups="data sync names small files sqlite postgresql"
while [ $# -gt 0 ]; do
  case $1 in
    --smoke) smoke=1 ;;
    --rounds) rounds=${2:?}; shift ;;
    --only) groups=${2:?}; shift ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; [ "$1" = --help ] && exit 0 || exit 2 ;;
  esac
  shift
done
if [ "$smoke" = 1 ]; then
  rounds=1
  image_mib=${IMAGE_MIB:-1024}
  volume_size=${VOLUME_SIZE:-512M}
  export FILE_MIB=32 FILES=200 SECONDS_PER_ROW=1
  tree_files=100 pgbench_seconds=2 pgbench_scale=1 idle_seconds=2
else
  image_mib=${IMAGE_MIB:-8192}
  volume_size=${VOLUME_SIZE:-6G}
  export FILE_MIB=${FILE_MIB:-1024} FILES=${FILES:-3000} SECONDS_PER_ROW=${SECONDS_PER_ROW:-2}
  tree_files=3000 pgbench_seconds=${PGBENCH_SECONDS:-10} pgbench_scale=5 idle_seconds=10
fi
storage_class=${STORAGE_CLASS:-fast-local-ssd}
images=${IMAGES:-/var/tmp}

[ "$(id -u)" = 0 ] || { echo "the benchmarks need root: loop devices, mounts, drop_caches" >&2; exit 1; }
[ -x "$bin/galleonfs" ] || { echo "no $bin/galleonfs: swift build -c release" >&2; exit 1; }

work=$(mktemp -d "$images/galleonfs-bench.XXXXXX")
results=$work/results.tsv
log=$work/log
pids=()
systems=()
declare -A place
: >"$results"

progress() { printf '%s\n' "$*" >&2; }

cleanup() {
  local status=$? pid target device
  trap - EXIT INT TERM
  [ -z "${gluster_up:-}" ] || {
    yes | gluster volume stop bench force
    yes | gluster volume delete bench
  } >>"$log" 2>&1
  # These two serve until they are unmounted.
  umount "$work/null" "$work/ll" 2>/dev/null
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do
    for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null
  done
  awk -v work="$work" 'index($2, work) == 1 { print $2 }' /proc/mounts | sort -r |
    while IFS= read -r target; do umount "$target" 2>/dev/null || umount -l "$target"; done
  losetup -ln -O NAME,BACK-FILE | awk -v work="$work" 'index($2, work) == 1 { print $1 }' |
    while IFS= read -r device; do losetup -d "$device"; done
  [ "$status" = 0 ] || { progress "the end of the log:"; tail -n 20 "$log" >&2; }
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

wait_for() {
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# local_disk NAME: an ext4 of its own at $work/NAME.
local_disk() {
  local image=$work/$1.img device
  if [ "$smoke" = 1 ]; then fallocate -l "${image_mib}M" "$image"; else
    # Written, so that no measurement pays for the host's allocation.
    dd if=/dev/zero of="$image" bs=4M count=$((image_mib / 4)) oflag=direct status=none
  fi
  device=$(losetup --direct-io=on --show -f "$image") || device=$(losetup --show -f "$image") || return 1
  mkfs.ext4 -q "$device" && mkdir "$work/$1" && mount "$device" "$work/$1"
}

# add SYSTEM DIRECTORY
add() { systems+=("$1"); place[$1]=$2; mkdir -p "$2"; }

# Each start_… adds its system or says why it cannot be had.

start_ext4() { local_disk base && mkdir -m 777 "$work/base/local" && add ext4 "$work/base/local"; }

cli() { "$bin/galleonfs" --daemon-address "127.0.0.1:$ipc_port" "$@"; }

start_galleonfs() {
  local_disk pool || return 1
  ipc_port=$(free_port)
  "$bin/galleonfs" -d --storage-path "$work/pool/storage" \
    --bind-address "127.0.0.1:$(free_port)" --ipc-address "127.0.0.1:$ipc_port" \
    --mount-point "$work/volumes" --node-name bench --log-level warning >>"$log" 2>&1 </dev/null &
  daemon_pid=$!
  pids+=("$daemon_pid")
  wait_for cli daemon status || return 1
  cli volume create --name bench --size "$volume_size" --storage-class "$storage_class" >>"$log" 2>&1 &&
    wait_for mountpoint -q "$work/volumes/bench" && add galleonfs "$work/volumes/bench/run"
}

start_fuse_ll() {
  local source=/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c copy=$work/passthrough
  if [ ! -e "$source" ] && [ -e "$source.gz" ]; then mkdir -p "$copy" && gunzip -c "$source.gz" >"$copy/passthrough_ll.c"
  elif [ -e "$source" ]; then mkdir -p "$copy" && cp "${source%/*}"/*.[ch] "$copy/"
  else progress "fuse-ll: no $source"; return 1; fi
  # Debian leaves out the header that only the build of libfuse itself needs.
  sed -i '/#include <fuse_lowlevel.h>/i #define HAVE_UTIMENSAT 1\n#define HAVE_FSTATAT 1' "$copy/passthrough_ll.c"
  cc -O2 -D_GNU_SOURCE -I"$copy" "$copy/passthrough_ll.c" -o "$work/passthrough_ll" \
    $(pkg-config --cflags --libs fuse3) >>"$log" 2>&1 || { progress "fuse-ll: cannot be compiled"; return 1; }
  mkdir -m 777 "$work/base/ll" "$work/ll"
  "$work/passthrough_ll" -f -o "source=$work/base/ll,allow_other,default_permissions" "$work/ll" \
    >>"$log" 2>&1 &
  pids+=("$!")
  wait_for mountpoint -q "$work/ll" && add fuse-ll "$work/ll"
}

start_fuse_null() {
  [ -x "$bin/galleonfs-bench" ] || { progress "fuse-null: no $bin/galleonfs-bench"; return 1; }
  mkdir "$work/null"
  "$bin/galleonfs-bench" null-mount "$work/null" >>"$log" 2>&1 </dev/null &
  pids+=("$!")
  wait_for mountpoint -q "$work/null" && add fuse-null "$work/null/run"
}

start_gluster() {
  command -v gluster >/dev/null || { progress "gluster: not installed (glusterfs-server)"; return 1; }
  pgrep -x glusterd >/dev/null || { progress "gluster: glusterd does not run"; return 1; }
  local_disk brick && mkdir "$work/brick/data" "$work/gluster" || return 1
  gluster volume create bench "$(hostname):$work/brick/data" force >>"$log" 2>&1 &&
    gluster volume start bench >>"$log" 2>&1 && gluster_up=1 &&
    mount -t glusterfs "$(hostname):/bench" "$work/gluster" && add gluster "$work/gluster/run"
}

# Groups of rows. Each gets a system and its directory and prints `key TAB value` lines.

seconds_of() {
  local start end
  start=$(date +%s%N)
  "$@" >/dev/null 2>>"$log" || return 1
  end=$(date +%s%N)
  echo $(((end - start) / 1000000)) | awk '{ printf "%.3f", $1 / 1000 }'
}
row_seconds() {
  local key=$1 value
  shift
  value=$(seconds_of "$@") && printf '%s\t%s\n' "$key" "$value"
}

rows_files() {
  local at=$1
  export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost GIT_COMMITTER_NAME=a
  export GIT_COMMITTER_EMAIL=a@localhost GIT_CONFIG_GLOBAL=/dev/null
  row_seconds untar tar -C "$at" -xf "$work/tree.tar"
  git -C "$at/tree" init -q
  row_seconds git-add git -C "$at/tree" add .
  row_seconds git-commit git -C "$at/tree" commit -qm one
  row_seconds git-status git -C "$at/tree" status --porcelain
  row_seconds rm-rf rm -rf "$at/tree"
}

rows_sqlite() {
  local mode
  for mode in wal delete; do
    python3 - "$1/bench.db" "$mode" "$SECONDS_PER_ROW" <<'PYTHON'
import os, sqlite3, sys, time
path, mode, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
base = sqlite3.connect(path, isolation_level=None)
base.execute(f"pragma journal_mode={mode}")
base.execute("pragma synchronous=full")
base.execute("create table t (id integer primary key, v text)")
count, start = 0, time.monotonic()
while time.monotonic() - start < seconds:
    base.execute("insert into t (v) values (?)", ("x" * 100,))
    count += 1
print(f"sqlite-{mode}\t{count / (time.monotonic() - start):.0f}")
base.close()
for suffix in ["", "-wal", "-shm", "-journal"]:
    if os.path.exists(path + suffix):
        os.unlink(path + suffix)
PYTHON
  done
}

rows_postgresql() {
  local at=$1 programs data=$1/pgdata socket=$work/pgsocket value
  programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)")
  [ -x "$programs/initdb" ] || return 1
  chmod 755 "$work" "$work/volumes" 2>/dev/null
  mkdir -p "$socket" "$data" && chown postgres "$socket" "$data" || return 1
  as_postgres() { (cd / && runuser -u postgres -- "$@"); }
  if value=$(seconds_of as_postgres "$programs/initdb" -D "$data"); then
    printf 'initdb\t%s\n' "$value"
    as_postgres "$programs/pg_ctl" -D "$data" -w -l "$socket/log" \
      -o "-k $socket -c listen_addresses=''" start >/dev/null 2>>"$log" &&
      as_postgres "$programs/pgbench" -h "$socket" -i -q -s "$pgbench_scale" postgres >/dev/null 2>>"$log" &&
      as_postgres "$programs/pgbench" -h "$socket" -c 2 -j 2 -T "$pgbench_seconds" postgres 2>>"$log" |
      awk '/^tps/ { printf "pgbench\t%d\n", $3 }'
    as_postgres "$programs/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>>"$log"
  fi
  rm -rf "$data"
}

measure() {
  local system=$1 group=$2 at=${place[$1]}
  case $group in
    data | sync | names | small) "$work/filebench" "$group" "$at" ;;
    *) "rows_$group" "$at" ;;
  esac 2>>"$log" | awk -v who="$system" -F '\t' 'NF == 2 { print who "\t" $1 "\t" $2 }' >>"$results"
}

# daemon_costs: resident memory with ten volumes mounted, and CPU when nobody asks anything.
daemon_costs() {
  local number before after ticks
  ticks=$(getconf CLK_TCK)
  for number in 1 2 3 4 5 6 7 8 9; do
    cli volume create --name "idle$number" --size 64M --storage-class "$storage_class" >>"$log" 2>&1
    wait_for mountpoint -q "$work/volumes/idle$number"
  done
  sleep 2
  before=$(awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat")
  sleep "$idle_seconds"
  after=$(awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat")
  printf 'daemon\trss-mib\t%s\n' "$(awk '/VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$daemon_pid/status")"
  printf 'daemon\tidle-percent\t%s\n' \
    "$(awk -v t=$((after - before)) -v s="$idle_seconds" -v hz="$ticks" 'BEGIN { printf "%.2f", 100 * t / hz / s }')"
}

progress "compiling filebench, making disks of $image_mib MiB in $work"
swiftc -O -swift-version 6 -o "$work/filebench" Tests/Benchmarks/filebench.swift || exit 1
python3 - "$work/tree" "$tree_files" <<'PYTHON'
import os, random, sys
root, count = sys.argv[1], int(sys.argv[2])
chance = random.Random(1)
for number in range(count):
    directory = f"{root}/d{number % 50}/e{number % 3}"
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/{number}.txt", "wb") as file:
        file.write(chance.randbytes(chance.choice([500, 2000, 4096, 9000, 20000])))
PYTHON
tar -C "$work" -cf "$work/tree.tar" tree && rm -rf "$work/tree"

start_ext4 || { progress "no local file system to compare with"; exit 1; }
start_galleonfs || { progress "galleonfs does not serve a volume"; exit 1; }
start_fuse_ll || progress "fuse-ll is left out"
start_fuse_null || progress "fuse-null is left out"
[ "${WITH_GLUSTER:-}" != 1 ] || start_gluster || progress "gluster is left out"

for ((round = 1; round <= rounds; round++)); do
  for group in $groups; do
    for system in "${systems[@]}"; do
      # The null file system keeps no data for programs that read back what they wrote.
      case $system/$group in fuse-null/files | fuse-null/sqlite | fuse-null/postgresql) continue ;; esac
      # passthrough_ll makes all files as root, which PostgreSQL refuses.
      [ "$system/$group" != fuse-ll/postgresql ] || continue
      progress "round $round of $rounds: $group on $system"
      measure "$system" "$group"
    done
  done
done
daemon_costs >>"$results"

python3 Tests/Benchmarks/table.py "$results" --rounds "$rounds" --systems "${systems[*]}" \
  --groups "$groups" $([ "$smoke" = 1 ] && echo --smoke)
