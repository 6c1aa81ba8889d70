"""What the case is about, made anew."""

from pathlib import Path

import lay
import pyarrow as pa
import pyarrow.parquet as pq

lay.models()

texts = [f"Frase {n}." for n in range(3)]
for name in ("en_us", "es_419"):
    Path("fleurs", name).mkdir(parents=True)
    audio = [{"bytes": lay.content(n), "path": f"c{n}.wav"} for n in range(3)]
    pq.write_table(
        pa.table({"audio": audio, "text": texts}), f"fleurs/{name}/test-00000-of-00001.parquet"
    )
lay.experiment("use: hub, path: fleurs")
lay.experiment("use: hub, path: fleurs, config: es_419", "conf")
lay.experiment("use: hub, path: fleurs, config: fr", "other")
lay.experiment("use: hub, path: fleurs/es_419", "sub")
