#!/usr/bin/env bash
# A known plaintext, file names included, is nowhere in the pool of an encrypted volume, whatever
# way it took; in the pool of a plain one it is, so the search would have found it.
. "$(dirname "$0")/lib.sh"

# Long enough to be no accident; never in the arguments of a process that the daemon logs.
secret=wreck-of-the-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

# hide DIRECTORY: leaves the secret in data of all sizes, names, attributes and links.
hide() {
  local at=$1
  printf '%s' "$secret" >"$at/tiny"
  printf '%s' "$secret" >"$at/$secret"
  mkdir "$at/directory-$secret"
  ln -s "/somewhere/$secret" "$at/link"
  python3 - "$at" "$secret" <<'PYTHON'
import os, sys
at, secret = sys.argv[1], sys.argv[2].encode()
os.setxattr(f"{at}/directory-{sys.argv[2]}", f"user.{sys.argv[2]}", secret)
for name, size in [("page", 4096), ("piece", 60000), ("large", 4 << 20)]:
    with open(f"{at}/{name}", "wb") as file:
        file.write((secret + b"\n") * (size // (len(secret) + 1)))
        file.flush()
        os.fsync(file.fileno())
# Overwritten, renamed and removed things leave traces too.
with open(f"{at}/page", "r+b") as file:
    file.write(secret * 2)
    os.fsync(file.fileno())
os.rename(f"{at}/piece", f"{at}/renamed-{sys.argv[2]}")
os.unlink(f"{at}/tiny")
PYTHON
  sync -f "$at"
}

# found: files of the storage path that hold the secret, or bear it; mounts below it left out.
found() {
  find "$storage" -xdev -type f -exec grep -laF -- "$secret" {} + | sed "s|$storage/||"
  find "$storage" -xdev -name "*$secret*"
}

daemon_start || finish
volume_create sealed 256M --storage-class encrypted-storage || finish
hide "$mounts/sealed"
equal "" "$(found)" "the secret is nowhere while the volume is mounted"
daemon_kill
equal "" "$(found)" "nor after kill -9"
daemon_start || finish
wait_until 10 mounted sealed
equal "" "$(found)" "nor after recovery"
check "the volume still gives it to its reader" grep -qF -- "$secret" "$mounts/sealed/large"
equal "/somewhere/$secret" "$(readlink "$mounts/sealed/link")" "and its names and links"
daemon_stop || bad "the daemon ends"
equal "" "$(found)" "nor after a clean stop"
if grep -qF -- "$secret" "$log"; then bad "the log does not tell it"; else
  ok "the log does not tell it"
fi
keys=$(find "$storage" -name '*key*' -type f | grep -v '/index/')
if [ -n "$keys" ]; then
  equal "" "$(find $keys ! -perm 0600)" "key files are readable by root only"
else bad "a key file exists"; fi

daemon_start || finish
volume_create plain 256M --storage-class fast-local-ssd || finish
hide "$mounts/plain"
if [ -n "$(found)" ]; then ok "the search finds it in a plain volume's pool"; else
  bad "the search finds it in a plain volume's pool"
fi
finish
