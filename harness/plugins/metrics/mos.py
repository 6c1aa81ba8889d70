"""Mean opinion score of a listening test (P.800 or P.808): what its listeners said, of its items.

From 1 to 5, the mean over the ratings that count; its interval is over raters and items, since both
are samples. Compare with scores of the same test only: other listeners, other anchors, another MOS.
"""

from __future__ import annotations

from harness.contracts import Metric
from harness.plugins.metrics._figures import figure

metric = Metric(
    unit="MOS",
    better="higher",
    measure=figure("score"),
    fold="crossed",
    judge="mos_ratings",
    kind="opinion",
    title={"en": "Listeners' MOS", "es": "MOS de oyentes"},
    order=10,
)
