#!/usr/bin/env bash
# From a fresh Debian 12 with Swift 6.3 to a verified volume: installs packages, builds, and does
# over the CSI socket what Kubernetes does (provision, publish, stage, publish), writes, ends the
# daemon by kill -9, starts it again, reads back, undoes everything and says what was verified.
#
#   Deploy/quickstart.sh          cleans up after itself
#   Deploy/quickstart.sh --keep   leaves the daemon and the volume running to play with
#   Deploy/quickstart.sh --stop   ends what --keep left
#
# Settings: GALLEONFS_BIN (directory of ready binaries: nothing is installed or built),
# QUICKSTART_DIR (/var/tmp/galleonfs-quickstart), VOLUME_SIZE (1G), DATA_MIB (64).
set -eu -o pipefail

[ "$(id -u)" = 0 ] || exec sudo env "PATH=$PATH" "$0" "$@"
cd "$(dirname "$0")/.."
top=$PWD

home=${QUICKSTART_DIR:-/var/tmp/galleonfs-quickstart}
volume_size=${VOLUME_SIZE:-1G}
data_mib=${DATA_MIB:-64}
file_count=${FILE_COUNT:-200}
node=quickstart
staging=$home/kubelet/staging
target=$home/kubelet/pod/data
socket=$home/csi.sock
packages=(
  libfuse3-dev fuse3 libssl-dev libgrpc-dev libprotobuf-c-dev librocksdb-dev libxxhash-dev
  libzstd-dev etcd-server pkg-config git ca-certificates
)
began=$SECONDS
keep=0
daemon=
volume=

step() { printf '\n[%3d s] %s\n' $((SECONDS - began)) "$*"; }
note() { printf '        %s\n' "$*"; }
fail() { printf '\nFAILED: %s\n' "$*" >&2; exit 1; }

unmount_all() {
  local path
  awk -v home="$home/" 'index($2, home) == 1 { print $2 }' /proc/mounts | sort -r |
    while IFS= read -r path; do umount -l "$path" 2>/dev/null || true; done
}

end_daemon() {
  local pid=$1 patience=300
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null && [ "$patience" -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

remove_home() {
  [ -e "$home/quickstart" ] || return 0
  [ ! -s "$home/pid" ] || end_daemon "$(cat "$home/pid")"
  unmount_all
  rm -rf --one-file-system "$home"
}

on_exit() {
  local status=$?
  trap - EXIT
  if [ "$status" != 0 ]; then
    echo "The end of the daemon's log:" >&2
    tail -n 20 "$home/daemon.log" >&2 2>/dev/null || true
  fi
  [ "$keep" = 1 ] && [ "$status" = 0 ] || remove_home
  exit "$status"
}

case ${1:-} in
  "") ;;
  --keep) keep=1 ;;
  --stop) remove_home && echo "Nothing of the quickstart is left." && exit ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; [ "$1" = --help ] && exit 0 || exit 2 ;;
esac

[ -c /dev/fuse ] || modprobe fuse 2>/dev/null || fail "no /dev/fuse: the kernel needs its module fuse"
if [ -e "$home" ] && [ ! -e "$home/quickstart" ]; then fail "$home is not ours; set QUICKSTART_DIR"; fi
remove_home

if [ -n "${GALLEONFS_BIN:-}" ]; then
  bin=$GALLEONFS_BIN
else
  bin=$top/.build/release
  step "Packages"
  missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then note "all are there"; else
    note "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  step "Build (release)"
  command -v swift >/dev/null || fail "swift is not in PATH; install Swift 6.3 from swift.org"
  for product in galleonfs galleonctl galleonfs-mountkeeper; do
    swift build -c release --product "$product" 2>&1 | awk '
      /error:/ { print; next }
      match($0, /^\[[0-9]+\/[0-9]+\]/) {
        count = substr($0, RSTART, RLENGTH)
        if (systime() - last >= 10) { printf "        %s\n", count; fflush(); last = systime() }
      }
      /^Build of product|Compiling,|warning: unre/ { print "        " $0; fflush() }' ||
      fail "the build of $product"
  done
fi
[ -x "$bin/galleonfs" ] && [ -x "$bin/galleonctl" ] || fail "no binaries in $bin"

trap on_exit EXIT
trap 'exit 130' INT TERM
# The kubelet makes the stage itself and the parent of the target.
mkdir -p "$staging" "$home/kubelet/pod"
touch "$home/quickstart"

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
storage_port=$(free_port)
control_port=$(free_port)

ctl() { "$bin/galleonctl" --daemon-address "127.0.0.1:$control_port" "$@"; }
csi() {
  local call=$1
  shift
  "$bin/galleonctl" csi "$call" --endpoint "unix://$socket" "$@"
}

