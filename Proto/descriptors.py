"""Reads a serialized google.protobuf.FileDescriptorSet, with nothing but Python's own library."""

import re


def fields(data):
    """Yields (number, value) of a message's fields; varints as int, the rest as bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = data[at : at + size], at + size
        yield number, value


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def encode_varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(number, value):
    if isinstance(value, int):
        return encode_varint(number << 3) + encode_varint(value)
    return encode_varint(number << 3 | 2) + encode_varint(len(value)) + value


def first(data, number, default=None):
    """The last value of a field, as protobuf has it, or the default."""
    found = default
    for n, value in fields(data):
        if n == number:
            found = value
    return found


def text(data, number):
    return first(data, number, b"").decode()


def every(data, number):
    return [value for n, value in fields(data) if n == number]


STRING, MESSAGE, BYTES, ENUM = 9, 11, 12, 14


class Field:
    def __init__(self, data, doc):
        self.name, self.number = text(data, 1), first(data, 3)
        self.repeated, self.type = first(data, 4) == 3, first(data, 5)
        self.type_name = text(data, 6).lstrip(".")
        self.oneof = first(data, 9)
        self.options = dict(fields(first(data, 8, b"")))
        self.doc = doc
        if first(data, 17):
            raise SystemExit(f"{self.name}: proto3 optional is not supported, use a wrapper")


class Enum:
    def __init__(self, data, full, path, docs):
        self.name, self.full, self.doc = text(data, 1), full, docs.get(path, "")
        self.values = [
            (text(v, 1), signed(first(v, 2, 0)), docs.get(path + (2, i), ""))
            for i, v in enumerate(every(data, 2))
        ]


class Message:
    def __init__(self, data, scope, path, docs):
        self.name = text(data, 1)
        self.full, self.doc = f"{scope}.{self.name}", docs.get(path, "")
        self.map_entry = bool(first(first(data, 7, b""), 7))
        self.fields = sorted(
            (Field(f, docs.get(path + (2, i), "")) for i, f in enumerate(every(data, 2))),
            key=lambda f: f.number,
        )
        self.oneofs = [text(o, 1) for o in every(data, 8)]
        self.messages = [
            Message(m, self.full, path + (3, i), docs) for i, m in enumerate(every(data, 3))
        ]
        self.enums = [
            Enum(e, f"{self.full}.{text(e, 1)}", path + (4, i), docs)
            for i, e in enumerate(every(data, 4))
        ]

    def walk(self):
        yield self
        for nested in self.messages:
            yield from nested.walk()


class Method:
    def __init__(self, data, doc):
        self.name = text(data, 1)
        self.input, self.output = text(data, 2).lstrip("."), text(data, 3).lstrip(".")
        self.client_streams, self.server_streams = bool(first(data, 5)), bool(first(data, 6))
        self.doc = doc


class Service:
    def __init__(self, data, package, path, docs):
        self.name = text(data, 1)
        self.full, self.doc = f"{package}.{self.name}", docs.get(path, "")
        self.methods = [
            Method(m, docs.get(path + (2, i), "")) for i, m in enumerate(every(data, 2))
        ]


class File:
    def __init__(self, data):
        self.name, self.package = text(data, 1), text(data, 2)
        docs = comments(first(data, 9, b""))
        self.messages = [
            Message(m, self.package, (4, i), docs) for i, m in enumerate(every(data, 4))
        ]
        self.enums = [
            Enum(e, f"{self.package}.{text(e, 1)}", (5, i), docs)
            for i, e in enumerate(every(data, 5))
        ]
        self.services = [
            Service(s, self.package, (6, i), docs) for i, s in enumerate(every(data, 6))
        ]


def comments(source_info):
    docs = {}
    for location in every(source_info, 1):
        path, at, packed = [], 0, first(location, 1, b"")
        while at < len(packed):
            step, at = varint(packed, at)
            path.append(step)
        words = text(location, 3)
        if words and not re.match(r"\s*----", words):
            docs[tuple(path)] = " ".join(words.split())
    return docs


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def for_protobuf_c(descriptor_set):
    """The same files as protoc-c shall see them.

    Strings become bytes: a C string ends at its first zero byte, a string of protobuf does not.
    Options and extensions mean nothing to the C code and would drag descriptor.proto in.
    """
    out = b""
    for file in every(descriptor_set, 1):
        if text(file, 1) == "google/protobuf/descriptor.proto":
            continue
        body = b""
        for number, value in fields(file):
            if number in (7, 8, 9, 10, 11):
                continue
            if number == 3 and value == b"google/protobuf/descriptor.proto":
                continue
            if number == 4:
                value = plain_message(value)
            elif number == 5:
                value = plain_enum(value)
            elif number == 6:
                continue
            body += encode(number, value)
        out += encode(1, body)
    return out


def plain_message(data):
    out = b""
    for number, value in fields(data):
        if number == 2:
            value = b"".join(
                encode(n, BYTES if (n, v) == (5, STRING) else v)
                for n, v in fields(value)
                if n != 8
            )
        elif number == 3:
            value = plain_message(value)
        elif number == 4:
            value = plain_enum(value)
        elif number == 7:
            continue
        out += encode(number, value)
    return out


def plain_enum(data):
    out = b""
    for number, value in fields(data):
        if number == 3:
            continue
        if number == 2:
            value = b"".join(encode(n, v) for n, v in fields(value) if n != 3)
        out += encode(number, value)
    return out
