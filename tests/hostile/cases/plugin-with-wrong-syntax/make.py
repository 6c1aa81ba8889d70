"""A plugin that is no Python, which no formatter would let stand here."""

from pathlib import Path

Path("p.py").write_text('"""X."""\ndef f(:\n')
