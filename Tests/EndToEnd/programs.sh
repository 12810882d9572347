#!/usr/bin/env bash
# Real programs on the mount: PostgreSQL, sqlite, git, tar, rsync, fio with verify, a large tree.
. "$(dirname "$0")/lib.sh"

tree_files=${TREE_FILES:-$(choose 7000 70000)}
pgbench_seconds=${PGBENCH_SECONDS:-$(choose 5 30)}
sqlite_rows=${SQLITE_ROWS:-$(choose 2000 20000)}
fio_size=${FIO_SIZE:-$(choose 64M 512M)}
git_files=${GIT_FILES:-$(choose 500 3000)}
class=${STORAGE_CLASS:-fast-local-ssd}
only=${ONLY:-postgresql sqlite git archives fio tree}

daemon_start || finish
volume_create programs 8G --storage-class "$class" || finish
at=$mounts/programs

# remounted: the same volume after a clean restart of the daemon, with cold caches.
remounted() {
  daemon_stop || bad "the daemon ends"
  daemon_start || finish
  wait_until 10 mounted programs || bad "the volume is mounted again"
}

postgresql() {
  local programs data=$at/pgdata
  programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)")
  chmod 755 "$work" "$mounts"
  mkdir "$data" && chown postgres "$data"
  as_postgres() { (cd / && runuser -u postgres -- "$@"); }
  mkdir "$work/pgsocket" && chown postgres "$work/pgsocket"
  start_server() {
    as_postgres "$programs/pg_ctl" -D "$data" -w -t 60 -l "$work/pgsocket/log" \
      -o "-k $work/pgsocket -c listen_addresses='' -c max_connections=20" start
  }
  query() { as_postgres psql -h "$work/pgsocket" -d postgres -qtAX -c "$1"; }
  check "PostgreSQL: initdb" as_postgres "$programs/initdb" -D "$data" -k || return
  check "PostgreSQL: starts" start_server || return
  check "PostgreSQL: pgbench makes its tables" \
    as_postgres "$programs/pgbench" -h "$work/pgsocket" -i -s 2 -q postgres
  check "PostgreSQL: pgbench runs" as_postgres "$programs/pgbench" -h "$work/pgsocket" -c 4 -j 2 \
    -T "$pgbench_seconds" postgres
  # -n keeps the history, which the first run began.
  as_postgres "$programs/pgbench" -h "$work/pgsocket" -n -c 4 -j 2 -T 60 postgres >/dev/null 2>&1 &
  local load=$!
  sleep 2
  kill -9 "$(head -n 1 "$data/postmaster.pid")"
  wait "$load"
  # The postmaster's children see its death and leave; until then it refuses to start again.
  wait_until 20 start_server
  check "PostgreSQL: recovers from kill -9" query "select 1"
  # TPC-B keeps three sums equal, whatever was committed.
  equal 1 "$(query "select count(distinct s) from (select sum(abalance) s from pgbench_accounts
    union all select sum(tbalance) from pgbench_tellers
    union all select sum(bbalance) from pgbench_branches
    union all select coalesce(sum(delta), 0) from pgbench_history) t")" \
    "PostgreSQL: its sums agree"
  check "PostgreSQL: stops" as_postgres "$programs/pg_ctl" -D "$data" -m fast -w stop
  remounted
  check "PostgreSQL: its checksums verify" as_postgres "$programs/pg_checksums" -c -D "$data"
  rm -rf "$data"
}

sqlite() {
  local mode file
  for mode in delete wal; do
    file=$at/$mode.db
    sqlite3 "$file" "pragma journal_mode=$mode; create table t (id integer primary key, v text)" \
      >/dev/null
    check "sqlite ($mode): $sqlite_rows rows in transactions of 100" python3 - "$file" "$sqlite_rows" <<'PYTHON'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute("pragma synchronous=full")
for start in range(0, int(sys.argv[2]), 100):
    base.execute("begin")
    base.executemany("insert into t values (?, ?)", ((i, "v%d" % i * 10) for i in range(start, start + 100)))
    base.execute("commit")
PYTHON
    equal ok "$(sqlite3 "$file" 'pragma integrity_check')" "sqlite ($mode): integrity_check"
  done
  remounted
  for mode in delete wal; do
    equal "$sqlite_rows" "$(sqlite3 "$at/$mode.db" 'select count(*) from t')" \
      "sqlite ($mode): all rows after a restart"
  done
}

