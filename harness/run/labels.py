"""What data sets say of their utterances, beside the calls on them: read at the end, not measured,
so that another slice of the same data set costs no measurement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from harness.contracts import Dataset
from harness.decide import slices
from harness.errors import SpecError
from harness.spec import Experiment


def require(experiment: Experiment, datasets: Mapping[str, Dataset]) -> None:
    """Raises: SpecError (one line) for a slice of which no utterance of its data set tells."""
    for entry in experiment.quality:
        wanted, known = set(entry.slices) - {slices.SECONDS}, {slices.SECONDS}
        for one in datasets[entry.name].utterances if wanted else ():
            known |= {*one.labels, *([slices.SPEAKER] if one.speaker else [])}
            if wanted <= known:
                break
        if wrong := slices.unknown(entry.slices, sorted(known)):
            raise SpecError(f"quality {entry.name}: {wrong}")


def labelled(
    calls: pd.DataFrame, experiment: Experiment, datasets: Mapping[str, Dataset]
) -> pd.DataFrame:
    """The calls, each with the labels that its data set's slices ask for."""
    found = calls["labels"].to_numpy(dtype=object).copy()
    for entry in experiment.quality:
        columns = [name for name in entry.slices if name not in slices.OF_CALLS]
        if columns:
            said = _said(datasets[entry.name], columns)
            here = ((calls["dataset"] == entry.name) & (calls["stage"] == "quality")).to_numpy()
            found[here] = calls["item"][here].map(said).fillna("")
    return calls.assign(labels=pd.Series(found, index=calls.index, dtype=object).astype(str))


def _said(data: Dataset, columns: Sequence[str]) -> dict[str, str]:
    """Utterance -> its labels as the table keeps them."""
    return {
        one.id: json.dumps(
            {name: one.labels.get(name, "") for name in columns},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for one in data.utterances
    }
