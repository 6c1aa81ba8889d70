"""Own: ends the program when it is asked."""
from harness.contracts import Metric


def measure(call):
    return 1 / 0, 1.0


metric = Metric(unit="", better="lower", measure=measure)