# make_tree DIRECTORY COUNT: files of many sizes, links and modes.
make_tree() {
  python3 - "$1" "$2" <<'PYTHON'
import os, random, sys
root, count = sys.argv[1], int(sys.argv[2])
chance = random.Random(7)
for number in range(count):
    directory = f"{root}/d{number % 97}/e{number % 7}"
    os.makedirs(directory, exist_ok=True)
    path = f"{directory}/file {number}.txt"
    with open(path, "wb") as file:
        file.write(chance.randbytes(chance.choice([0, 1, 100, 1000, 4096, 5000, 20000])))
    os.chmod(path, chance.choice([0o600, 0o644, 0o755]))
    if number % 50 == 0:
        os.symlink(f"file {number}.txt", f"{directory}/link{number}")
    if number % 70 == 0:
        os.link(path, f"{directory}/hard{number}")
PYTHON
}
checksums() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum); }
modes() { (cd "$1" && find . -printf '%P %y %m %l\n' | sort | sha256sum); }

git_works() {
  export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost GIT_COMMITTER_NAME=a
  export GIT_COMMITTER_EMAIL=a@localhost GIT_CONFIG_GLOBAL=/dev/null
  mkdir "$work/origin" && make_tree "$work/origin" "$git_files"
  (cd "$work/origin" && git init -q . && git add . && git commit -qm one)
  check "git: clone" git clone -q "file://$work/origin" "$at/clone"
  check "git: commit" bash -c "cd '$at/clone' && date >>'d1/e1/new' && git add . && git commit -qm two"
  check "git: gc" git -C "$at/clone" gc -q
  remounted
  check "git: fsck after a restart" git -C "$at/clone" fsck --full --strict
  equal "" "$(git -C "$at/clone" status --porcelain)" "git: status is clean"
}

archives() {
  mkdir "$work/tree" && make_tree "$work/tree" 1000
  tar -C "$work/tree" --xattrs -cf "$work/tree.tar" .
  mkdir "$at/untarred"
  check "tar: extracts onto the volume" tar -C "$at/untarred" --xattrs -xpf "$work/tree.tar"
  check "rsync: copies onto the volume" rsync -aHAX "$work/tree/" "$at/rsynced"
  remounted
  local copy
  for copy in untarred rsynced; do
    equal "$(checksums "$work/tree")" "$(checksums "$at/$copy")" "$copy: the same bytes after a restart"
    equal "$(modes "$work/tree")" "$(modes "$at/$copy")" "$copy: the same modes, kinds and links"
  done
  equal "" "$(rsync -aHAXnci "$work/tree/" "$at/rsynced")" "rsync: finds nothing left to copy"
  tar -C "$at/untarred" -cf "$work/back.tar" . && mkdir "$work/back"
  check "tar: reads it back" tar -C "$work/back" -xpf "$work/back.tar"
  equal "$(checksums "$work/tree")" "$(checksums "$work/back")" "tar: the round trip keeps every byte"
}

fio_verifies() {
  local common=(--name=verify --directory="$at" --size="$fio_size" --ioengine=psync --numjobs=2
    --verify=crc32c --verify_fatal=1 --do_verify=1 --fsync=64 --unlink=1 --output="$work/fio.out")
  check "fio: random writes of mixed sizes verify" \
    fio --aux-path="$work" "${common[@]}" --rw=randwrite --bsrange=512-256k --blockalign=512
  check "fio: random direct writes verify" fio --aux-path="$work" "${common[@]}" --rw=randwrite --bs=4k --direct=1
  check "fio: sequential writes verify" fio --aux-path="$work" "${common[@]}" --rw=write --bs=1m
}

tree() {
  mkdir "$at/forest"
  check "tree: $tree_files files are made" python3 -c '
import os, sys
root, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    if number % 1000 == 0:
        os.mkdir(f"{root}/{number // 1000}")
    with open(f"{root}/{number // 1000}/{number}", "wb") as file:
        file.write(b"%d" % number)' "$at/forest" "$tree_files"
  sync -f "$at"
  remounted
  equal "$tree_files" "$(find "$at/forest" -type f | wc -l)" "tree: all are found after a restart"
  equal 0 "$(find "$at/forest" -type f -printf '%f %s\n' | awk 'length($1) != $2' | wc -l)" \
    "tree: all have their size"
  equal $((tree_files - 1)) "$(cat "$at/forest/$(((tree_files - 1) / 1000))/$((tree_files - 1))")" \
    "tree: the last one has its bytes"
  check "tree: is removed" rm -r "$at/forest"
  equal 1 "$([ -e "$at/forest" ] || echo 1)" "tree: and gone"
}

for part in $only; do
  started=$(now_ms)
  case $part in
    git) git_works ;;
    fio) fio_verifies ;;
    *) "$part" ;;
  esac
  say "$part: $((($(now_ms) - started) / 1000)) s"
done
finish
