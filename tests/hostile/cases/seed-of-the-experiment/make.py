"""What the case is about, made anew."""

import lay

lay.models()

lay.release()
lay.experiment("use: common_voice, path: cv, limit: 2")
lay.experiment("use: common_voice, path: cv, limit: 2, seed: 3", "own")
