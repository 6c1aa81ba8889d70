"""What the case is about, made anew."""

import lay

lay.models()

rows = [
    's0\tc0.wav\t"""Frase"" 0."\n',
    's1\tc1.wav\t"Frase 1.\n',
    's2\tc2.wav\t"Frase" 2.\n',
    's3\tc3.wav\t"Frase 3."\n',
    's4\tc4.wav\tFrase ""4"".\n',
]
lay.release(rows="".join(rows))
lay.experiment("use: common_voice, path: cv")
