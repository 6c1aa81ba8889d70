"""X."""

from pathlib import Path

Path("ran").write_text("x")
