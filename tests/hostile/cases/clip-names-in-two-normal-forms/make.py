"""What the case is about, made anew."""
# ruff: noqa: E402

from pathlib import Path

import lay

lay.models()

import unicodedata

for n, (form, _) in enumerate([("NFD", "NFC"), ("NFC", "NFD")]):
    Path(unicodedata.normalize(form, f"niño{n}.wav")).write_bytes(lay.content(n))
rows = [
    unicodedata.normalize(form, f"niño{n}.wav\tFrase {n}.\n")
    for n, form in ((0, "NFC"), (1, "NFD"), (0, "NFD"))
]
Path("m.tsv").write_bytes(("audio_filepath\ttext\n" + "".join(rows)).encode())
lay.experiment("use: manifest, path: m.tsv")
