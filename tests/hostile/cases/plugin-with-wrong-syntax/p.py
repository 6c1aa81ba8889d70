"""X."""
def f(:
