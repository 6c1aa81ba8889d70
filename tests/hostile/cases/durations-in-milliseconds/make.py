"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()
lay.clips()
for name, header in (("plain", "duration"), ("told", "duration_ms")):
    rows = "".join(f"c{n}.wav\tFrase {n}.\t{500 + 50 * n}\n" for n in range(5))
    Path(f"{name}.tsv").write_text(f"audio_filepath\ttext\t{header}\n{rows}")
    lay.experiment(f"use: manifest, path: {name}.tsv, duration: {header}, minutes: 30", name)
lay.experiment("use: manifest, path: plain.tsv, duration_unit: ms, minutes: 30")
lay.experiment("use: manifest, path: told.tsv, duration: duration_ms, duration_unit: s", "wrong")
