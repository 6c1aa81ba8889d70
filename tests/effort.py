"""How hard a property is tried: a few examples while working, more in `make test-all`
(HYPOTHESIS_PROFILE=ci), HARNESS_FUZZ=5000 of each, chosen anew each time, in a long search.
"""

from __future__ import annotations

import os

from hypothesis import settings

DEV, CI = "dev", "ci"
FEWEST = 10  # examples below which a property is hardly tried
USUAL = {DEV: 20, CI: 100}  # of a property that names no number
SEARCH = int(os.environ.get("HARNESS_FUZZ", "0"))


def profile() -> str:
    return os.environ.get("HYPOTHESIS_PROFILE", DEV)


def examples(all_of_them: int) -> int:
    """Of a property that `make test-all` tries that many times: a fifth while working."""
    if SEARCH:
        return SEARCH
    return all_of_them if profile() == CI else min(all_of_them, max(FEWEST, all_of_them // 5))


def register() -> None:
    """The same examples each time, but in a search; and no deadline: no test fails by the clock."""
    for name, count in USUAL.items():
        settings.register_profile(
            name,
            max_examples=SEARCH or count,
            deadline=None,
            derandomize=not SEARCH,
            database=None,
        )
    settings.load_profile(profile())
