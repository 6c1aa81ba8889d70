"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()

lay.clips("clips")
lay.release()
Path("bare/es").mkdir(parents=True)
Path("bare/es/test.tsv").write_bytes(Path("cv/es/test.tsv").read_bytes())
Path("m.jsonl").write_text('{"audio_filepath": "c0.wav", "text": "Frase 0."}\n')
Path("pq").mkdir()
Path("pq/test-0.parquet").write_bytes(b"PAR1 none PAR1")
Path("one.txt").write_text("hola")
Path("s.csv").write_text("words\nhola\n")
sets = {
    "split": "use: common_voice, path: cv, split: train",
    "file": "use: common_voice, path: cv, split: ../test",
    "locale": "use: common_voice, path: cv, locale: fr",
    "bare": "use: common_voice, path: bare",
    "text": "use: common_voice, path: one.txt",
    "clips": "use: manifest, path: m.jsonl",
    "folder": "use: manifest, path: m.jsonl, audio_folder: nowhere",
    "key": "use: manifest, path: m.jsonl, text: words",
    "parquet": "use: hub, path: pq",
    "single": "use: hub, path: one.txt",
    "cut": "use: cut_speech, path: cv, split: dev, audio_seconds: [1]",
    "x": "use: manifest, path: m.jsonl, audio_folder: clips",
    "named": "use: common_voice, path: cv, split: test.tsv",
}
for name, use in sets.items():
    lay.experiment(use, name)
