"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

lay.clips("ds/audio", 4)
Path("outside.wav").write_bytes(lay.content(0))
texts = [f"Frase {n}." for n in (0, 1, 2, 3, 0, 0)]
paths = [
    "audio/c0.wav",
    "audio/c1.wav",
    "audio/gone.wav",
    "audio/c3.wav",
    "../outside.wav",
    "audio/c0.wav",
]
pq.write_table(pa.table({"audio": paths, "text": texts}), "ds/test-0.parquet")
structs = [{"bytes": None, "path": path} for path in paths]
Path("st").symlink_to("ds")
lay.experiment("use: hub, path: ds")
Path("ds2/audio").mkdir(parents=True)
lay.clips("ds2/audio", 4)
pq.write_table(pa.table({"audio": structs, "text": texts}), "ds2/test-0.parquet")
lay.experiment("use: hub, path: ds2", "structs")
