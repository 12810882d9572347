#!/usr/bin/env bash
# Each command as a new user would try it, in table, JSON and YAML, with its exit code: volumes,
# mounts, classes, cluster, daemon; then stop, restart, reread, a second daemon, addresses in use,
# tokens and TLS.
. "$(dirname "$0")/lib.sh"

json() { python3 -c 'import json,sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$1"; }
# field EXPRESSION ARGUMENT...: evaluates an expression on the command's JSON, called d.
field() { local expression=$1; shift; cli "$@" -o json | json "$expression"; }
said() { expect_said "$1" "   and says so"; }
stopped_well() { if daemon_stop; then ok "the daemon drains and ends"; else bad "the daemon ends"; fi; }

daemon_start || finish

say "help"
for noun in "" volume vfs daemon storage-class cluster; do
  expect_exit 0 "galleonfs $noun --help" "$bin/galleonfs" $noun --help
  expect_said "example" "   with examples"
done
expect_exit 0 "galleonfs --version" "$bin/galleonfs" --version
expect_exit 0 "galleonctl --help" "$bin/galleonctl" --help
expect_exit 0 "galleonfs alone shows how to use it" "$bin/galleonfs"
for program in galleonfs galleonctl; do
  for verbs in "volume create" "volume list" "volume get" "volume delete" "volume mount" \
    "volume unmount" "vfs mount" "vfs unmount" "vfs list" "vfs status" "vfs sync" "daemon status" \
    "daemon config" "daemon stop" "daemon restart" "storage-class list" "storage-class create" \
    "cluster status" "cluster peers"; do
    output=$("$bin/$program" $verbs --help 2>&1) && grep -q EXAMPLE <<<"$output" ||
      bad "$program $verbs --help has an example"
  done
  ok "every command of $program has an example in its help"
done

say "volumes"
expect_exit 0 "volume create" cli volume create --name web-data --size 256M \
  --storage-class fast-local-ssd
expect_said "Size: 268435456 bytes" "   shows the size"
expect_said "State: InUse" "   and that it is mounted already"
expect_exit 0 "volume create of the standard class" cli volume create --name db-data --size 1G
expect_said "degraded" "   tells that it is degraded"
equal True "$(field 'd["condition"]["degraded"]' volume get db-data)" "volume get -o json: degraded"
equal AES-256-GCM "$(field 'd["encryption"]' volume get db-data)" "   encrypted"
equal 3 "$(field 'd["replicas_wanted"]' volume get db-data)" "   with three replicas wanted"
id=$(field 'd["id"]' volume get web-data)
equal web-data "$(field 'd["name"]' volume get "$id")" "volume get by ID"
equal "db-data web-data" "$(field '" ".join(v["name"] for v in d)' volume list)" "volume list -o json"
expect_exit 0 "volume list" cli volume list
expect_said "NAME +ID +SIZE" "   as a table"
expect_exit 0 "volume list -o yaml" cli volume list -o yaml
expect_said "^- id: \"?$id|name: web-data" "   as YAML"
expect_exit 0 "volume create without a name" cli volume create --size 1M -c fast-local-ssd -o json
name=$(json 'd["name"]' <<<"$(sed -n '/^{/,/^}/p' <<<"$output")")
expect_exit 0 "   and delete it" cli volume delete "$name" --force
expect_exit 1 "the same name again" cli volume create --name web-data --size 256M -c fast-local-ssd
expect_exit 3 "a volume that is not there" cli volume get nothing

say "files"
echo "Hello VFS!" >"$mounts/web-data/readme.txt"
mkdir "$mounts/web-data/src"
equal "Hello VFS!" "$(cat "$mounts/web-data/readme.txt")" "a volume is a directory at once"
expect_exit 0 "volume mount" cli volume mount web-data "$work/app/web-data" --options rw,noatime
equal "Hello VFS!" "$(cat "$work/app/web-data/readme.txt")" "   shows the same files"
expect_exit 0 "volume mount with sync, beside one without" \
  cli volume mount web-data "$work/app/synced" --options rw,sync
equal sync "$(findmnt -n -o FS-OPTIONS "$work/app/synced" | tr , '\n' | grep -x sync)" \
  "   makes the file system synchronous"
check "   and can be written" cp "$mounts/web-data/readme.txt" "$work/app/synced/copy.txt"
rm "$work/app/synced/copy.txt"
expect_exit 0 "   and unmounted" cli volume unmount "$work/app/synced"
expect_exit 0 "vfs mount --readonly" cli vfs mount web-data --mount-point "$work/look" --readonly
expect_exit 1 "   refuses writes" bash -c "echo x >'$work/look/x'"
expect_exit 0 "vfs list" cli vfs list
equal 3 "$(field 'len([m for m in d if m["volume_name"] == "web-data"])' vfs list)" \
  "   has its three mounts"
expect_exit 0 "vfs sync" cli vfs sync
expect_exit 0 "vfs sync of one volume" cli vfs sync web-data
expect_exit 0 "vfs status" cli vfs status web-data
for line in "Volume: web-data \($id\)" "Mount Point: $work/look" "Status: Active" "Files: 1" \
  "Directories: 2" "Total Size: 4.0 KB" "Last Sync: 20..-..-.. ..:..:.. UTC"; do
  expect_said "^$line$" "   prints $line"
done
expect_exit 1 "an encrypted mount of a plain volume" \
  cli volume mount web-data "$work/no" --options rw,encrypted
said "not encrypted"
expect_exit 0 "an encrypted mount of an encrypted one" \
  cli volume mount db-data "$work/app/db" --options rw,encrypted
expect_exit 1 "deleting a mounted volume" cli volume delete web-data
said "in use"
exec 9<"$work/look/readme.txt"
expect_exit 1 "unmounting where a file is open" cli volume unmount "$work/look"
exec 9<&-
expect_exit 0 "volume unmount of a path" cli volume unmount "$work/look"
expect_exit 3 "   a second time" cli volume unmount "$work/look"
expect_exit 0 "vfs unmount of a volume" cli vfs unmount db-data
equal 0 "$(field 'len([m for m in d if m["volume_name"] == "db-data"])' vfs list)" \
  "   ends all its mounts"

say "block volumes"
expect_exit 0 "volume create --content block" \
  cli volume create --name disk --size 16M -c fast-local-ssd --content block
equal 16777216 "$(stat -c %s "$mounts/disk/data")" "   is shown as data"
check "   beside README.txt and .galleonfs_metadata" \
  test -s "$mounts/disk/README.txt" -a -s "$mounts/disk/.galleonfs_metadata"
check "   and can be written" dd if=/dev/urandom of="$mounts/disk/data" bs=64k count=4 \
  conv=notrunc,fsync status=none

say "expansion"
expect_exit 0 "volume expand" cli volume expand web-data 512M
equal 536870912 "$(field 'd["capacity_bytes"]' volume get web-data)" "   is seen"
expect_exit 1 "   never shrinks" cli volume expand web-data 1M

say "classes"
expect_exit 0 "storage-class list" cli storage-class list
for name in fast-local-ssd encrypted-storage local-hdd distributed; do
  expect_said "^$name" "   has $name"
done
cat >"$work/ultra.json" <<'JSON'
{
  "name": "ultra-fast-ssd",
  "provisioner": "galleonfs.io/nvme-ssd",
  "parameters": { "disk_type": "nvme", "fs_type": "xfs", "encryption": "false" },
  "reclaim_policy": "Delete",
  "volume_binding_mode": "Immediate",
  "allowed_topologies": ["zone-a", "zone-b"],
  "mount_options": ["noatime", "nodiratime", "nobarrier"]
}
JSON
cat >"$work/strict.yaml" <<'YAML'
name: strict
provisioner: galleonfs.io/distributed
parameters:
  encryption: "true"
  replication: "3"
  allow_degraded: "false"
reclaim_policy: Retain
volume_binding_mode: WaitForFirstConsumer
YAML
expect_exit 0 "storage-class create from JSON" cli storage-class create "$work/ultra.json"
expect_exit 1 "   a second time" cli storage-class create "$work/ultra.json"
expect_exit 0 "storage-class create from YAML" cli storage-class create "$work/strict.yaml"
expect_exit 0 "   and from what get prints" bash -c "'$bin/galleonfs' \
  --daemon-address 127.0.0.1:$ipc_port storage-class get strict -o json |
  sed 's/\"strict\"/\"copied\"/' |
  '$bin/galleonfs' --daemon-address 127.0.0.1:$ipc_port storage-class create -"
expect_exit 1 "a class whose zones no node has" cli volume create --name z --size 1G -c ultra-fast-ssd
said "zone"
expect_exit 1 "a class that forbids degraded volumes" cli volume create --name z --size 1G -c strict
said "allowDegraded"

say "cluster and daemon"
expect_exit 0 "cluster status" cli cluster status
expect_said "Cluster Size: 1 node" "   has one node"
expect_said "etcd: managed, reachable" "   and an etcd of its own"
equal True "$(field 'd["etcd"]["reachable"]' cluster status)" "cluster status -o json"
expect_exit 0 "cluster peers" cli cluster peers
expect_exit 1 "cluster join" cli cluster join 127.0.0.1:8081
expect_exit 1 "cluster leave" cli cluster leave
expect_exit 0 "daemon status" cli daemon status
expect_said "State: Ready" "   is ready"
expect_exit 0 "daemon config" cli daemon config
expect_said "daemon.ipc_address +127.0.0.1:$ipc_port +flag" "   tells where a value comes from"
equal default "$(field '[s for s in d["settings"] if s["key"] == "journal_size"][0]["source"].lower()' \
  daemon config)" "daemon config -o json"
expect_exit 0 "the address by the environment" \
  env GALLEONFS_DAEMON="127.0.0.1:$ipc_port" "$bin/galleonctl" daemon status
expect_exit 4 "no daemon" "$bin/galleonctl" --daemon-address 127.0.0.1:1 daemon status
check "/healthz" http /healthz
check "/metrics has the volumes" grep -q '^galleonfs_volume_used_bytes{.*name="web-data"' \
  <(http /metrics)

say "a second daemon"
expect_exit 1 "on the same storage path" "$bin/galleonfs" -d --storage-path "$storage" \
  --ipc-address 127.0.0.1:0
said "another daemon"
expect_exit 1 "on the same address" "$bin/galleonfs" -d --storage-path "$work/other" \
  --ipc-address "127.0.0.1:$ipc_port"
said "ipc-address.*in use"
expect_exit 1 "on the same HTTP address" "$bin/galleonfs" -d --storage-path "$work/other" \
  --ipc-address 127.0.0.1:0 --http-address "127.0.0.1:$http_port"
said "http-address"
expect_exit 1 "on the same CSI socket" "$bin/galleonfs" -d --storage-path "$work/other" \
  --ipc-address 127.0.0.1:0 --csi-endpoint "unix://$csi_socket"
said "csi-endpoint"
expect_exit 1 "without etcd" env PATH=/nonexistent "$bin/galleonfs" -d --storage-path "$work/other" \
  --ipc-address 127.0.0.1:0
said "etcd-server"

say "restart, reread, stop"
kill -HUP "$daemon_pid"
check "SIGHUP is noted" wait_until 5 grep -q "settings read again" "$log"
expect_exit 0 "daemon restart" cli daemon restart
ready_again() { [ "$(grep -c ' ready ' "$log")" = 2 ]; }
check "   is ready again" wait_until 20 ready_again
equal "Hello VFS!" "$(cat "$work/app/web-data/readme.txt")" "   with its mounts"
equal "db-data disk web-data" "$(field '" ".join(v["name"] for v in d)' volume list)" \
  "   and its volumes"
expect_exit 0 "volume delete --force" cli volume delete web-data --force
expect_exit 0 "daemon stop" cli daemon stop
gone() { ! kill -0 "$daemon_pid"; }
check "   ends" wait_until 30 gone
equal "" "$(findmnt -rn -o TARGET | grep "^$work" | head -n 1)" "   and leaves no mount behind"
equal "" "$(pgrep -f "etcd.*$storage/etcd" | head -n 1)" "   and no etcd"
wait "$daemon_pid" 2>/dev/null
daemon_pid=

say "a catalogue that was lost"
rm -rf "$storage/etcd"
daemon_start || finish
equal "db-data disk" "$(field '" ".join(v["name"] for v in d)' volume list)" \
  "is rebuilt from the pool"
stopped_well

say "tokens and TLS"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$work/key.pem" \
  -out "$work/cert.pem" 2>/dev/null
head -c 24 /dev/urandom | base64 >"$work/token"
chmod 600 "$work/token" "$work/key.pem"
protected=(--tls-enabled --tls-certificate-file "$work/cert.pem" --tls-key-file "$work/key.pem"
  --auth-required --auth-token-file "$work/token")
daemon_start "${protected[@]}" || finish
expect_exit 4 "a plain client does not reach a TLS daemon" cli --timeout 5 volume list
expect_exit 1 "TLS without the token" "$bin/galleonctl" --daemon-address "localhost:$ipc_port" \
  --tls-ca-file "$work/cert.pem" volume list
said "token"
expect_exit 0 "TLS with the token" "$bin/galleonctl" --daemon-address "localhost:$ipc_port" \
  --tls-ca-file "$work/cert.pem" --auth-token-file "$work/token" volume list
expect_exit 1 "/metrics without the token" http /metrics
stopped_well
chmod 644 "$work/token"
expect_exit 2 "a token that others can read" "$bin/galleonfs" -d --storage-path "$work/other" \
  --ipc-address 127.0.0.1:0 "${protected[@]}"
said "chmod 600"

finish
