#!/usr/bin/env python3
"""Writers whose every promise can be checked after a crash.

write DIRECTORY ACKNOWLEDGED   runs until SIGTERM or the first error of the file system
verify DIRECTORY ACKNOWLEDGED  compares what is there with what was promised

A writer notes in its file below ACKNOWLEDGED (on another file system) what it is about to do and,
after fsync returned, that it is done. What is noted as done must be there; what was begun may be
there, whole; nothing else may.
"""
import argparse
import mmap
import os
import random
import signal
import struct
import sys
import zlib

BLOCK = 4096
OVERWRITE_BLOCKS = 128
HEADER = struct.Struct("<8sIIQI")  # magic, stream, length, sequence, CRC of the payload
MAGIC = b"galleon!"


def payload(stream, sequence, length):
    """Bytes that only this stream and sequence give."""
    generator = random.Random(stream << 40 | sequence)
    piece = generator.randbytes(min(length, 1 << 12))
    return (piece * (length // max(len(piece), 1) + 1))[:length]


def record(stream, sequence, length):
    body = payload(stream, sequence, length)
    return HEADER.pack(MAGIC, stream, length, sequence, zlib.crc32(body)) + body


def parse(data, offset, stream):
    """(sequence, end) of the record at offset, or None if it is not whole."""
    if offset + HEADER.size > len(data):
        return None
    magic, found, length, sequence, crc = HEADER.unpack_from(data, offset)
    body = data[offset + HEADER.size:offset + HEADER.size + length]
    if magic != MAGIC or found != stream or len(body) != length or zlib.crc32(body) != crc:
        return None
    return sequence, offset + HEADER.size + length


class Journal:
    """What a writer promises, one line each: `begin KEY SEQUENCE` and `done KEY SEQUENCE`; the
    first line names its stream."""

    def __init__(self, path, stream):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.note("stream", "-", stream)

    def note(self, word, key, sequence):
        os.write(self.file, f"{word} {key} {sequence}\n".encode())

    @staticmethod
    def read(path):
        """The stream, and the last sequence begun and done of each key."""
        maps = {"stream": {"-": None}, "begin": {}, "done": {}}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                word, key, sequence = line.split()
                maps[word][key] = int(sequence)
        return maps["stream"]["-"], maps["begin"], maps["done"]


def sync_directory(path):
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


# Writers. Each takes its directory, journal, stream number and source of randomness.

def append(directory, journal, stream, chance):
    """Appends records of up to 64 KiB, fsync after each third at the latest."""
    file = os.open(f"{directory}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sync_directory(directory)
    sequence = 0
    while True:
        for _ in range(chance.randint(1, 3)):
            sequence += 1
            journal.note("begin", "log", sequence)
            os.write(file, record(stream, sequence, chance.choice([1, 100, 4000, 4096, 65536])))
        os.fsync(file)
        journal.note("done", "log", sequence)


def block_bytes(stream, sequence):
    return record(stream, sequence, BLOCK - HEADER.size)


def overwrite(directory, journal, stream, chance, flags=0, name="blocks"):
    """Overwrites single blocks of a file in place, fdatasync after each."""
    file = os.open(f"{directory}/{name}", os.O_RDWR | os.O_CREAT | flags, 0o644)
    buffer = mmap.mmap(-1, BLOCK)  # aligned, as O_DIRECT wants it
    os.ftruncate(file, OVERWRITE_BLOCKS * BLOCK)
    os.fsync(file)
    sync_directory(directory)
    sequence = 0
    while True:
        sequence += 1
        block = chance.randrange(OVERWRITE_BLOCKS)
        journal.note("begin", f"{name}:{block}", sequence)
        buffer[:] = block_bytes(stream, sequence)
        os.pwrite(file, buffer, block * BLOCK)
        if not flags & os.O_DSYNC:
            os.fdatasync(file)
        journal.note("done", f"{name}:{block}", sequence)


def overwrite_direct(directory, journal, stream, chance):
    """The same past the page cache, each write synced by itself."""
    overwrite(directory, journal, stream, chance, os.O_DIRECT | os.O_DSYNC, "direct")


def publish(directory, journal, stream, chance):
    """Makes files as careful programs do (write, fsync, rename, fsync) and removes some again."""
    sequence = 0
    alive = []
    while True:
        sequence += 1
        name = f"file-{sequence}"
        body = record(stream, sequence, chance.choice([0, 1, 4096, 5000, 70000, 300000]))
        file = os.open(f"{directory}/temporary", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(file, body)
        os.fsync(file)
        os.close(file)
        journal.note("begin", name, sequence)
        os.rename(f"{directory}/temporary", f"{directory}/{name}")
        sync_directory(directory)
        journal.note("done", name, sequence)
        alive.append(name)
        if len(alive) > 20:
            victim = alive.pop(chance.randrange(len(alive)))
            journal.note("begin", victim, 0)
            os.unlink(f"{directory}/{victim}")
            sync_directory(directory)
            journal.note("done", victim, 0)


def mapped(directory, journal, stream, chance):
    """Overwrites blocks through a shared mapping, msync after each."""
    file = os.open(f"{directory}/mapped", os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(file, OVERWRITE_BLOCKS * BLOCK)
    os.fsync(file)
    sync_directory(directory)
    area = mmap.mmap(file, OVERWRITE_BLOCKS * BLOCK)
    sequence = 0
    while True:
        sequence += 1
        block = chance.randrange(OVERWRITE_BLOCKS)
        journal.note("begin", f"mapped:{block}", sequence)
        area[block * BLOCK:(block + 1) * BLOCK] = block_bytes(stream, sequence)
        area.flush(block * BLOCK, BLOCK)
        journal.note("done", f"mapped:{block}", sequence)


def large(directory, journal, stream, chance):
    """Rewrites a file of 4 MiB in pieces of 1 MiB, fsync after each piece."""
    size = 1 << 20
    file = os.open(f"{directory}/large", os.O_RDWR | os.O_CREAT, 0o644)
    sync_directory(directory)
    sequence = 0
    while True:
        sequence += 1
        piece = chance.randrange(4)
        journal.note("begin", f"large:{piece}", sequence)
        os.pwrite(file, record(stream, sequence, size - HEADER.size), piece * size)
        os.fsync(file)
        journal.note("done", f"large:{piece}", sequence)


WRITERS = [append, overwrite, publish, mapped, large, overwrite_direct]


def run_writer(index, directory, acknowledged, seed):
    writer = WRITERS[index % len(WRITERS)]
    own = f"{directory}/{writer.__name__}-{index}"
    try:
        os.mkdir(own)
        sync_directory(directory)
        # The journal begins when the directory is durable: only then can anything be missed.
        stream = seed * 100 + index & 0xFFFFFFFF
        journal = Journal(f"{acknowledged}/{writer.__name__}-{index}", stream)
        writer(own, journal, stream, random.Random(stream))
    except OSError as error:
        print(f"{writer.__name__}-{index} ends: {error}", flush=True)
        if error.errno in (28, 17, 22, 27):
            os._exit(1)
    os._exit(0)


def write(options):
    children = []
    for index in range(options.writers):
        child = os.fork()
        if child == 0:
            run_writer(index, options.directory, options.acknowledged, options.seed)
        children.append(child)

    def stop(*_):
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass

    signal.signal(signal.SIGTERM, stop)
    for child in children:
        os.waitpid(child, 0)


# Verification.

class Lost(Exception):
    pass


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def verify_log(path, stream, begun, done):
    promised = done.get("log", 0)
    data = read_file(path) if os.path.exists(path) else b""
    offset = sequence = 0
    while found := parse(data, offset, stream):
        if found[0] != sequence + 1:
            raise Lost(f"{path}: record {found[0]} follows record {sequence}")
        sequence, offset = found
    if sequence < promised:
        raise Lost(f"{path}: {promised} records were synced, {sequence} are whole")
    if sequence > begun.get("log", 0):
        raise Lost(f"{path}: record {sequence} was never written")
    return promised


def verify_pieces(path, stream, begun, done, size):
    data = read_file(path) if os.path.exists(path) else b""
    for key, last in begun.items():
        piece, promised = int(key.split(":")[1]), done.get(key, 0)
        area = data[piece * size:(piece + 1) * size]
        found = parse(area, 0, stream)
        sequence = found[0] if found else 0
        # What was being written may be half old, half new, unless it is one block's write.
        in_flight = promised < last
        whole = found or not area.strip(b"\0")
        if not whole and in_flight and not path.endswith(("/blocks", "/direct")):
            continue
        if not whole:
            raise Lost(f"{path}: piece {piece} is torn")
        if sequence < promised:
            raise Lost(f"{path}: piece {piece} is {sequence}, synced was {promised}")
        if sequence > last:
            raise Lost(f"{path}: piece {piece} is {sequence}, but {last} was the last written")
    return len(done)


def verify_published(directory, stream, begun, done):
    present = set(os.listdir(directory)) - {"temporary"}
    for name in present:
        data = read_file(f"{directory}/{name}")
        found = parse(data, 0, stream)
        if not found or found[1] != len(data) or f"file-{found[0]}" != name:
            raise Lost(f"{directory}/{name}: not whole")
        if name not in begun:
            raise Lost(f"{directory}/{name}: never made")
        if begun[name] == 0 and done[name] == 0:
            raise Lost(f"{directory}/{name}: its removal was synced, and it is back")
    for name, sequence in done.items():
        if sequence and begun[name] and name not in present:
            raise Lost(f"{directory}/{name}: was synced and is gone")
    return len(present)


def verify_writer(own, kind, journal):
    stream, begun, done = Journal.read(journal)
    if kind == "append":
        return verify_log(f"{own}/log", stream, begun, done)
    if kind == "publish":
        return verify_published(own, stream, begun, done)
    name = {"overwrite": "blocks", "overwrite_direct": "direct"}.get(kind, kind)
    size = 1 << 20 if kind == "large" else BLOCK
    return verify_pieces(f"{own}/{name}", stream, begun, done, size)


def verify(options):
    promises = files = 0
    for round_name in sorted(os.listdir(options.acknowledged)):
        if options.only and round_name != options.only:
            continue
        base = f"{options.directory}/{round_name}"
        for journal in sorted(os.listdir(f"{options.acknowledged}/{round_name}")):
            path = f"{options.acknowledged}/{round_name}/{journal}"
            promises += verify_writer(f"{base}/{journal}", journal.rsplit("-", 1)[0], path)
        for parent, _, names in os.walk(base, onerror=raise_it):
            for name in names:
                read_file(f"{parent}/{name}")
                files += 1
    print(f"{promises} promises kept, {files} files readable")


def raise_it(error):
    raise error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["write", "verify"])
    parser.add_argument("directory")
    parser.add_argument("acknowledged")
    parser.add_argument("--writers", type=int, default=len(WRITERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    options = parser.parse_args()
    if options.mode == "write":
        write(options)
        return
    try:
        verify(options)
    except Lost as loss:
        sys.exit(f"LOST: {loss}")
    except OSError as error:
        sys.exit(f"unreadable: {error}")


main()
