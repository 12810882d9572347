#!/usr/bin/env bash
# Bad input, one by one: each is refused with a message that says what was found, and the daemon
# goes on serving what it served.
. "$(dirname "$0")/lib.sh"

long=$(printf 'n%.0s' {1..300})

daemon_start || finish
volume_create witness 64M || finish
echo "still here" >"$mounts/witness/file"
sync -f "$mounts/witness"

# refused CODE PATTERN SENTENCE COMMAND...
refused() {
  local code=$1 pattern=$2 sentence=$3
  shift 3
  expect_exit "$code" "$sentence" "$@" && expect_said "$pattern" "   and is told why"
}
create() { cli volume create --storage-class fast-local-ssd "$@"; }

say "arguments"
refused 2 'size|0' "size 0" create --name a --size 0
refused 2 'size|-1' "a negative size" create --name a --size=-1G
refused 2 'size|big' "a size that is no number" create --name a --size big
refused 2 'size|range|large|number' "a size beyond 64 bits" create --name a --size 99999999999999999999G
refused 1 'pool|space|capacity|bytes' "a size beyond the pool" create --name a --size 4000000G
refused 2 'name|128' "a name of 300 characters" create --name "$long" --size 64M
refused 2 'name' "an empty name" create --name "" --size 64M
refused 2 'name' "a name that climbs out" create --name ../../etc/passwd --size 64M
refused 2 'name' "a name with a slash" create --name a/b --size 64M
refused 2 'name' "a name that begins with a dot" create --name .. --size 64M
refused 2 'type|persistent' "an unknown volume type" create --name a --size 64M --volume-type ramdisk
refused 3 'class' "an unknown storage class" cli volume create --name a --size 64M --storage-class nope
refused 2 'replicas' "no replicas" create --name a --size 64M --replicas 0
refused 1 'exist|witness' "a name that is taken, with another size" create --name witness --size 128M
refused 3 'nope' "a volume that does not exist" cli volume get nope
refused 3 'climb|\.\.|volume' "an ID that climbs out" cli volume get ../../../etc
refused 2 'usage|unknown|unexpected' "an unknown command" cli volume frobnicate
refused 2 'usage|unknown|-o|json' "an unknown output format" cli volume list -o xml
refused 4 'reach|connect|refused' "a daemon that is not there" \
  "$bin/galleonfs" --daemon-address "127.0.0.1:$(free_port)" volume list
refused 2 'address|port' "an address that is none" "$bin/galleonfs" --daemon-address nowhere volume list

say "paths"
touch "$work/file"
refused 1 'file|director' "a target that is a file" cli volume mount witness "$work/file"
mkdir "$work/busy" && mount -t tmpfs none "$work/busy"
refused 1 'occupied|mounted' "a target where something else is mounted" cli volume mount witness "$work/busy"
umount "$work/busy"
check "a mount of its own" cli volume mount witness "$work/explicit"
refused 1 'in use|mounted|published' "deleting a volume that is mounted" cli volume delete witness
check "unmounting it" cli volume unmount "$work/explicit"
refused 3 'mounted|volume' "unmounting what is not mounted" cli volume unmount "$work/busy"

say "class files"
printf '{"name": "broken"' >"$work/class.json"
refused 2 'json|parse|end|class' "a class file that is not JSON" cli storage-class create "$work/class.json"
printf 'name: odd\nprovisioner: csi.galleonfs.io\nparameters:\n  replicaz: "3"\n' >"$work/class.yaml"
refused 2 'replicaz' "a class with an unknown parameter" cli storage-class create "$work/class.yaml"
refused 2 'file|director|missing' "a class file that is missing" cli storage-class create "$work/none.yaml"

say "daemon"
# other FLAG...: starts a second daemon on a place of its own, which is to refuse.
other() {
  timeout 20 "$bin/galleonfs" -d --storage-path "$work/other" \
    --bind-address "127.0.0.1:$(free_port)" --ipc-address "127.0.0.1:$(free_port)" "$@" </dev/null
}
refused 1 'storage|lock|use|running' "a second daemon on the same storage path" \
  other --storage-path "$storage"
