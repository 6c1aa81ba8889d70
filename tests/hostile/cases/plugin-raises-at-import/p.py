"""X."""

TABLE = {}["missing"]
