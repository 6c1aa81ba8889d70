"""Small files of the kernel and answers of other programs, "" where there are none."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path("/")
CPUS = "sys/devices/system/cpu"


def read(path: Path) -> str:
    """A file's text without blanks around it, "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(text: str) -> int | None:
    """A whole number written in decimal digits; None for anything else, such as "max"."""
    return int(text) if text.isdecimal() else None


def fields(text: str) -> dict[str, str]:
    """`key: value` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def ranges(text: str) -> list[int]:
    """Linux's list format: "0-2,5" is 0, 1, 2, 5."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def chosen(text: str) -> str:
    """The bracketed word of a kernel's choice: "always [madvise] never" is madvise."""
    return text.partition("[")[2].partition("]")[0]


def processors(root: Path) -> list[dict[str, str]]:
    """The blocks of /proc/cpuinfo, one per logical processor."""
    blocks = read(root / "proc/cpuinfo").split("\n\n")
    return [found for found in map(fields, blocks) if "processor" in found]


def run(*command: str) -> str:
    """A program's output, "" where there is no such program or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
