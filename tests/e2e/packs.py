"""Packs that no client of git would send, made byte by byte."""

import hashlib
import struct
import zlib

_TYPES = {"commit": 1, "tree": 2, "blob": 3, "delta": 7}
_MOST_TO_COPY = 0xFFFFFF


def _header(kind, size):
    head, size = (_TYPES[kind] << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(head | 0x80)
        head, size = size & 0x7F, size >> 7
    out.append(head)
    return bytes(out)


def _number(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _id(kind, chunks, size):
    digest = hashlib.sha1(f"{kind} {size}\0".encode())
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _zeros(size):
    block = bytes(1 << 20)
    for begin in range(0, size, len(block)):
        yield block[: min(len(block), size - begin)]


class Pack:
    """A pack of loose ends: add objects, then to_bytes(). Ids are 20 bytes."""

    def __init__(self):
        self._objects = []

    def add(self, kind, data):
        """An object; its id."""
        self._objects.append(_header(kind, len(data)) + zlib.compress(data, 9))
        return _id(kind, [data], len(data))

    def add_zeros(self, size):
        """A blob of zeros, of which a thousand take a byte; its id."""
        packer = zlib.compressobj(9)
        self._objects.append(_header("blob", size) + b"".join(map(packer.compress, _zeros(size))) + packer.flush())
        return _id("blob", _zeros(size), size)

    def add_zeros_by_delta(self, size, levels=2):
        """The same as a chain of deltas that each repeat the one before; the bytes of it are a few hundred."""
        base_size = 4096
        base = self.add("blob", bytes(base_size))
        for level in range(levels):
            copied = min(base_size, _MOST_TO_COPY)
            grown = size if level + 1 == levels else min(size, base_size * 4096)
            whole, rest = divmod(grown, copied)
            copy = b"\xff" + struct.pack("<I", 0)
            steps = (copy + struct.pack("<I", copied)[:3]) * whole
            if rest:
                steps += copy + struct.pack("<I", rest)[:3]
            delta = _number(base_size) + _number(grown) + steps
            self._objects.append(_header("delta", len(delta)) + base + zlib.compress(delta, 9))
            base, base_size = _id("blob", _zeros(grown), grown), grown
        return base

    def add_commit(self, files):
        """A commit of these files, name → id of a blob; its id as text."""
        entries = b"".join(f"100644 {name}\0".encode() + blob for name, blob in sorted(files.items()))
        who = "Mallory <mallory@example.com> 1700000000 +0000"
        text = f"tree {self.add('tree', entries).hex()}\nauthor {who}\ncommitter {who}\n\na bomb\n"
        return self.add("commit", text.encode()).hex()

    def to_bytes(self):
        """The pack."""
        body = b"PACK" + struct.pack(">II", 2, len(self._objects)) + b"".join(self._objects)
        return body + hashlib.sha1(body).digest()


def push_request(commit, pack=b"", ref="refs/heads/main", before="0" * 40):
    """What a client sends to receive-pack to set a ref: the command and the pack."""
    line = f"{before} {commit} {ref}\0 report-status side-band-64k agent=git/2.39\n"
    return f"{len(line) + 4:04x}{line}0000".encode() + pack
