"""What the case is about, made anew."""

from pathlib import Path

import lay

lay.models()

lay.clips()
rows = [
    '{"audio_filepath": "c0.wav", "text": "Frase 0."}',
    '{"audio_filepath": "c1.wav", "text": "Frase 1.", "text": "otra"}',
    '{"audio_filepath": "c2.wav", "text": NaN}',
    '{"audio_filepath": "c3.wav", "text": "' + "a" * 2_000_000 + '"}',
    '{"audio_filepath": "c4.wav", "text": "Fra\\u0000se"}',
    '{"audio_filepath": "c4.wav", "te\0xt": "Frase"}',
    "{}",
    '{"audio_filepath": "a", "text": ' + "[" * 5000 + "]" * 5000 + "}",
    '{"audio_filepath": "c1.wav", "text": "Frase 1.", "duration": NaN}',
]
Path("m.jsonl").write_bytes("\n".join(rows).encode())
lay.experiment("use: manifest, path: m.jsonl")
