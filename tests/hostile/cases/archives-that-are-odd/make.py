"""What the case is about, made anew."""
# ruff: noqa: E402

from pathlib import Path

import lay

lay.models()

import bz2
import gzip
import lzma

TABLE = b"path\tsentence\nc0.wav\tFrase 0.\n"
CLIP = ("es/clips/c0.wav", lay.content(0))
whole = ("es/test.tsv", TABLE)
sets = {
    "twice": [whole, ("es/test.tsv", TABLE), CLIP],
    "case": [whole, ("es/TEST.tsv", TABLE), CLIP],
    "clips": [whole, CLIP, CLIP],
    "inner": [("cv-corpus.tar.gz", b"x")],
    "leaves": [whole, ("../es/dev.tsv", TABLE)],
    "absolute": [whole, ("/tmp/dev.tsv", TABLE)],
    "empty": [],
    "long": [whole, CLIP, (f"es/{'x' * 300}.tsv", TABLE)],
    "deep": [whole, CLIP, ("es/" + "d/" * 3000 + "t.tsv", TABLE)],
    "under": [whole, CLIP, ("es/test.tsv/x.tsv", TABLE)],
    "over": [("es/test.tsv/x.tsv", TABLE), CLIP, whole],
    "fine": [whole, CLIP],
}
for name, members in sets.items():
    lay.tar(f"{name}.tar", *members)
    lay.experiment(f"use: common_voice, path: {name}.tar", name)
plain = Path("fine.tar").read_bytes()
for name, pack in {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.items():
    Path(f"cut.tar.{name}").write_bytes(pack(plain)[:-30])
    lay.experiment(f"use: common_voice, path: cut.tar.{name}", f"cut-{name}")
Path("short.tar").write_bytes(plain[:3000])
lay.experiment("use: common_voice, path: short.tar", "short")
lay.experiment("use: common_voice, path: fine.tar", "x")
