"""What the case is about, made anew."""
# ruff: noqa: E501

from pathlib import Path

import lay

lay.models()
lay.clips()
lay.experiment("use: manifest, path: m.csv")
Path("m.csv").write_bytes(
    b'audio_filepath,text\nc0.wav,Frase 0.\nc1.wav,"Hola" dijo ella.\nc2.wav,Frase 2.\nc3.wav,Frase 3.\nc4.wav,Frase 4.\n'
)
