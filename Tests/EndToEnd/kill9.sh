#!/usr/bin/env bash
# Rounds of mixed writers with fsync; the daemon dies by kill -9 at a random moment; after the
# restart every byte that was synced is there, every file is whole, and recovery was quick.
. "$(dirname "$0")/lib.sh"

rounds=${ROUNDS:-$(choose 5 20)}
writers=${WRITERS:-6}
minimum_run_ms=${MINIMUM_RUN_MS:-300}
maximum_run_ms=${MAXIMUM_RUN_MS:-3000}
maximum_recovery_ms=${MAXIMUM_RECOVERY_MS:-2000}
volume_size=${VOLUME_SIZE:-4G}
storage_class=${STORAGE_CLASS:-fast-local-ssd}
seed=${SEED:-$RANDOM}

RANDOM=$seed
say "seed $seed, $rounds rounds of $writers writers on $storage_class"
load=$top/Tests/EndToEnd/crashload.py
daemon_start || finish
volume_create crash "$volume_size" --storage-class "$storage_class" || finish

readable() { mounted crash && ls "$mounts/crash" >/dev/null; }

longest=0
total=0
for ((round = 1; round <= rounds; round++)); do
  directory=$mounts/crash/round-$round
  acknowledged=$work/acknowledged/round-$round
  mkdir -p "$acknowledged"
  mkdir "$directory" || { bad "round $round: its directory is made"; break; }
  sync -f "$directory"
  python3 "$load" write "$directory" "$acknowledged" --writers "$writers" \
    --seed "$((seed * 1000 + round))" >"$work/writers.log" 2>&1 &
  load_pid=$!
  run_ms=$((minimum_run_ms + RANDOM % (maximum_run_ms - minimum_run_ms)))
  sleep "$((run_ms / 1000)).$(printf %03d $((run_ms % 1000)))"
  daemon_kill
  kill -TERM "$load_pid" 2>/dev/null
  started=$(now_ms)
  daemon_start || break
  if ! wait_until 30 readable; then bad "round $round: the volume is mounted again"; break; fi
  recovery_ms=$(($(now_ms) - started))
  [ "$recovery_ms" -le "$longest" ] || longest=$recovery_ms
  wait "$load_pid" 2>/dev/null
  if verdict=$(python3 "$load" verify "$mounts/crash" "$work/acknowledged" --only "round-$round" 2>&1)
  then say "round $round: killed after $run_ms ms, back after $recovery_ms ms; $verdict"
  else
    bad "round $round: $(tail -n 5 <<<"$verdict")"
    break
  fi
  total=$((total + 1))
done
equal "$rounds" "$total" "$rounds rounds of kill -9 lose nothing that was synced"
check "all rounds still verify at the end" \
  python3 "$load" verify "$mounts/crash" "$work/acknowledged"
if [ "$longest" -lt "$maximum_recovery_ms" ]; then
  ok "recovery takes under $maximum_recovery_ms ms (longest $longest ms)"
else bad "recovery takes under $maximum_recovery_ms ms (longest $longest ms)"; fi
finish
