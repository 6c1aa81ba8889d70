"""Counts of simulated cells, kept by the code they are from: only what changed is done anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "bench" / ".trust"
CODE = (
    "harness/decide/stats",
    "harness/decide/layout.py",
    "harness/plugins/gates/_rule.py",
    "harness/errors/limits.py",
)


def code(*files: str) -> str:
    """SHA-256 of the statistics, the layout and the named files of bench/trust."""
    digest = hashlib.sha256()
    paths = [ROOT / name for name in CODE] + [Path(__file__).parent / name for name in files]
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def kept(key: object, seal: str, make: Callable[[], Any]) -> Any:
    """What `make` gives as JSON data, read where it was made by the same code before."""
    name = hashlib.sha256(f"{seal}/{key!r}".encode()).hexdigest()[:24]
    path = KEPT / f"{name}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    found = make()
    KEPT.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return found
