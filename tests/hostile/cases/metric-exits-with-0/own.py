"""Own: ends the program when it is asked."""
from harness.contracts import Metric


def measure(call):
    raise SystemExit(0)


metric = Metric(unit="", better="lower", measure=measure)
