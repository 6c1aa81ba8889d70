"""What the case is about, made anew."""

import bz2
import gzip
import lzma
from pathlib import Path

import lay

lay.models()
lay.release("cv-corpus-25.0/es")
lay.tar("plain.tar", folder="cv-corpus-25.0")
plain = Path("plain.tar").read_bytes()
for name, packed in {
    "es.tar": gzip.compress(plain),
    "b.tar": bz2.compress(plain),
    "release": lzma.compress(plain),
}.items():
    Path(name).write_bytes(packed)
Path("z.zip").write_bytes(b"PK\x03\x04" + plain)
Path("z.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + plain)
for path in ("plain.tar", "es.tar", "b.tar", "release", "z.zip", "z.tar.zst"):
    lay.experiment(f"use: common_voice, path: {path}", path.replace(".", "-"))
