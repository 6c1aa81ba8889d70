"""Judging what was said: a judge that does not open, audio that was changed, scores of nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_runner import Silent

from harness import store
from harness.contracts import Judge, Rating, Ratings
from harness.errors import (
    AssetError,
    AudioError,
    ExtraError,
    HarnessError,
    ModelError,
    SpecError,
    WorkerError,
)
from harness.runner.judging import Seat, Session, judge_audio

JUDGE = Judge(Params=dict, version="1.0", about={}, open=lambda *_: lambda _: None)
SEAT = Seat("ear", JUDGE, {"judge": "ear"}, "f")


class Ear:
    """A child process whose answers a test decides: one per opening, then one per piece."""

    def __init__(self, opening: HarnessError | None = None, *said: HarnessError | None) -> None:
        self.opening, self.said, self.started, self.heard = opening, list(said), 0, 0

    def __call__(self, label: str) -> Ear:
        assert label == "judge ear"
        self.started += 1
        return self

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        if "open_judge" in request:
            if self.opening:
                raise self.opening
            return {}
        self.heard += 1
        if self.said and (error := self.said.pop(0)):
            raise error
        return {"figures": '{"loudness": 1.0}', "text": ""}

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / store.WORK).mkdir()
    return tmp_path


def call(folder: Path, item: str, variant: str = "fp32") -> dict[str, Any]:
    content = f"{variant} says {item}".encode()
    (folder / f"{variant}-{item}.flac").write_bytes(content)
    return {
        "variant": variant, "session": "default", "replica": 0, "dataset": "prompts",
        "item": item, "speaker": "", "sentence": f"s-{item}", "round": 3, "reference": "hola",
        "audio": f"{variant}-{item}.flac", "audio_sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip


def calls(folder: Path, variants: str = "fp32 int8", items: str = "a b") -> dict[str, Any]:
    return {v: [call(folder, item, v) for item in items.split()] for v in variants.split()}


def judged(
    folder: Path, said: Mapping[str, Any], ear: Ear | None = None, seat: Seat = SEAT
) -> pd.DataFrame:
    units = {v: store.Unit(folder, f"judged-{v}", "k", table="judged") for v in said}
    todo = [(unit, said[v]) for v, unit in units.items()]
    judge_audio(seat, todo, Session(folder, ear or Ear(), Silent()))
    return pd.concat([unit.table() for unit in units.values()], ignore_index=True)


# ------------------------------------------------------------------------------ opening a judge
@pytest.mark.parametrize("kind", [ModelError, WorkerError])
def test_a_judge_that_fails_to_open_is_started_once_and_every_row_says_why(
    folder: Path, kind: type[HarnessError]
) -> None:
    said, ear = calls(folder), Ear(kind("judge ear: crashed with signal 11"))
    found = judged(folder, said, ear)
    assert set(found["error"]) == {"the judge could not be opened: crashed with signal 11"}
    assert (len(found), ear.started) == (4, 1)


def test_what_was_not_judged_for_that_is_judged_by_the_next_run(folder: Path) -> None:
    said = calls(folder)
    judged(folder, said, Ear(WorkerError("no answer within 180 s")))
    ear = Ear()
    found = judged(folder, said, ear)
    assert found["error"].tolist() == [""] * 4
    assert found["item"].tolist() == ["a", "b", "a", "b"]
    assert (ear.started, ear.heard) == (1, 4)
    judged(folder, said, ear)
    assert (ear.started, ear.heard) == (1, 4)


@pytest.mark.parametrize("kind", [AssetError, ExtraError, SpecError])
def test_what_the_user_can_bring_ends_the_run_with_its_line(
    folder: Path, kind: type[HarnessError]
) -> None:
    said, ear = calls(folder), Ear(kind("judge ear: needs a package."))
    with pytest.raises(kind, match=r"^judge ear: needs a package\.$"):
        judged(folder, said, ear)
    assert ear.started == 1
    assert judged(folder, said)["error"].tolist() == [""] * 4


def test_a_judge_that_dies_of_one_piece_is_opened_again_for_the_next(folder: Path) -> None:
    ear = Ear(None, WorkerError("judge ear: crashed"), AudioError("judge ear: too short."))
    found = judged(folder, calls(folder), ear)
    assert found["error"].tolist() == ["crashed", "too short.", "", ""]
    assert (ear.started, ear.heard) == (2, 4)  # a clip's fault ends no process
    judged(folder, calls(folder), ear)
    assert (ear.started, ear.heard) == (2, 4)  # what was judged is not judged again


# ------------------------------------------------------------------------------ the kept audio
def test_audio_that_is_not_what_was_said_is_not_judged_until_it_is(folder: Path) -> None:
    said = calls(folder, "fp32", "a b c")
    original = (folder / "fp32-a.flac").read_bytes()
    (folder / "fp32-a.flac").write_bytes(b"another")
    (folder / "fp32-b.flac").unlink()
    ear = Ear()
    found = judged(folder, said, ear)
    changed = "the kept audio was changed."
    assert found["error"].tolist() == [changed, changed, ""]
    assert ear.heard == 1
    (folder / "fp32-a.flac").write_bytes(original)
    found = judged(folder, said, ear).sort_values("item")
    assert found["error"].tolist() == ["", changed, ""]
    assert ear.heard == 2


# ------------------------------------------------------------------------------ listeners
def listened(*rows: Rating) -> Seat:
    return Seat("ear", JUDGE, {}, "f", Ratings(rows, "r"))


def shown(found: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    return [tuple(row) for row in found[["variant", "item", "rater", "error"]].to_numpy()]


def test_every_score_is_one_row_whoever_it_is_of(folder: Path) -> None:
    seat = listened(
        Rating("ana", "a", "fp32", 4.0),
        Rating("ana", "a", "int8", 3.0),
        Rating("ana", "z", "int8", 3.0),
        Rating("ana", "a", "x", 2.0),
        Rating("ana", "a", "", 2.0, "line 6: names no system."),
        Rating("bea", "a", "fp32", 1.0, "screened: all 3 ratings are 1.", screened=True),
        Rating("eva", "a", "fp32", 1.0, "one button only.", screened=True),
    )
    found = judged(folder, calls(folder), seat=seat)
    stranger = "no variant of this experiment is called 'x', or none of its audio is here."
    assert shown(found) == [
        ("fp32", "a", "ana", ""),
        ("fp32", "a", "bea", "screened: all 3 ratings are 1."),
        ("fp32", "a", "eva", "screened: one button only."),
        ("x", "a", "ana", stranger),
        ("", "a", "ana", "line 6: names no system."),
        ("int8", "a", "ana", ""),
        ("int8", "z", "ana", "no item 'z' in this data set."),
    ]
    assert found["figures"].tolist()[0] == '{"score": 4.0}'
    assert set(found["figures"][found["error"] != ""]) == {""}
    other = found[found["item"] == "z"].iloc[0]
    assert (other["reference"], other["audio_sha256"]) == ("", "")  # of no other item


def test_a_system_that_becomes_a_variant_is_a_stranger_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = listened(Rating("ana", "a", "fp32", 4.0), Rating("ana", "a", "int8", 3.0))
    before = judged(folder, calls(folder, "fp32"), seat=seat)
    assert before["error"].str.startswith("no variant of this").tolist() == [False, True]
    after = judged(folder, calls(folder), seat=seat)
    assert shown(after) == [("fp32", "a", "ana", ""), ("int8", "a", "ana", "")]
    monkeypatch.setattr(store.Unit, "finish", None)  # what has not changed is not written again
    assert shown(judged(folder, calls(folder), seat=seat)) == shown(after)


def test_a_variant_that_said_nothing_has_no_scores(folder: Path) -> None:
    seat = listened(Rating("ana", "a", "fp32", 4.0), Rating("ana", "a", "int8", 3.0))
    found = judged(folder, {"fp32": [], "int8": [call(folder, "a", "int8")]}, seat=seat)
    assert found["variant"].tolist() == ["fp32", "int8"]
    assert found["error"].tolist()[0].startswith("no variant of this experiment is called 'fp32', ")
    assert len(judged(folder, {"none": []}, seat=seat)) == 0
