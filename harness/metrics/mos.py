"""Mean opinion score of a listening test (P.800 or P.808): what its listeners said, of its items.

From 1 to 5, the mean over the ratings that count; its interval is over raters and items, since both
are samples. Compare with scores of the same test only: other listeners, other anchors, another MOS.
"""

from __future__ import annotations

import math

from harness.contracts import Call, Metric


def measure(call: Call) -> tuple[float, float]:
    """One listener's score; one that does not count has none."""
    score = call.figures.get("score")
    return (math.nan, math.nan) if score is None else (score, 1.0)


metric = Metric(unit="MOS", better="higher", measure=measure, fold="crossed", judge="mos_ratings")
