"""What was made of each variant, and its row in the variants table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Made:
    """A variant of the experiment, or a part of one; where it could not be made, `error` says why.

    `family` is as a child process can load it: one of the user's own by its full path.
    """

    folder: Path
    fingerprint: str
    record: Mapping[str, Any]
    error: str = ""
    family: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Made] = field(default_factory=dict)

    def opening(self) -> dict[str, Any]:
        """What a child process is told to open, in plain data."""
        return {
            "family": self.family,
            "folder": str(self.folder),
            "params": dict(self.params),
            "parts": {role: part.opening() for role, part in self.parts.items()},
        }


def row(name: str, made: Made) -> dict[str, Any]:
    """The variant's row in the variants table."""
    record = made.record
    sizes = record.get("files", {})
    return {
        "variant": name,
        "method": record.get("method", ""),
        "size_bytes": sum(sizes.values()),
        "files": json.dumps(sizes),
        **{
            column: json.dumps(record.get(column, {}))
            for column in ("parameters", "operators", "nodes", "versions")
        },
        "fingerprint": made.fingerprint,
        "error": made.error,
    }
