#!/usr/bin/env python3
"""Prints the medians of a benchmark's run as a Markdown table, and which goals were met.

The input has lines of system, row and value, separated by tabs. With --smoke it only checks that
each row was measured on GalleonFS, and fails if one was not.
"""
import argparse
import os
import statistics
import sys

# Group, key, what it says, whether more is better.
ROWS = [
    ("data", "seq-write", "sequential write 1 MiB + fsync, MB/s", True),
    ("data", "seq-read-cold", "sequential read, cold, MB/s", True),
    ("data", "seq-read-warm", "sequential read, warm, MB/s", True),
    ("data", "rand-read-cold-1", "random read 4 KiB, cold, 1 thread, IOPS", True),
    ("data", "rand-read-cold-4", "random read 4 KiB, cold, 4 threads, IOPS", True),
    ("data", "rand-read-warm-1", "random read 4 KiB, warm, 1 thread, IOPS", True),
    ("data", "rand-write-buffered", "random write 4 KiB, buffered, final fsync, IOPS", True),
    ("sync", "sync-write-1", "overwrite 4 KiB + fdatasync, 1 thread, IOPS", True),
    ("sync", "sync-write-4-one", "the same, 4 threads, one file, IOPS", True),
    ("sync", "sync-write-4-four", "the same, 4 threads, four files, IOPS", True),
    ("names", "create", "create 4 KiB files, files/s", True),
    ("names", "stat-created", "stat of what was just created, ops/s", True),
    ("names", "stat-dropped", "stat, names dropped, ops/s", True),
    ("names", "list-cold", "ls -lR, cold, files/s", True),
    ("names", "list-again", "ls -lR, again, files/s", True),
    ("names", "open-read-close", "open, read, close 4 KiB, cold, files/s", True),
    ("names", "rename", "rename, ops/s", True),
    ("names", "unlink", "unlink, ops/s", True),
    ("names", "mkdir", "mkdir, ops/s", True),
    ("names", "rmdir", "rmdir, ops/s", True),
    ("small", "small-sync-1", "create, write, fsync, close, 1 thread, files/s", True),
    ("small", "small-sync-4", "the same, 4 threads, files/s", True),
    ("files", "untar", "untar 3,000 files, s", False),
    ("files", "git-add", "git add, s", False),
    ("files", "git-commit", "git commit, s", False),
    ("files", "git-status", "git status, s", False),
    ("files", "rm-rf", "rm -rf, s", False),
    ("sqlite", "sqlite-wal", "sqlite WAL, transactions/s", True),
    ("sqlite", "sqlite-delete", "sqlite DELETE, transactions/s", True),
    ("postgresql", "initdb", "PostgreSQL initdb, s", False),
    ("postgresql", "pgbench", "pgbench TPC-B, 2 clients, transactions/s", True),
]
FLOOR_RATIO = 0.7


def load(path):
    values = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            system, key, value = line.rstrip("\n").split("\t")
            values.setdefault((system, key), []).append(float(value))
    return {place: statistics.median(found) for place, found in values.items()}


def show(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def ratio(values, key, over, more):
    """How galleonfs does against another system: above 1 it is better; None if not measured."""
    ours, theirs = values.get(("galleonfs", key)), values.get((over, key))
    if not ours or not theirs:
        return None
    return ours / theirs if more else theirs / ours


def table(values, systems, rows):
    others = [system for system in systems if system != "galleonfs"]
    heads = ["workload", "galleonfs"] + others + [f"against {system}" for system in others
                                                if system != "fuse-null"]
    print("| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 1))
    for _, key, title, more in rows:
        cells = [show(values.get((system, key))) for system in ["galleonfs"] + others]
        for system in others:
            if system != "fuse-null":
                found = ratio(values, key, system, more)
                cells.append("–" if found is None else f"{found:.2f}x")
        print(f"| {title} | " + " | ".join(cells) + " |")


def goals(values, rows):
    found = []
    for _, key, title, more in rows:
        against = ratio(values, key, "fuse-ll", more)
        if against is not None and against < FLOOR_RATIO:
            found.append((False, f"{title}: {against:.2f} of passthrough_ll, goal {FLOOR_RATIO}"))
    if ("fuse-ll", rows[0][1]) in values and not found:
        found.append((True, f"no row is below {FLOOR_RATIO} of passthrough_ll"))
    for key, goal, title in [("sync-write-1", 0.6, "overwrite + fdatasync, 1 thread"),
                             ("sync-write-4-four", 0.5, "the same, 4 threads on 4 files")]:
        against = ratio(values, key, "ext4", True)
        if against is not None:
            found.append((against >= goal, f"{title}: {against:.2f} of ext4, goal {goal}"))
    for system, key, goal, title, more in [
            ("galleonfs", "create", 4000, "create of 4 KiB files a second", True),
            ("daemon", "rss-mib", 150, "resident MiB with ten mounted volumes", False),
            ("daemon", "idle-percent", 1, "percent of a core when idle", False)]:
        value = values.get((system, key))
        if value is not None:
            met = value >= goal if more else value < goal
            found.append((met, f"{title}: {show(value)}, goal {'≥' if more else '<'} {goal:,}"))
    for met, text in found:
        print(f"- {'met' if met else '**missed**'}: {text}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--systems", required=True)
    parser.add_argument("--groups", required=True)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    values = load(options.results)
    rows = [row for row in ROWS if row[0] in options.groups.split()]
    missing = [row[1] for row in rows if ("galleonfs", row[1]) not in values]
    if options.smoke:
        print(f"{len(rows) - len(missing)} of {len(rows)} rows measured on galleonfs, "
              f"{len(values)} values on {options.systems}")
        if missing:
            sys.exit("not measured on galleonfs: " + ", ".join(missing))
        return
    print(f"Medians of {options.rounds} rounds; {os.cpu_count()} CPUs, kernel {os.uname().release}.\n")
    table(values, options.systems.split(), rows)
    print("\nGoals:\n")
    goals(values, rows)
    if missing:
        sys.exit("\nnot measured on galleonfs: " + ", ".join(missing))


main()
