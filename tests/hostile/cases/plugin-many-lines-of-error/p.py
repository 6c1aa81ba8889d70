"""X."""

raise ValueError("one\ntwo\nthree")
