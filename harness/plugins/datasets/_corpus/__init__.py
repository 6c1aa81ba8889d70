"""Data sets on disk, read a row at a time: tables, rows by their place, releases, archives."""

from harness.plugins.datasets._corpus.listing import (
    Listing,
    Stock,
    composed,
    found,
    is_there,
    key,
    keys,
    numbered,
    shown,
    stock,
    times,
)
from harness.plugins.datasets._corpus.places import (
    RowPlaces,
    line_places,
    narrow,
    not_utf8,
    read_all,
    read_one,
)

__all__ = [
    "Listing",
    "RowPlaces",
    "Stock",
    "composed",
    "found",
    "is_there",
    "key",
    "keys",
    "line_places",
    "narrow",
    "not_utf8",
    "numbered",
    "read_all",
    "read_one",
    "shown",
    "stock",
    "times",
]
