"""What the alternative would cost: a bet on each block, valid at every moment if blocks do not
depend on each other (Waudby-Smith and Ramdas, JRSS B 86, 2024: their approximate GRAPA bet).

"A share 1 - q of the calls is slower than the limit" is betted against: capital is multiplied by
1 + bet (1 - q - share of the block that is slower) and the gate is approved at 1 / alpha.
"""

from __future__ import annotations

import math
import zlib
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from trust.generators import AR, CALLS_PER_BLOCK, DRIFT, IID, Generator
from trust.rows import Row, share

ALPHA = 0.05
BOLDEST = 0.75  # share of the largest bet that can never lose everything
CALLS = {0.5: 1500, 0.99: 3000}

Asked = tuple[Generator, float, float]  # generator, quantile, margin under the limit


def rows(experiments: int, seed: int) -> list[Row]:
    """False approvals at the limit, and calls used where the case is clear; nothing is promised."""
    asked: list[Asked] = [(g, q, m) for q in CALLS for g in (IID, AR, DRIFT) for m in (0.0, 0.25)]
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_row, asked, [experiments] * len(asked), [seed] * len(asked)))


def _row(asked: Asked, experiments: int, seed: int) -> Row:
    generator, q, margin = asked
    n = CALLS[q]
    where = "25% under the limit" if margin else "exactly at the limit"
    case = f"P{q * 100:g}, {where}, {generator.name}, {n} calls planned"
    random = np.random.default_rng([seed, zlib.crc32(case.encode())])
    limit = generator.true_quantile(q, n) / (1 - margin)
    runs = [approved_after(generator.calls(n, random) > limit, 1 - q) for _ in range(experiments)]
    if not margin:
        value, error = share(sum(used is not None for used in runs), experiments)
        return Row("betting instead: false approvals", case, value, error, experiments)
    used = np.asarray([n if one is None else one for one in runs]) / n
    spread = float(used.std(ddof=1)) / math.sqrt(experiments)
    return Row("betting instead: calls used", case, float(used.mean()), spread, experiments)


def approved_after(slower: np.ndarray, allowed: float) -> int | None:
    """Calls after which the capital reaches 1 / alpha; None where it never does."""
    shares = slower.reshape(-1, CALLS_PER_BLOCK).mean(axis=1)
    count = np.arange(1, shares.size + 1)
    mean = (0.5 + np.cumsum(shares)) / (1 + count)
    spread = (0.25 + np.cumsum((shares - mean) ** 2)) / (1 + count)
    gain = allowed - np.concatenate([[0.5], mean[:-1]])
    spread = np.concatenate([[0.25], spread[:-1]])
    bet = np.clip(gain / (spread + gain**2), 0.0, BOLDEST / (1 - allowed))
    capital = np.cumsum(np.log1p(bet * (allowed - shares)))
    won = np.flatnonzero(capital >= math.log(1 / ALPHA))
    return int(won[0] + 1) * CALLS_PER_BLOCK if won.size else None
