"""Judging what was said: a judge that does not open, audio that was changed, scores of nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from test_runner import Silent

from harness import spec, store
from harness.contracts import Judge, Rating, Ratings
from harness.errors import (
    AssetError,
    AudioError,
    ExtraError,
    HarnessError,
    ModelError,
    OutputError,
    SpecError,
    TextError,
    WorkerError,
)
from harness.plugins.judges import utmos
from harness.run import pipeline, prepare
from harness.run.judging import COPIED, Seat, Session, judge_audio
from harness.run.variants import Maker

JUDGE = Judge(Params=dict, version="1.0", about={}, open=lambda *_: lambda _: None)
SEAT = Seat("ear", JUDGE, {"judge": "ear"}, "f")


class Ear:
    """A child process whose answers a test decides: one per opening, then one per piece."""

    def __init__(self, opening: HarnessError | None = None, *said: HarnessError | None) -> None:
        self.opening, self.said, self.started, self.heard = opening, list(said), 0, 0
        self.limits: list[float] = []  # of the pieces

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
        self.limits.append(limit_seconds)
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
        "stage": "quality", "variant": variant, "session": "default", "replica": 0,
        "dataset": "prompts", "item": item, "speaker": "", "sentence": f"s-{item}",
        "round": 3, "reference": "hola", "audio": f"{variant}-{item}.flac",
        "audio_sha256": hashlib.sha256(content).hexdigest(),
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


def test_a_judge_that_dies_of_every_piece_is_given_up_and_tried_by_the_next_run(
    folder: Path,
) -> None:
    said = calls(folder, "fp32", "a b c d e")
    ear = Ear(None, *[WorkerError("judge ear: crashed")] * 5)
    found = judged(folder, said, ear)
    given_up = "the judge was given up after 3 failures in a row."
    assert found["error"].tolist() == ["crashed"] * 3 + [given_up] * 2
    assert (ear.started, ear.heard) == (3, 3)
    found = judged(folder, said, ear := Ear())
    assert found["error"].tolist() == ["crashed"] * 3 + [""] * 2
    assert (ear.started, ear.heard) == (1, 2)


@pytest.mark.parametrize("kind", [AudioError, OutputError, TextError])
def test_what_is_the_pieces_fault_leaves_the_judge_open(
    folder: Path, kind: type[HarnessError]
) -> None:
    ear = Ear(None, *[kind("judge ear: answered 500")] * 5)
    found = judged(folder, calls(folder, "fp32", "a b c d e f"), ear)
    assert found["error"].tolist() == ["answered 500"] * 5 + [""]
    assert (ear.started, ear.heard) == (1, 6)


@pytest.mark.parametrize(
    ("parts", "limit"),
    [({}, 120.0), ({"recogniser": {"timeout_seconds": 300.0}}, 600.0)],  # twice its own limit
)
def test_the_longest_call_that_a_judges_part_allows_itself_is_waited_for(
    folder: Path, parts: dict[str, Any], limit: float
) -> None:
    inner = {role: {"params": params, "parts": {}} for role, params in parts.items()}
    seat = replace(SEAT, body={"judge": "ear", "parts": inner})
    judged(folder, calls(folder, "fp32", "a"), ear := Ear(), seat)
    assert ear.limits == [limit]


class KilledAt(Silent):
    """Interrupts as the n-th piece is announced."""

    def __init__(self, piece: int) -> None:
        self.left = piece

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_what_was_not_judged_before_a_kill_is_judged_by_the_next_run(folder: Path) -> None:
    said = calls(folder, "fp32", "a b c d")
    (folder / "fp32-a.flac").rename(folder / "away")
    unit = store.Unit(folder, "judged-fp32", "k", table="judged")
    dead = Ear(WorkerError("no answer within 180 s"))
    with pytest.raises(KeyboardInterrupt):
        judge_audio(SEAT, [(unit, said["fp32"])], Session(folder, dead, KilledAt(4)))
    assert [row["error"][:9] for row in unit.rows()] == ["the kept ", *["the judge"] * 2]
    (folder / "away").rename(folder / "fp32-a.flac")
    found = judged(folder, said)
    assert found["item"].tolist() == ["a", "b", "c", "d"]
    assert found["error"].tolist() == [""] * 4


# ------------------------------------------------------------------------------ what is a unit
def spoken(folder: Path, **changes: Any) -> store.Unit:
    unit = store.Unit(folder, "quality-prompts-fp32", "k")
    if unit.complete:
        unit.reopen(lambda _: False)
    unit.append(
        [{**call(folder, "a"), "warm": True, "operation": "pipeline", "block": 0, **changes}]
    )
    unit.finish()
    return unit


@pytest.mark.parametrize("name", sorted({*COPIED} - {"replica", "round"}))
def test_what_a_row_repeats_of_its_call_is_part_of_the_units_key(folder: Path, name: str) -> None:
    """The same audio with a corrected transcript, or of another session: other rows."""
    run = pipeline.Run(SimpleNamespace(folder=folder, environment={}), Silent())  # type: ignore
    before = run._judged(SEAT, spoken(folder))
    assert run._judged(SEAT, spoken(folder)).files == before.files
    assert run._judged(SEAT, spoken(folder, **{name: "other"})).files != before.files


def test_another_network_in_a_judges_file_is_another_judge(tmp_path: Path) -> None:
    path = tmp_path / "utmos22_strong.onnx"
    path.write_bytes(b"one")
    use = spec.Use("utmos", utmos.Params(path=str(path)))
    first = prepare._seat(use, Maker(Path))
    path.write_bytes(b"two")
    assert prepare._seat(use, Maker(Path)).fingerprint != first.fingerprint
    path.write_bytes(b"one")
    assert prepare._seat(use, Maker(Path)).fingerprint == first.fingerprint


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
