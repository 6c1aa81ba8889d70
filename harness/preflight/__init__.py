"""Before a run: a first experiment, what its budget can decide, what disturbs it here."""
