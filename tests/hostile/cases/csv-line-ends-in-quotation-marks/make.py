"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()

lay.clips()
rows = 'c0.wav,"Frase\n0."\nc1.wav,Frase 1.\nc2.wav,"Frase,\r\n""2""."\n'
Path("m.csv").write_bytes(b"audio_filepath,text\n" + rows.encode())
lay.experiment("use: manifest, path: m.csv")
