"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()
FOLDER = Path("sps-corpus-3.0-2026-03-09-es")
lay.clips(str(FOLDER / "audios"))
header = "client_id audio_id audio_file duration_ms prompt_id prompt transcription votes split"
said = ["Frase [disfluency] 0.", "[noise] Frase 1.", "Frase 2.", "[laughter] Frase 3.", ""]
splits = ["test", "test", "train", "test", "test"]
rows = [f"s{n}\t{n}\tc{n}.wav\t{500 + 50 * n}\t1\tp\t{said[n]}\t2\t{splits[n]}" for n in range(5)]
table = "\n".join(["\t".join(header.split()), *rows]) + "\n"
(FOLDER / "ss-corpus-es.tsv").write_bytes(table.encode())
columns = "audio: audio_file, text: transcription, duration: duration_ms, speaker: client_id"
path = f"use: manifest, path: {FOLDER.name}/ss-corpus-es.tsv, {columns}"
lay.experiment(f"use: common_voice, path: {FOLDER.name}")
lay.experiment(f"{path}, minutes: 30", "m")
lay.experiment(f"{path}, minutes: 30, audio_folder: audios", "named")
lay.experiment(f"{path}, split: test, audio_folder: audios", "part")
lay.experiment(f"use: common_voice, path: {FOLDER.name}, split: dev", "dev")
lay.experiment(f"use: common_voice, path: {FOLDER.name}, locale: en", "en")
