"""What of a run's budget the utterances take: they are never cut below the first hundred."""

from __future__ import annotations

import pandas as pd

from harness.run.prepare import Setting

QUALITY_SHARE = 0.6  # of the budget, at most, for the utterances beyond the first hundred
COMPARING = 1.5  # times what an utterance takes, for comparing its outputs with the baseline's
GUESSED_CALL_SECONDS = 1.0  # for the forecast of the quality stage, before anything has run


def quality_seconds(setting: Setting, swept: pd.DataFrame | None = None) -> float:
    """What the utterances will take, by what the sweep's calls took, a guess before it."""
    names = [name for name in measured_names(setting) if not setting.made[name].error]
    clips = sum(sizes(setting).values())
    most = QUALITY_SHARE * setting.experiment.budget.minutes * 60
    if swept is None:
        return min(clips * len(names) * GUESSED_CALL_SECONDS, most)
    taken = swept[swept["warm"] & (swept["session"] == "default")]
    usual = taken.groupby("variant")["seconds"].median().dropna()
    typical = usual.median() if len(usual) else GUESSED_CALL_SECONDS
    return min(float(clips * sum(usual.get(name, typical) for name in names)), most)


def measured_names(setting: Setting) -> list[str]:
    """The variants but those that the selection left out."""
    experiment, how = setting.experiment, setting.experiment.selection
    out = {name for name in how.among if name != experiment.candidate} if how else set()
    return [variant.name for variant in experiment.variants if variant.name not in out]


def sizes(setting: Setting) -> dict[str, float]:
    """Utterances of each data set but the selection's, which has been measured by then; where their
    outputs are compared too, as many more as take that long."""
    how = setting.experiment.selection
    found = {n: len(data.utterances) * _times(setting, n) for n, data in setting.datasets.items()}
    return {name: size for name, size in found.items() if not how or name != how.dataset}


def shares(setting: Setting) -> dict[str, float]:
    """What hearing each data set may take of what all of them may, comparing outputs left out."""
    found = sizes(setting)
    total = max(sum(found.values()), 1)
    return {name: size / total / _times(setting, name) for name, size in found.items()}


def _times(setting: Setting, name: str) -> float:
    return 1 + COMPARING * bool(setting.compares.get(name))
