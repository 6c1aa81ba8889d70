"""Run a part of the figures behind docs/trust.md, or draw the page: `python -m trust --help`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
EXPERIMENTS = {
    "gallery": 1000,
    "corpora": 1000,
    "halving": 1000,
    "quality": 1000,
    "end_to_end": 40,
    "machine": 40,
    "decision": 1,
}
SEED = 20260101


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m trust", description=__doc__)
    parser.add_argument("part", choices=[*EXPERIMENTS, "page"])
    parser.add_argument(
        "--experiments",
        type=int,
        help="per figure (1000; 40 real ones and whole runs); fewer are shown, and kept in no file",
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--check", action="store_true", help="page: only say whether it is current")
    asked = parser.parse_args()
    if str(BENCH) not in sys.path:
        sys.path.append(str(BENCH))  # `material`, which the real measurements start from
    if asked.part == "page":
        page = importlib.import_module("trust.page")
        if not asked.check:
            print(page.write())
        elif why := page.stale():
            sys.exit(f"{why} `python -m trust page` in bench/ draws it.")
        return
    rows = importlib.import_module("trust.rows")
    part = importlib.import_module(f"trust.{asked.part}")
    count = EXPERIMENTS[asked.part] if asked.experiments is None else asked.experiments
    started = time.monotonic()
    found = part.rows(count, asked.seed)
    for row in found:
        print(f"{row.met!s:5} {row.value:8.4f} ± {row.error:.4f} {row.group}: {row.case}")
    if count >= EXPERIMENTS[asked.part]:
        rows.write(asked.part, found, asked.seed, time.monotonic() - started)


if __name__ == "__main__":
    main()
