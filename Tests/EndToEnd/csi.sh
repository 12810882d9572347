#!/usr/bin/env bash
# A volume's life over the CSI socket, as the sidecars and the kubelet lead it: file systems and raw
# devices, readers, expansion, repeated calls, and calls again after a crash.
. "$(dirname "$0")/lib.sh"

mount_flags=()

csi() {
  local call=$1
  shift
  "$bin/galleonctl" csi "$call" --endpoint "unix://$csi_socket" "$@"
}
stage=$work/kubelet/stage
pods=$work/kubelet/pods
mkdir -p "$pods"

# make NAME SIZE [FLAG...]: provisions, attaches and stages. Checks run in a process of their own,
# so the ID travels in a file.
make() {
  local name=$1 size=$2 id
  shift 2
  id=$(csi create-volume --name "$name" --size "$size" --parameter replication=1 "$@") || return 1
  echo "$id" >"$work/id"
  csi controller-publish "$id" --node e2e "$@" && mkdir -p "$stage/$name" &&
    csi stage "$id" --staging-path "$stage/$name" "$@"
}
# unmake NAME: undoes it; the targets must be unpublished.
unmake() {
  csi unstage "$id" --staging-path "$stage/$1" && csi controller-unpublish "$id" --node e2e &&
    csi delete-volume "$id"
}
publish() {
  local name=$1 target=$2
  shift 2
  csi publish "$id" --staging-path "$stage/$name" --target-path "$pods/$target" "$@"
}
unpublish() { csi unpublish "$id" --target-path "$pods/$1"; }
kind() { findmnt -n -o FSTYPE "$pods/$1" | tail -n 1 | sed 's/^fuse\..*/fuse/'; }
# CAP_SYS_RESOURCE is bit 24 (capabilities(7)).
may_resize() { [ $((0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 24 & 1)) = 1 ]; }
room() { df -B1 --output=size "$pods/$1" | tail -n 1 | tr -d ' '; }

daemon_start || finish
check "the driver is ready" csi probe

for type in galleonfs ext4 xfs; do
  # xfs refuses to be made on less than 300 MiB.
  check "$type: provision, attach and stage" make "$type" 512M --fs-type "$type" || continue
  id=$(cat "$work/id")
  check "$type: publish" publish "$type" one --fs-type "$type"
  equal "${type/galleonfs/fuse}" "$(kind one)" "$type: the mount is of this kind"
  check "$type: write" bash -c "echo kept >'$pods/one/file' && sync -f '$pods/one'"
  check "$type: the same stage again" csi stage "$id" --staging-path "$stage/$type" --fs-type "$type"
  check "$type: the same publish again" publish "$type" one --fs-type "$type"
  check "$type: publish at a second path" publish "$type" two --fs-type "$type"
  equal kept "$(cat "$pods/two/file")" "$type: both show the same files"
  check "$type: publish read-only at a third" publish "$type" three --fs-type "$type" --readonly
  expect_exit 1 "$type: writing there fails" bash -c "echo no >'$pods/three/file'"
  expect_said "Read-only" "   with EROFS"
  before=$(room one)
  if [ "$type" = ext4 ] && ! may_resize; then
    say "skip  ext4: expand online: the kernel wants CAP_SYS_RESOURCE, which is taken from us here"
  else
    check "$type: expand online" csi expand "$id" --size 1G --target-path "$pods/one"
    if [ "$(room one)" -gt "$before" ]; then ok "$type: the mount has grown"; else
      bad "$type: the mount has grown ($before, then $(room one))"
    fi
  fi
  echo unsynced >"$pods/one/late"
  daemon_kill
  daemon_start || finish
  # The kubelet calls again on the same paths, with nothing undone in between.
  check "$type: after kill -9, stage again" csi stage "$id" --staging-path "$stage/$type" --fs-type "$type"
  check "$type: after kill -9, publish again" publish "$type" one --fs-type "$type"
  equal kept "$(timeout 20 cat "$pods/one/file")" "$type: after kill -9, the files are there"
  check "$type: after kill -9, it takes writes" \
    timeout 20 bash -c "echo more >'$pods/one/more' && sync -f '$pods/one'"
  for target in one two three; do
    check "$type: unpublish $target" unpublish "$target"
    if mountpoint -q "$pods/$target" || [ -e "$pods/$target" ]; then bad "   and it is gone"; fi
  done
  check "$type: unpublish again succeeds" unpublish one
  check "$type: unstage, detach and delete" unmake "$type"
  check "$type: delete again succeeds" csi delete-volume "$id"
done

check "block: provision, attach and stage" make raw 64M --block
id=$(cat "$work/id")
check "block: publish" publish raw device --block
check "block: the target is a device" test -b "$pods/device"
equal $((64 << 20)) "$(blockdev --getsize64 "$pods/device")" "block: of exactly the volume's size"
head -c 8M /dev/urandom >"$work/original"
check "block: write past the page cache" \
  dd if="$work/original" of="$pods/device" bs=1M oflag=direct conv=fsync status=none
daemon_kill
daemon_start || finish
check "block: after kill -9, stage again" csi stage "$id" --staging-path "$stage/raw" --block
check "block: after kill -9, publish again" publish raw device --block
check "block: after kill -9, the bytes are there" \
  timeout 20 cmp -n $((8 << 20)) "$work/original" "$pods/device"
check "block: unpublish" unpublish device
check "block: unstage, detach and delete" unmake raw

say "access modes"
check "RWOP: provision and stage" make rwop 64M --access-mode SINGLE_NODE_SINGLE_WRITER
id=$(cat "$work/id")
check "RWOP: publish" publish rwop first --access-mode SINGLE_NODE_SINGLE_WRITER
expect_exit 1 "RWOP: a second path is refused" publish rwop second --access-mode SINGLE_NODE_SINGLE_WRITER
check "RWOP: unpublish" unpublish first
check "RWOP: then another may have it" publish rwop second --access-mode SINGLE_NODE_SINGLE_WRITER
check "RWOP: unpublish that" unpublish second
check "RWOP: delete" unmake rwop

say "refusals"
expect_exit 2 "a parameter that does not exist" \
  csi create-volume --name odd --size 64M --parameter replicaz=1
expect_said replicaz "   is named"
check "a volume" make taken 64M
id=$(cat "$work/id")
expect_exit 1 "the same name with another size" \
  csi create-volume --name taken --size 128M --parameter replication=1
check "the same name with the same size gives the same volume" bash -c "[ '$id' = \"\$('$bin/galleonctl' csi create-volume --endpoint 'unix://$csi_socket' --name taken --size 64M --parameter replication=1)\" ]"
expect_exit 1 "deleting a volume that is attached" csi delete-volume "$id"
check "and then in order" unmake taken
expect_exit 3 "staging a volume that does not exist" \
  csi stage 00000000-0000-4000-8000-000000000000 --staging-path "$stage/none"
finish
