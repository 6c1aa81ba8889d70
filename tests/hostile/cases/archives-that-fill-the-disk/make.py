"""What the case is about, made anew."""
# ruff: noqa: E402, SIM117

from pathlib import Path

import lay

lay.models()

import gzip
import io
import struct
import tarfile

HEADER = b"path\tsentence\n"


class Zeros(io.RawIOBase):
    """So many zeros, without holding them."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1):
        count = min(size if size >= 0 else self.left, self.left)
        self.left -= count
        return bytes(count)


def packed(name, member, size, kind=tarfile.REGTYPE):
    with gzip.open(f"{name}.tar.gz", "wb", 9) as file:
        with tarfile.open(fileobj=file, mode="w|") as tar:
            info = tarfile.TarInfo(member)
            info.size, info.type = size, kind
            tar.addfile(info, Zeros(size))
    lay.experiment(f"use: common_voice, path: {name}.tar.gz", name)


packed("table", "es/test.tsv", 400_000_000)
packed("clip", "es/clips/a.mp3", 400_000_000)
packed("header", "x", 90_000_000, tarfile.XHDTYPE)
# GNU sparse: 10 GB of nothing in one block
info = tarfile.TarInfo("es/test.tsv")
block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
block[156:157] = b"S"
block[124:136] = b"00000000000\0"
block[386 : 386 + 24] = b"00000000000\0" + b"00000000000\0"
block[483:495] = b"\x80" + struct.pack(">I", 0) * 1 + struct.pack(">Q", 10_000_000_000)[1:]
block[148:156] = b" " * 8
block[148:156] = b"%06o\0 " % sum(block)
Path("sparse.tar").write_bytes(bytes(block) + bytes(10240))
lay.experiment("use: common_voice, path: sparse.tar", "sparse")
# a header that promises a table of 2 GB
info = tarfile.TarInfo("es/test.tsv")
info.size = 2_000_000_000
Path("promise.tar").write_bytes(info.tobuf() + HEADER + bytes(10240))
lay.experiment("use: common_voice, path: promise.tar", "promise")
