"""Before a run: what its budget can decide, and what on this machine disturbs it."""
