#!/usr/bin/env bash
# ENOSPC arrives at exactly the volume's size, the volume stays usable, and freed space comes back
# to the host's disk.
. "$(dirname "$0")/lib.sh"

size_mib=${SIZE_MIB:-$(choose 64 512)}
block=${BLOCK_BYTES:-4096}
# What the host may keep after everything was deleted: index and rounding, not data.
slack_kib=${SLACK_KIB:-8192}

# Space is given back by the checkpoint that makes the deletion durable.
daemon_flags=(--checkpoint-interval 2)
daemon_start || finish
volume_create full "${size_mib}M" || finish
at=$mounts/full
size=$((size_mib << 20))

# Bytes that the data files occupy on the host's disk; the journal is preallocated and stays.
segment_kib() { du -xsk "$storage" --exclude=journal --exclude=etcd | cut -f1; }
stat_bytes() { stat -f -c "%$1 * %S" "$2" | { read -r a _ b; echo $((a * b)); }; }
# fill FILE: appends and syncs until the volume is full; prints the bytes that were accepted.
fill() {
  python3 - "$1" "$block" <<'PYTHON'
import errno, os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_DSYNC, 0o644)
step, offset, piece = 1 << 20, 0, os.urandom(1 << 20)
while step >= int(sys.argv[2]):
    try:
        offset += os.pwrite(file, piece[:step], offset)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # What an attempt that failed left behind is given back before the next, smaller one.
        os.ftruncate(file, offset)
        step //= 2
os.fsync(file)
print(offset)
PYTHON
}

before_kib=$(segment_kib)
equal "$size" "$(stat_bytes b "$at")" "statfs tells the volume's size"
written=$(fill "$at/filler")
equal "$size" "$written" "exactly the volume's size can be written"
equal "$size" "$(stat -c %s "$at/filler")" "the file has the size that was accepted"
equal 0 "$(stat_bytes f "$at")" "statfs tells that nothing is free"
sum=$(sha256sum <"$at/filler")

expect_exit 1 "another byte is refused" bash -c "printf x | dd of='$at/more' conv=fsync status=none"
expect_said "No space left" "the reason is ENOSPC"
rm -f "$at/more"
check "an overwrite in place still works" \
  dd if=/dev/zero of="$at/filler" bs="$block" count=4 conv=notrunc,fsync status=none
# The kernel tells the write that it could not bring home to the next who syncs the file system.
sync -f "$at" 2>/dev/null
check "an empty file, a directory and a rename still work" \
  bash -c "touch '$at/empty' && mkdir '$at/directory' && mv '$at/empty' '$at/directory/' && sync -f '$at'"
check "fallocate beyond the size fails" bash -c "! fallocate -l $((size * 2)) '$at/directory/empty'"
daemon_kill
daemon_start || finish
wait_until 10 mounted full
equal "$size" "$(stat -c %s "$at/filler")" "a full volume survives kill -9"
drop_caches
equal "$(dd if=/dev/zero bs="$block" count=4 status=none | sha256sum)" \
  "$(head -c $((4 * block)) "$at/filler" | sha256sum)" "what was overwritten is there"
[ -n "$sum" ] && check "the rest can be read" cmp -n 1 "$at/filler" /dev/zero

half=$((size / 2))
check "punching a hole succeeds" fallocate -p -o 0 -l "$half" "$at/filler"
equal "$half" "$(stat_bytes f "$at")" "the hole's space is free again"
equal "$half" "$(fill "$at/second")" "exactly the freed space can be written again"
rm "$at/filler" "$at/second"
sync -f "$at"
equal "$size" "$(stat_bytes f "$at")" "after the deletion everything is free"
given_back() { [ $(($(segment_kib) - before_kib)) -lt "$slack_kib" ]; }
if wait_until 30 given_back; then ok "the host's disk has the space back"; else
  bad "the host's disk has the space back ($(($(segment_kib) - before_kib)) KiB are kept)"
fi
equal "$size" "$(fill "$at/again")" "the volume can be filled again"
finish