start_daemon() {
  "$bin/galleonfs" -d --storage-path "$home/storage" --node-name "$node" \
    --bind-address "127.0.0.1:$storage_port" --ipc-address "127.0.0.1:$control_port" \
    --csi-endpoint "unix://$socket" >>"$home/daemon.log" 2>&1 </dev/null &
  daemon=$!
  disown "$daemon"
  echo "$daemon" >"$home/pid"
  local patience=600
  until csi probe >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || fail "the daemon ended while starting"
    patience=$((patience - 1))
    [ "$patience" -gt 0 ] || fail "the daemon is not ready after a minute"
    sleep 0.1
  done
}

step "Start the daemon"
start_daemon
note "process $daemon, CSI on unix://$socket, control on 127.0.0.1:$control_port"

step "Provision, attach, stage and publish a volume of $volume_size over the CSI socket"
volume=$(csi create-volume --name quickstart --size "$volume_size" \
  --parameter encryption=true --parameter replication=1)
note "CreateVolume              $volume (encrypted with AES-256-GCM)"
csi controller-publish "$volume" --node "$node" >/dev/null
note "ControllerPublishVolume   on node $node"
csi stage "$volume" --staging-path "$staging" >/dev/null
note "NodeStageVolume           $staging"
csi publish "$volume" --staging-path "$staging" --target-path "$target" >/dev/null
note "NodePublishVolume         $target"
mountpoint -q "$target" || fail "nothing is mounted at $target"

step "Write $data_mib MiB and $file_count small files, and sync"
sums=$home/sums
secret="a known plaintext $RANDOM$RANDOM$RANDOM"
mkdir "$target/small"
head -c "${data_mib}M" /dev/urandom >"$target/large"
for ((number = 0; number < file_count; number++)); do
  echo "$secret, number $number" >"$target/small/$number"
done
sync -f "$target"
(cd "$target" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$sums"
df -h --output=size,used,avail,target "$target" | sed 's/^/        /'

step "End the daemon by kill -9 and start it again"
kill -9 "$daemon"
while kill -0 "$daemon" 2>/dev/null; do sleep 0.01; done
restarted=$(date +%s%N)
start_daemon
until (cd "$target" && [ -s small/0 ]) 2>/dev/null; do
  [ $((($(date +%s%N) - restarted) / 1000000000)) -lt 30 ] ||
    fail "the published volume is not back after 30 s"
  sleep 0.02
done
note "the published volume serves again after $((($(date +%s%N) - restarted) / 1000000)) ms"

step "Read everything back"
sync
echo 3 >/proc/sys/vm/drop_caches 2>/dev/null || true
(cd "$target" && sha256sum --quiet -c "$sums") || fail "what was read is not what was written"
note "$(wc -l <"$sums") files have the checksums that they were written with"
# The daemon's own log and this directory's list of sums lie outside of the pool.
if find "$home/storage" -xdev -type f -exec grep -qaF -- "$secret" {} \; -print | grep -q .; then
  fail "the pool holds plaintext"
fi
note "the plaintext is nowhere in the pool"
echo "still writable" >"$target/after" && sync -f "$target"
note "the volume takes new writes"

if [ "$keep" = 1 ]; then
  step "Left running"
  cat <<TEXT

  ls $target
  alias ctl='$bin/galleonctl --daemon-address 127.0.0.1:$control_port'
  ctl volume list
  ctl volume create --name mine --size 1G --storage-class fast-local-ssd
  ctl volume mount mine /mnt/mine
  ctl daemon status
  tail -f $home/daemon.log

  Deploy/quickstart.sh --stop    ends all of it
TEXT
  exit 0
fi

step "Unpublish, unstage, detach and delete"
csi unpublish "$volume" --target-path "$target" >/dev/null
csi unstage "$volume" --staging-path "$staging" >/dev/null
csi controller-unpublish "$volume" --node "$node" >/dev/null
csi delete-volume "$volume" >/dev/null
! mountpoint -q "$target" || fail "$target is still mounted"
[ -z "$(ctl volume list -o json | grep -o "$volume" | head -n 1)" ] || fail "the volume is still there"
end_daemon "$daemon"
! grep -q " $home/" /proc/mounts || fail "a mount is left behind"
note "no volume, no mount and no process is left"

printf '\nVerified in %d s: a volume provisioned, published and deleted over CSI; %s files\n' \
  $((SECONDS - began)) "$(wc -l <"$sums")"
printf 'read back with their checksums after kill -9 of the daemon; no plaintext on the disk.\n'
