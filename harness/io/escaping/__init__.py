"""Foreign text (names, errors, transcripts, replies) made harmless, once per medium.

signs      control and invisible signs made visible; long texts cut; what a terminal gets
markdown   marks on signs that markdown reads, and the one place that writes them out
results    a whole run's texts, for a report or for its figures
csv        texts that a spreadsheet would take for formulas, and back
names      names that look alike
"""

from harness.io.escaping.csv import guarded, unguarded
from harness.io.escaping.markdown import inert, marked, settled, unmarked
from harness.io.escaping.names import disguised, folded
from harness.io.escaping.signs import cut, printed, terminal, visible

__all__ = [
    "cut", "disguised", "folded", "guarded", "inert", "marked", "printed", "settled", "terminal",
    "unguarded", "unmarked", "visible",
]  # fmt: skip
