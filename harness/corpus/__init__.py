"""Data sets on disk, read a row at a time: lines by their place, release folders, archives."""

from harness.corpus.listing import Listing, Stock, is_there, key, keys, stock, times
from harness.corpus.places import Places, csv_places, line_places, not_utf8, read_all, read_one

__all__ = [
    "Listing",
    "Places",
    "Stock",
    "csv_places",
    "is_there",
    "key",
    "keys",
    "line_places",
    "not_utf8",
    "read_all",
    "read_one",
    "stock",
    "times",
]
