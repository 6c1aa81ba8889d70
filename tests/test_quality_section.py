"""For whom the quality section's intervals hold, and what it says of MAPSSWE."""

from __future__ import annotations

from dataclasses import replace

import filed
import invented_run
import numpy as np
import pandas as pd
import pytest

from harness.contracts import Result
from harness.report.sections import quality

RESULT = invented_run.build()


def spoken_by(speakers: list[str]) -> Result:
    calls = RESULT.calls.assign(
        speaker=np.resize(np.array(speakers, dtype=object), len(RESULT.calls))
    )
    return replace(RESULT, tables={**RESULT.tables, "calls": calls})


@pytest.mark.parametrize(
    ("speakers", "said"),
    [
        ([""], "It is not known who speaks"),
        (["ana"], "There is a single speaker"),
        (["ana", "luis", "eva"], "There are 3 speakers, fewer than the 5"),
        (["ana", "luis", "eva", "iker", "sol"], "`spanish`. There are 5 speakers.\n"),
    ],
)
def test_the_section_says_for_whom_its_intervals_hold(speakers, said):
    assert said in quality.render(spoken_by(speakers), "en")


def test_p_of_mapsswe_is_shown_where_there_is_one_and_said_to_decide_nothing():
    shown = quality.render(RESULT, "en")
    assert "| MAPSSWE p |" in shown
    assert "No gate uses it" in shown
    assert shown.count("NIST") == 1
    changes = RESULT.changes.assign(p_mapsswe=np.nan)
    without = replace(RESULT, tables={**RESULT.tables, "changes": changes})
    assert "MAPSSWE" not in quality.render(without, "en")


def on_two_sets(metrics: list[str]) -> Result:
    """The same figures on a second data set that is asked for these metrics."""
    parts = filed.data_of(RESULT)["quality"]
    again = {**parts[0], "name": "again", "metrics": metrics}
    twice = {
        name: pd.concat(
            [table, table[table["workload"] == "cv-es-prompts"].assign(workload="again")]
        )
        for name, table in RESULT.tables.items()
        if name in ("summary", "changes")
    }
    return replace(
        filed.changed(RESULT, quality=[*parts, again]), tables={**RESULT.tables, **twice}
    )


def test_mapsswe_is_explained_once_for_all_data_sets():
    shown = quality.render(on_two_sets(["wer", "cer"]), "en")
    assert shown.count("| MAPSSWE p |") == 2
    assert shown.count("NIST") == 1


def test_a_data_set_that_is_not_asked_for_wer_has_no_p_of_mapsswe():
    shown = quality.render(on_two_sets(["rtf"]), "en")
    assert "| Variant | RTF | RTF difference from `fp32` | Utterances | Errors |" in shown
    assert shown.count("| MAPSSWE p |") == 1
