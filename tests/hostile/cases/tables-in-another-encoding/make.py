"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()

lay.clips()
text = "audio_filepath,text\nc0.wav,Año 0.\nc1.wav,Frase 1.\n"
kinds = {
    "le": b"\xff\xfe" + text.encode("utf-16-le"),
    "be": text.encode("utf-16-be"),
    "latin": text.encode("latin-1"),
    "mac": text.replace("\n", "\r").encode(),
    "bin": bytes(range(256)) * 9,
    "headless": text.partition("\n")[2].encode(),
    "twice": text.replace("text", "text,text").encode(),
    "header": b"audio_filepath,text\n",
    "none": b"",
    "mixed": text.replace(",", "|").encode(),
}
for name, content in kinds.items():
    Path(f"{name}.csv").write_bytes(content)
    lay.experiment(f"use: manifest, path: {name}.csv", f"x-{name}")
Path("commas.tsv").write_text(text)
lay.experiment("use: manifest, path: commas.tsv", "x-commas")
