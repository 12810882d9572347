#!/usr/bin/env bash
# A flipped bit in a segment gives EIO to its reader, is named in the log and in `volume get`, and
# touches nothing else.
. "$(dirname "$0")/lib.sh"

file_mib=${FILE_MIB:-4}
classes=${CLASSES:-"fast-local-ssd encrypted-storage"}

# flip NAME STORAGE: flips one bit of the largest segment file of the volume, in the middle of its
# data, and prints where.
flip() {
  python3 - "$1" "$2" <<'PYTHON'
import os, sys
volume, storage = sys.argv[1:]
files = []
for parent, _, names in os.walk(storage):
    if "/segments/" in parent + "/" and volume in parent:
        files += [os.path.join(parent, name) for name in names]
path = max(files, key=lambda name: os.stat(name).st_blocks)
with open(path, "r+b") as file:
    # The middle of the first long run of data.
    start = os.lseek(file.fileno(), 0, os.SEEK_DATA)
    end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
    offset = (start + (end - start) // 2) // 4096 * 4096 + 1234
    file.seek(offset)
    byte = file.read(1)[0]
    file.seek(offset)
    file.write(bytes([byte ^ 0x10]))
    file.flush()
    os.fsync(file.fileno())
print(f"{os.path.relpath(path, storage)}, byte {offset}")
PYTHON
}

# unreadable FILE: prints the numbers of the 4 KiB blocks that give EIO, and of those that differ.
compare() {
  python3 - "$1" "$2" <<'PYTHON'
import errno, os, sys
rotten, wrong = [], []
found, wanted = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_RDONLY)
os.posix_fadvise(found, 0, 0, os.POSIX_FADV_RANDOM)
for block in range(os.fstat(wanted).st_size // 4096):
    try:
        if os.pread(found, 4096, block * 4096) != os.pread(wanted, 4096, block * 4096):
            wrong.append(block)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        rotten.append(block)
print(len(rotten), len(wrong))
PYTHON
}

for class in $classes; do
  volume=rot-$class
  daemon_start || finish
  volume_create "$volume" 256M --storage-class "$class" || finish
  at=$mounts/$volume
  head -c "${file_mib}M" /dev/urandom >"$work/original"
  dd if="$work/original" of="$at/first" bs=1M conv=fsync status=none
  dd if="$work/original" of="$at/second" bs=1M conv=fsync status=none
  id=$(cli volume get "$volume" -o json | python3 -c '
import json, sys
print(json.load(sys.stdin)["id"])')
  daemon_stop || bad "$class: the daemon ends"
  say "$class: flipped a bit in $(flip "$id" "$storage")"
  : >"$log"
  daemon_start || finish
  wait_until 10 mounted "$volume"
  drop_caches
  read -r rotten1 wrong1 <<<"$(compare "$at/first" "$work/original")"
  read -r rotten2 wrong2 <<<"$(compare "$at/second" "$work/original")"
  equal 1 $((rotten1 + rotten2)) "$class: exactly one block gives EIO"
  equal 0 $((wrong1 + wrong2)) "$class: no block gives wrong bytes"
  check "$class: the log names it" grep -Eiq 'corrupt|verif|checksum' "$log"
  expect_exit 0 "$class: volume get answers" cli volume get "$volume"
  expect_said 'object [0-9]+, block [0-9]+' "$class: and names the block"
  rotten=$at/first
  [ "$rotten1" = 1 ] || rotten=$at/second
  expect_exit 1 "$class: a reader of the whole file fails" cat "$rotten"
  expect_said "Input/output error" "$class: with EIO"
  check "$class: other files can be written and read" \
    bash -c "cp '$work/original' '$at/third' && sync -f '$at' && cmp '$work/original' '$at/third'"
  check "$class: writing the file anew heals it" \
    bash -c "cp '$work/original' '$rotten' && sync -f '$at' && cmp '$work/original' '$rotten'"
  daemon_stop || bad "$class: the daemon ends after the rot"
done
finish
