"""X."""

raise MemoryError
