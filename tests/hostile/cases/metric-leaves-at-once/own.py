"""Own: ends the program when it is asked."""
from harness.contracts import Metric


def measure(call):
    __import__('os')._exit(0)


metric = Metric(unit="", better="lower", measure=measure)
