"""One clip of noise under 40 names, some of them at half the level or in another container."""

import numpy as np
import soundfile as sf

noise = np.random.default_rng(1).normal(0, 0.1, 81480).clip(-0.9, 0.9)
for n in range(40):
    sf.write(
        f"copy{n:02}.wav",
        noise * (0.5 if n % 2 else 1.0),
        16_000,
        format="FLAC" if n % 3 == 2 else "WAV",
    )
