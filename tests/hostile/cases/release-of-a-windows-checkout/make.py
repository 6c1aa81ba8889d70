"""What the case is about, made anew."""
# ruff: noqa: E402

from pathlib import Path

import lay

lay.models()

lay.release()
lay.release("crlf/cv/es")
table = Path("crlf/cv/es/test.tsv")
table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
lay.experiment("use: common_voice, path: cv", "x")
lay.experiment("use: common_voice, path: crlf/cv", "crlf")
from harness.plugins.datasets import common_voice

same = {
    common_voice.load(common_voice.Params(path=path), Path).fingerprint
    for path in ("cv", "crlf/cv")
}
assert len(same) == 1
