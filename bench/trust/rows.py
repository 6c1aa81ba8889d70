"""One figure of docs/trust.md: what was asked, what came out, how exactly it is known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "trust"


@dataclass(frozen=True)
class Row:
    """`value` out of `n` experiments (or measurements); `error` is its Monte-Carlo standard error.

    `target` reads "<= 0.05", ">= 0.8", "0.93 to 0.97" or "" where nothing was promised.
    """

    group: str  # false approvals | power | calls used | coverage | A/A | A/B | sweeps | needs ...
    case: str  # which generator, quantile, margin
    value: float
    error: float
    n: int
    target: str = ""
    note: str = ""
    unit: str = "share"  # share | calls | ratio ...

    @property
    def met(self) -> bool | None:
        """None where nothing was promised."""
        if not self.target:
            return None
        words = self.target.split()
        if words[0] == "<=":
            return self.value <= float(words[1])
        if words[0] == ">=":
            return self.value >= float(words[1])
        return float(words[0]) <= self.value <= float(words[2])


def share(hits: int, n: int) -> tuple[float, float]:
    """A share and its Monte-Carlo standard error, sqrt(p (1 - p) / n)."""
    p = hits / n
    return p, math.sqrt(p * (1 - p) / n)


def write(
    part: str, rows: Iterable[Row], seed: int, seconds: float, folder: Path = RESULTS
) -> None:
    """Leave a part's rows for the page."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"seed": seed, "seconds": round(seconds), "rows": [asdict(row) for row in rows]}
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=True) + "\n"
    (folder / f"{part}.json").write_text(text, encoding="utf-8")


def read(part: str, folder: Path = RESULTS) -> Sequence[Row]:
    """A part's rows; empty where it has not run."""
    path = folder / f"{part}.json"
    if not path.exists():
        return ()
    return tuple(Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"])