refused 1 'use|bind|address' "an address that is in use" other --ipc-address "127.0.0.1:$ipc_port"
refused 2 'insecure|tls|loopback' "an address off loopback without TLS" other --bind-address 0.0.0.0:18080
refused 2 'block' "a block size of 5000" other --block-size 5000
refused 2 'level|log' "an unknown log level" other --log-level loud
refused 2 'strategy|synchronous' "an unknown strategy" other --replication-strategy sometimes
refused 2 'peer|node|cluster' "peers, before there are clusters" other --peer-addresses 127.0.0.1:18081
printf '[daemon]\nstorage_paht = "/tmp"\n' >"$work/bad.conf"
refused 2 'storage_paht.*storage_path|storage_path' "an unknown key, with the nearest known one" \
  other --config "$work/bad.conf"
printf '[daemon\n' >"$work/bad.conf"
refused 2 'line|toml|parse|expected' "a config file that is not TOML" other --config "$work/bad.conf"
refused 2 'none.conf|file' "a config file that is missing" other --config "$work/none.conf"
touch "$work/plain"
refused 1 'director|storage' "a storage path that is a file" other --storage-path "$work/plain"
mkdir "$work/readonly" && mount -t tmpfs -o ro none "$work/readonly"
refused 1 'read-only|storage' "a storage path that is read-only" other --storage-path "$work/readonly/pool"
umount "$work/readonly"
mkdir -p "$work/foreign/pool" && echo '{"format": 999, "id": "?"}' >"$work/foreign/pool/pool.json"
refused 1 'pool|format|version' "a pool of an unknown format" other --storage-path "$work/foreign"

say "a full disk under the pool"
mkdir -p "$work/small" && mount -t tmpfs -o size=400M none "$work/small"
small_ipc=$(free_port)
small_start() {
  "$bin/galleonfs" -d --storage-path "$work/small/pool" --bind-address "127.0.0.1:$(free_port)" \
    --ipc-address "127.0.0.1:$small_ipc" --mount-point "$work/small-mnt" >>"$log" 2>&1 </dev/null &
  small_pid=$!
  wait_until 20 "$bin/galleonfs" --daemon-address "127.0.0.1:$small_ipc" daemon status
}
small_stop() { kill -TERM "$small_pid" 2>/dev/null; wait "$small_pid" 2>/dev/null; }
small_write() { dd if=/dev/zero of="$work/small-mnt/s/after" bs=1M count=8 conv=fsync status=none; }
if small_start && "$bin/galleonfs" --daemon-address "127.0.0.1:$small_ipc" volume create --name s \
  --size 64M --storage-class fast-local-ssd >>"$log" 2>&1 && wait_until 10 mountpoint -q "$work/small-mnt/s"; then
  echo kept >"$work/small-mnt/s/kept" && sync -f "$work/small-mnt/s"
  # No more room than the daemon has taken already.
  dd if=/dev/zero of="$work/small/ballast" bs=1M status=none 2>/dev/null
  expect_exit 1 "a write is refused when the disk below is full" \
    dd if=/dev/zero of="$work/small-mnt/s/more" bs=1M count=60 conv=fsync status=none
  expect_said 'No space left|Input/output|Read-only' "   and is told why"
  equal kept "$(cat "$work/small-mnt/s/kept")" "what was written before is there"
  rm "$work/small/ballast"
  if wait_until 5 small_write; then ok "with room again, writes succeed"; else
    # A pool that could not apply a record serves reads only until it was recovered.
    small_stop
    small_start && wait_until 10 mountpoint -q "$work/small-mnt/s"
    check "with room again and a restart, writes succeed" small_write
    equal kept "$(cat "$work/small-mnt/s/kept")" "and what was written before is there"
  fi
else bad "a daemon on a small disk serves a volume"; fi
small_stop
umount "$work/small" 2>/dev/null || umount -l "$work/small"

say "after all of it"
equal "still here" "$(cat "$mounts/witness/file")" "the volume serves what it served"
check "the daemon answers" cli daemon status
check "it is ready" http /readyz
finish
