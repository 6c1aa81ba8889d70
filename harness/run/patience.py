"""How long an answer is waited for: a hang may cost a share of the budget."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.errors import limits


class Patience:
    """The limits of one run, and what its hangs have cost so far."""

    def __init__(self, budget_seconds: float = math.inf) -> None:
        self._budget = budget_seconds
        self._lost = 0.0  # seconds
        self._cells: Counter[str] = Counter()  # hangs of each
        self._variants: set[str] = set()  # that have hung
        self._failing: dict[str, float] = {}  # cell -> seconds that its calls have failed on end

    def opening(self) -> float:
        """Seconds to open a model or a judge."""
        return min(limits.OPEN_SECONDS, 2 * self._share())

    def calls(self, count: int, usual: float, own: float = 0.0) -> float:
        """Seconds for calls of which each usually takes so long (0: unknown); `own`: what a model
        allows itself, for it ends a call on its own."""
        once = max(min(limits.CALL_SECONDS, self._share()), 2 * own)
        return once + limits.USUAL_TIMES * count * usual

    def failing(self) -> float:
        """Seconds that the calls of a cell may fail on end."""
        return limits.HANGS_OF_A_CELL * self._share()

    def hung(self, variant: str, cell: str, seconds: float) -> None:
        self._lost += seconds
        self._cells[cell] += 1
        self._variants.add(variant)

    def failed(self, cell: str, seconds: float) -> None:
        self._failing[cell] = self._failing.get(cell, 0.0) + seconds

    def answered(self, cell: str) -> None:
        self._failing.pop(cell, None)

    def over(self, variant: str, cell: str) -> str:
        """Why a cell of a variant is not asked any more; "" where it is."""
        if self._cells[cell] >= limits.HANGS_OF_A_CELL:
            return f"given up after {self._cells[cell]} calls without an answer"
        if variant in self._variants and self._lost >= limits.HANGS_SHARE * self._budget:
            return f"given up: calls without an answer took {self._lost:.0f} s of the budget"
        if self._failing.get(cell, 0.0) > self.failing():
            return f"given up: its calls failed for {self._failing[cell]:.0f} s on end"
        return ""

    def _share(self) -> float:
        return max(limits.LEAST_SECONDS, limits.HANG_SHARE * self._budget)


def own_limit(params: Mapping[str, Any], parts: Mapping[str, Any]) -> float:
    """The longest call that a model or a part of it allows itself; 0 where none says. `parts` are
    as a child process is told to open them."""
    own = float(params.get("timeout_seconds") or 0)
    return max([own, *(own_limit(part["params"], part["parts"]) for part in parts.values())])
