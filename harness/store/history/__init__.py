"""What all the runs of a folder found, the oldest first.

lines      a run as one line: written when it is published, read again
writing    the runs, or a metric over them, as aligned text
"""

from harness.store.history.lines import PastFigure, PastRun, metrics, read, record, recorded

__all__ = ["PastFigure", "PastRun", "metrics", "read", "record", "recorded"]
