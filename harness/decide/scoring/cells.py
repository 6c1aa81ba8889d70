"""Scores by cell: the rows of one metric of one variant in one session at one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

Key = tuple[Any, ...]


def cells(scores: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[Key, pd.DataFrame]]:
    """(key, rows) of each combination of `by` that occurs, in the order in which they first do.

    As `groupby` gives them; but no text is touched where the columns are categories.
    """
    code = np.zeros(len(scores), dtype=np.intp)
    for name in by:
        each, names = _numbers(scores[name])
        code = code * len(names) + each
    code, found = pd.factorize(code)
    order = np.argsort(code.astype(np.min_scalar_type(len(found))), kind="stable")
    ends = np.cumsum(np.bincount(code, minlength=len(found)))
    for rows in np.split(order, ends)[: len(found)]:
        cell = scores.iloc[rows]
        yield tuple(cell[name].iloc[0] for name in by), cell


def _numbers(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """(code of each row, what can be one)."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    return pd.factorize(column)
