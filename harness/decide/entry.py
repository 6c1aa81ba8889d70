"""What one child process of a run holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.runtime.session import SessionConfig


@dataclass(frozen=True)
class Entry:
    """What one child process holds: a variant opened in one session configuration."""

    variant: str
    session: SessionConfig
    folder: Path
    family: str
    params: Mapping[str, Any] = field(hash=False)
    replica: int = 0
    parts: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of a system, by role

    @property
    def label(self) -> str:
        twin = " (A/A twin)" if self.replica else ""
        return f"{self.variant}/{self.session.name}{twin}"
