"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(3)]
raw = pa.array([b"Frase 0.", b"A\xf1o", b"Frase 2."], pa.binary())
text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
Path("ds").mkdir()
pq.write_table(pa.table({"audio": audio, "text": text}), "ds/test-0.parquet")
lay.experiment("use: hub, path: ds")
