"""Fidelity: outputs and transcripts of variants beside the baseline's, from formula to gate."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import filed
import numpy as np
import pandas as pd
import pytest
from scipy import special
from test_pipeline import YAML, Local, lay_out, prepare, put_model

from harness import plugins, spec
from harness.app import api
from harness.contracts import Call, Comparable, Result
from harness.decide import distances, scoring, verdict
from harness.decide import nearness as told
from harness.decide.stats import Interval, Resampling
from harness.errors import OutputError, SpecError, limits
from harness.report import document
from harness.run import fidelity
from harness.run.worker import comparing, nearness
from harness.spec import load
from harness.store import tables

DRAW = np.random.default_rng(7)
REFERENCE = DRAW.normal(0, 2, (50, 12))
OTHER = REFERENCE + DRAW.normal(0, 0.3, REFERENCE.shape)


# ------------------------------------------------------------------------ figures by formulas
def figures(
    kind: str, mine: np.ndarray = OTHER, theirs: np.ndarray = REFERENCE
) -> dict[str, float]:
    sums = comparing.KINDS[kind]()
    sums.add(mine, theirs, "output")
    return sums.figures()


def by_scipy(other: np.ndarray = OTHER, reference: np.ndarray = REFERENCE) -> np.ndarray:
    """D(P || Q) of each row, by SciPy's rel_entr (x log(x / y)) and softmax."""
    p, q = special.softmax(reference, axis=1), special.softmax(other, axis=1)
    return np.asarray(special.rel_entr(p, q).sum(axis=1))


SAME = OTHER.argmax(axis=1) == REFERENCE.argmax(axis=1)
# each written out with numpy and SciPy beside the harness's own sums
EXPECTED: dict[str, dict[str, float]] = {
    "outputs": {
        "positions": 50,
        "noise": float(np.linalg.norm(OTHER - REFERENCE) ** 2),
        "signal": float(np.linalg.norm(REFERENCE) ** 2),
        "largest": float(np.abs(OTHER - REFERENCE).max()),
        "cosine": sum(
            float(np.dot(y, r) / np.sqrt(np.dot(y, y) * np.dot(r, r)))
            for y, r in zip(OTHER, REFERENCE, strict=True)
        ),
    },
    "logits": {
        "positions": 50,
        "kl": float(by_scipy().sum()),
        "kl_p99": float(np.sort(by_scipy())[math.ceil(0.99 * 50) - 1]),  # nearest rank
        "agreeing": float(SAME.sum()),
        "first": float(np.flatnonzero(~SAME)[0]),
    },
}


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_figures_are_those_of_the_published_formulas(kind: str, dtype: Any) -> None:
    loose = {np.float64: 1e-9, np.float32: 1e-4, np.float16: 0.02}[dtype]
    found = figures(kind, OTHER.astype(dtype), REFERENCE.astype(dtype))
    assert found == pytest.approx(EXPECTED[kind], rel=loose)


@pytest.mark.parametrize("kind", EXPECTED)
def test_pieces_and_parts_of_a_piece_add_up_to_the_whole(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearness, "NUMBERS", 30)  # two rows at a time
    sums = comparing.KINDS[kind]()
    for at in (slice(0, 7), slice(7, 50)):
        sums.add(OTHER[at][np.newaxis], REFERENCE[at][np.newaxis], "output")
    assert sums.figures() == pytest.approx(EXPECTED[kind], rel=1e-9)


def test_the_same_output_is_no_error_the_same_direction_and_the_same_choice() -> None:
    outputs, logits = figures("outputs", OTHER, OTHER), figures("logits", OTHER, OTHER)
    assert (outputs["noise"], outputs["largest"]) == (0.0, 0.0)
    assert outputs["cosine"] == pytest.approx(50)
    assert (logits["kl"], logits["agreeing"], logits["first"]) == (0.0, 50.0, 50.0)


def test_log_probabilities_say_the_same_as_logits() -> None:
    p, q = special.log_softmax(REFERENCE, axis=1), special.log_softmax(OTHER, axis=1)
    assert figures("logits", q, p) == pytest.approx(EXPECTED["logits"], rel=1e-9)


@pytest.mark.parametrize(
    ("mine", "theirs", "cosine", "positions"),
    [
        ([[0.0, 0.0]], [[0.0, 0.0]], 1.0, 1),  # both silent: alike
        ([[0.0, 0.0]], [[1.0, 0.0]], 0.0, 1),
        ([[2.0, 0.0]], [[1.0, 0.0]], 1.0, 1),  # twice as large: a cosine does not see it
        ([[-1.0, 0.0]], [[1.0, 0.0]], -1.0, 1),
        ([[1.0], [0.0]], [[1.0], [1.0]], 0.5**0.5, 1),  # a number a position: all of them together
        ([3.0, 4.0], [4.0, 3.0], 0.96, 1),  # one axis: one position
    ],
)
def test_cosines_at_the_edges(mine: Any, theirs: Any, cosine: float, positions: int) -> None:
    found = figures("outputs", np.array(mine), np.array(theirs))
    assert found["cosine"] == pytest.approx(cosine)
    assert found["positions"] == positions


# ------------------------------------------------------------------------------- kept and compared
class Fake:
    """A model whose outputs are given."""

    def __init__(self, *pieces: tuple[str, Any]) -> None:
        self.pieces = pieces
        self.told: Mapping[str, Any] = {}

    def prepare(self, operation: str, item: Any) -> Callable[[], Any]:
        raise AssertionError("nothing is timed")

    def guide(self, item: Any, names: Sequence[str]) -> dict[str, Any]:
        return {"tokens": [1, 2], "names": list(names)}

    def outputs(
        self, item: Any, names: Sequence[str], guide: Mapping[str, Any]
    ) -> Iterator[tuple[str, np.ndarray]]:
        self.told = guide
        yield from ((name, np.asarray(piece)) for name, piece in self.pieces)


BASE = Fake(("a", REFERENCE), ("b", REFERENCE[0]), ("a", REFERENCE * 2))
WANTED = {"outputs": "a", "logits": "b"}


def kept(path: Path, model: Fake = BASE) -> Path:
    comparing.keep(model, None, ["a", "b"], path / "0.outputs")
    return path / "0.outputs"


def test_what_is_kept_is_compared_piece_by_piece_along_the_baselines_guide(tmp_path: Path) -> None:
    other = Fake(("a", OTHER), ("b", OTHER[0]), ("a", OTHER * 2))
    found = comparing.compare(other, None, kept(tmp_path), WANTED)
    assert other.told == {"tokens": [1, 2], "names": ["a", "b"]} == BASE.told
    # the second piece is twice the first: four times its squares
    assert found["outputs.noise"] == pytest.approx(5 * EXPECTED["outputs"]["noise"])
    assert found["outputs.positions"] == 100
    assert found["logits.kl"] == pytest.approx(by_scipy()[0])
    assert [path.name for path in tmp_path.iterdir()] == ["0.outputs"]


NAN = np.where(np.arange(12) == 3, np.nan, 1.0)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([("a", OTHER)], "a and b: fewer pieces \\(1\\) than the baseline's"),
        ([("a", OTHER), ("c", OTHER[0])], "gave the output c where the baseline's is b"),
        ([("a", OTHER[:, :5])], "a has shape \\[50, 5\\], the baseline's \\[50, 12\\]"),
        ([("a", OTHER), ("b", OTHER[0]), ("a", OTHER), ("a", OTHER)], "comes in more pieces"),
        ([("a", OTHER), ("b", NAN)], "b holds what is not a finite number"),
        ([("a", OTHER + 0j)], "a holds complex128, not real numbers"),
        ([("a", np.full((50, 12), "x"))], "not real numbers"),
    ],
)
def test_outputs_that_do_not_compare_are_one_line(
    tmp_path: Path, pieces: list[tuple[str, Any]], said: str
) -> None:
    with pytest.raises(OutputError, match=said):
        comparing.compare(Fake(*pieces), None, kept(tmp_path), WANTED)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([("a", NAN)], "a holds what is not a finite number"),
        ([("a", np.array([1.0, np.inf]))], "not a finite number"),
        ([], "gave no output"),
        ([("a", np.zeros(500))], "over 0 MB for one item"),
    ],
)
def test_a_baseline_that_gives_nothing_to_compare_with_keeps_nothing(
    tmp_path: Path, pieces: list[tuple[str, Any]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTPUT_BYTES", 1000)
    with pytest.raises(OutputError, match=said):
        kept(tmp_path, Fake(*pieces))
    assert not (tmp_path / "0.outputs").exists()


def test_one_number_a_position_has_no_classes_to_choose_from(tmp_path: Path) -> None:
    flat = Fake(("a", np.ones((4, 1))))
    with pytest.raises(OutputError, match="no classes"):
        comparing.compare(flat, None, kept(tmp_path, flat), {"logits": "a"})


# ------------------------------------------------------------------------- which output is compared
OFFERED = (Comparable("encoder", False), Comparable("logits", True))


def entry(metrics: list[str], output: str = "") -> Any:
    return spec.Quality("d", None, tuple(metrics), "spanish", output=output)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metrics", "output", "offered", "found"),
    [
        (["output_error"], "", OFFERED, {"outputs": "encoder"}),
        (["kl"], "", OFFERED, {"logits": "logits"}),
        (["cosine", "kl", "wer"], "", OFFERED, {"outputs": "encoder", "logits": "logits"}),
        (["cosine", "kl"], "logits", OFFERED, {"outputs": "logits", "logits": "logits"}),
        (["kl"], "", (Comparable("y"),), {"logits": "y"}),  # nobody knows: who asks does
        (["wer", "changed"], "", OFFERED, {}),
    ],
)
def test_metrics_compare_the_main_output_or_the_first_that_scores_classes(
    metrics: list[str], output: str, offered: Any, found: dict[str, str]
) -> None:
    assert fidelity.compares_of(entry(metrics, output), offered, Path) == found


@pytest.mark.parametrize(
    ("metrics", "output", "offered", "said"),
    [
        (["cosine"], "logit", OFFERED, "no output 'logit' to compare; it has: encoder, logits"),
        (["kl"], "encoder", OFFERED, "kl compares scores of classes, and encoder holds none"),
        (["kl"], "", OFFERED[:1], "none of its outputs holds any .outputs: encoder."),
        (["cosine"], "", (), "this model gives none of its own"),
    ],
)
def test_an_output_that_there_is_not_is_one_line_before_anything_is_measured(
    metrics: list[str], output: str, offered: Any, said: str
) -> None:
    with pytest.raises(SpecError, match=said):
        fidelity.compares_of(entry(metrics, output), offered, Path)


# ------------------------------------------------------------------------------------------- scores
ITEMS = [f"c{number}" for number in range(12)]
NAMES = ("output_error", "sqnr_db", "cosine", "max_abs_error", "argmax_agreement", "kl", "kl_p99",
         "first_divergence", "changed", "newly_wrong", "newly_right")  # fmt: skip
NAMED = {name: plugins.find_metric(name) for name in NAMES}


def call(variant: str, item: str, text: str = "sí", **more: Any) -> dict[str, Any]:
    return {
        "stage": "quality", "variant": variant, "session": "default", "operation": "pipeline",
        "warm": True, "dataset": "d", "item": item, "round": int(item[1:]), "seconds": 0.1,
        "text": text, "reference": "sí", "sentence": item, **more,
    }  # fmt: skip


def row(item: str, kind: str, variant: str = "int8", **said: Any) -> dict[str, Any]:
    place = {"variant": variant, "session": "default", "dataset": "d", "item": item}
    told_ = {k: json.dumps(v) if k == "figures" else v for k, v in said.items()}
    return {**place, "compares": kind, "output": "encoder", **told_}


def compared(noise: Sequence[float], signal: float = 100.0) -> pd.DataFrame:
    """A row of each kind for each item; position counts differ, so that pooling shows."""
    rows = []
    for number, (item, off) in enumerate(zip(ITEMS, noise, strict=False)):
        n = 10.0 + number
        rows.append(
            row(
                item,
                "outputs",
                figures={
                    "positions": n,
                    "noise": off,
                    "signal": signal,
                    "largest": off,
                    "cosine": n - off,
                },
            )
        )
        rows.append(
            row(
                item,
                "logits",
                figures={
                    "positions": n,
                    "kl": off,
                    "kl_p99": off / 2,
                    "agreeing": n - 1,
                    "first": 3.0,
                },
            )
        )
    return tables.frame("fidelity", rows)


def scored(fidelity_rows: pd.DataFrame, calls: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    both = [call(variant, item) for variant in ("fp32", "int8") for item in ITEMS]
    frame = tables.frame("calls", both if calls is None else calls)
    near = scoring.Nearness("fp32", fidelity_rows)
    return scoring.scores(frame, list(NAMED.values()), str.lower, near=near)


def value(scores: pd.DataFrame, name: str) -> Interval:
    cell = scores[(scores["metric"] == name) & (scores["variant"] == "int8")]
    return scoring.estimate(cell, NAMED[name], Resampling())


NOISE = [1.0, 1.3, 0.8, 1.1, 1.6, 0.9, 1.2, 1.4, 0.7, 1.05, 1.25, 1.15]
POSITIONS = [10.0 + number for number in range(12)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("output_error", math.sqrt(sum(NOISE) / 1200)),
        ("sqnr_db", 10 * math.log10(1200 / sum(NOISE))),
        ("cosine", 1 - sum(NOISE) / sum(POSITIONS)),
        ("max_abs_error", max(NOISE)),
        ("argmax_agreement", 1 - 12 / sum(POSITIONS)),
        ("kl", sum(NOISE) / sum(POSITIONS)),
        ("kl_p99", sum(NOISE) / 2 / 12),
        ("first_divergence", 3.0),
    ],
)
def test_utterances_pool_by_their_sums(name: str, expected: float) -> None:
    found = value(scored(compared(NOISE)), name)
    assert found.estimate == pytest.approx(expected)
    assert found.low <= found.estimate <= found.high


def test_the_bounds_of_a_root_and_of_decibels_are_those_of_the_ratio() -> None:
    scores = scored(compared(NOISE))
    error, decibels = value(scores, "output_error"), value(scores, "sqnr_db")
    assert decibels.low == pytest.approx(-20 * math.log10(error.high))
    assert decibels.high == pytest.approx(-20 * math.log10(error.low))


@pytest.mark.parametrize(
    ("name", "difference", "ratio"),
    [
        # errors of 0.2 and 0.1, which are 14 and 20 dB
        ("output_error", 0.1, 2.0),
        ("sqnr_db", 20 * math.log10(0.5), math.nan),
        ("kl", 3 / 10, 4.0),
        ("argmax_agreement", 0.0, math.nan),
    ],
)
def test_two_variants_are_compared_by_what_the_metric_says(
    name: str, difference: float, ratio: float
) -> None:
    both = []
    for variant, noise in (("int8", 4.0), ("fp16", 1.0)):
        rows = compared([noise] * 12).assign(variant=variant)
        both.append(rows.assign(figures=[json.dumps({**json.loads(text), "positions": 10.0,
            "agreeing": 9.0}) for text in rows["figures"]]))  # fmt: skip
    calls = [call(v, item) for v in ("fp32", "int8", "fp16") for item in ITEMS]
    scores = scored(pd.concat(both, ignore_index=True), calls)
    mine = scores[scores["metric"] == name]
    cells = [mine[mine["variant"] == variant] for variant in ("int8", "fp16")]
    found = scoring.compare(cells[0], cells[1], NAMED[name], Resampling())
    assert found[0].estimate == pytest.approx(difference, abs=1e-12)
    assert found[1].estimate == pytest.approx(ratio, nan_ok=True)
    assert not found[0].low > difference + 1e-9


def test_the_same_output_everywhere_is_no_error_and_has_decibels_to_show() -> None:
    scores = scored(compared([0.0] * 12))
    assert value(scores, "output_error").high == 0.0
    assert value(scores, "sqnr_db").low == pytest.approx(144.5, abs=0.1)
    assert value(scores, "sqnr_db").why == ""


def test_the_baseline_is_what_others_are_held_against_and_has_no_score() -> None:
    rows = tables.frame("fidelity", [row("c0", "outputs", "fp32", figures={"noise": 1.0})])
    both = pd.concat([compared(NOISE), rows], ignore_index=True)
    assert set(scored(both)["variant"]) == {"int8"}


TEXTS = [
    # baseline, variant, changed, newly wrong, newly right (each sí where right)
    ("sí", "sí", 0, 0, 0),
    ("sí", "no", 1, 1, 0),
    ("no", "sí", 1, 0, 1),
    ("no", "ni", 1, 0, 0),
    ("no", "no", 0, 0, 0),
    ("SÍ", "sí", 0, 0, 0),  # texts are normalised first
]


@pytest.mark.parametrize(("base", "mine", "changed", "wrong", "right"), TEXTS)
def test_transcripts_are_held_against_the_baselines_of_the_same_utterance(
    base: str, mine: str, changed: int, wrong: int, right: int
) -> None:
    calls = [call("fp32", "c1", "other"), call("fp32", "c2", base), call("int8", "c2", mine)]
    scores = scored(tables.frame("fidelity", []), calls).set_index("metric")["value"]
    found = [scores[name] for name in ("changed", "newly_wrong", "newly_right")]
    assert found == [changed, wrong, right]


def test_without_the_baselines_transcript_nothing_is_known() -> None:
    calls = [call("fp32", "c2", error="crashed"), call("int8", "c2", "sí")]
    scores = scored(tables.frame("fidelity", []), calls)
    assert scores.set_index("metric")["value"][["changed", "newly_wrong"]].isna().all()


# -------------------------------------------------------------------------------------------- gates
def checked(name: str, rows: pd.DataFrame, **limit: float) -> dict[str, Any]:
    gate = {"metric": name, "variants": ["int8"], "operation": "pipeline", "at": {"dataset": "d"}}
    both = [call(variant, item) for variant in ("fp32", "int8") for item in ITEMS]
    experiment = {"baseline": "fp32", "candidate": "int8", "seed": 1, "gates": [gate | limit]}
    experiment |= {"variants": [{"name": "fp32"}, {"name": "int8"}]}
    data = {
        "calls": tables.frame("calls", both),
        "scores": scored(rows),
        "fidelity": rows,
        **{table: tables.frame(table, []) for table in ("stops", "variants", "judged")},
    }
    case = verdict.Case(filed.experiment(experiment), NAMED, "default", datetime.date(2026, 11, 27))
    found: dict[str, Any] = verdict.checks(case, data).iloc[0].to_dict()
    return found


@pytest.mark.parametrize(
    ("name", "limit", "status"),
    [
        ("output_error", {"max": 0.2}, "PASS"),
        ("output_error", {"max": 0.05}, "FAIL"),
        ("sqnr_db", {"min": 15.0}, "PASS"),
        ("sqnr_db", {"min": 30.0}, "FAIL"),
        ("cosine", {"min": 0.85}, "PASS"),
        ("kl", {"max": 0.2}, "PASS"),
        ("kl_p99", {"max": 0.1}, "FAIL"),
        ("max_abs_error", {"max": 3.0}, "PASS"),
        ("argmax_agreement", {"min": 0.5}, "PASS"),
        ("first_divergence", {"min": 5.0}, "FAIL"),
        ("changed", {"max": 0.5}, "PASS"),
    ],
)
def test_gates_hold_the_whole_bound_against_the_limit(
    name: str, limit: dict[str, float], status: str
) -> None:
    assert checked(name, compared(NOISE), **limit)["status"] == status


@pytest.mark.parametrize("kind", ["failed", "missing"])
def test_an_utterance_that_was_not_compared_keeps_the_gate_from_being_measured(kind: str) -> None:
    rows = compared(NOISE)
    rows = rows[rows["item"] != "c3"]
    if kind == "failed":
        why = "encoder has shape [1], the baseline's [2]."
        lost = tables.frame("fidelity", [row("c3", "outputs", error=why)])
        rows = pd.concat([rows, lost], ignore_index=True)
    found = checked("output_error", rows, max=0.5)
    assert found["status"] == "NOT MEASURED"
    assert "1 of 12" in found["reason"]
    said = "the baseline's [2]" if kind == "failed" else "was not compared"
    assert said in found["reason"]


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{metric: output_error, max_increase: 0.1}", "compares with 'slow' already"),
        ("{metric: output_error, max: 0.1, variants: [slow]}", "has no value itself"),
        ("{metric: output_error, min: 0.1}", "lower is better for output_error"),
        ("{metric: changed, max_ratio: 2}", "compares with 'slow' already"),
        ("{metric: kl, max: 0.1, at: {audio_seconds: 2}}", "not measured at 2 s"),
    ],
)
def test_a_limit_that_asks_the_baseline_about_itself_is_one_line(
    tmp_path: Path, gate: str, said: str
) -> None:
    lay_out(tmp_path / "p")
    text = YAML.replace("[wer]", "[wer, output_error, kl, changed]")
    text = text.replace("  - {metric: wer, max_increase: 0.5}", f"  - {gate}")
    (tmp_path / "p" / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        load(tmp_path / "p" / "x.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[wer]", "[wer], output: hidden", "no metric here compares an output"),
        ("  - {name: fast, source: {path: fast}}\n", "", "there is no other variant"),
    ],
)
def test_an_output_that_nothing_compares_is_one_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    lay_out(tmp_path / "p")
    text = YAML if "output:" in new else YAML.replace("[wer]", "[wer, kl]")
    (tmp_path / "p" / "x.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        load(tmp_path / "p" / "x.yaml")


# --------------------------------------------------------------------------------------- whole runs
FIDELITY = YAML.replace(
    "[wer]", "[wer, output_error, sqnr_db, cosine, kl, argmax_agreement, changed]"
).replace("{metric: wer, max_increase: 0.5}", "{metric: output_error, max: 0.3}")


class Counting(Local):
    """Notes what is asked, and is killed at the request of this number."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012  of all workers of a test
    killed_at = -1

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        kind = next(iter(request))
        if kind in ("reference", "nearness"):
            Counting.asked.append((kind, self.label.partition("/")[0]))
            if len(Counting.asked) == Counting.killed_at:
                raise KeyboardInterrupt
        return super().ask(request, limit_seconds)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    lay_out(folder)
    put_model(folder / "near", factor=0.5, gain=1.1)
    text = FIDELITY.replace("{path: fast}", "{path: near}")
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    prepare(folder, monkeypatch, "")
    monkeypatch.setattr(Counting, "asked", [])
    monkeypatch.setattr(fidelity, "OUTPUTS_AT_ONCE", 2)
    return folder


def ran(folder: Path) -> Result:
    return api.run(folder / "x.yaml", folder / "out", start=Counting)


def test_a_run_compares_each_utterance_and_leaves_no_outputs(project: Path) -> None:
    result = ran(project)
    mine = result.summary[result.summary["stage"] == "quality"]
    rows = dict(zip(zip(mine["metric"], mine["variant"], strict=True), mine["value"], strict=True))
    # y = 1.1 r everywhere: an error of 0.1, 20 dB, the same direction
    assert rows["output_error", "fast"] == pytest.approx(0.1, rel=1e-5)
    assert rows["sqnr_db", "fast"] == pytest.approx(20, rel=1e-5)
    assert rows["cosine", "fast"] == pytest.approx(1)
    assert rows["argmax_agreement", "fast"] == 1
    assert rows["changed", "fast"] == 0
    assert ("output_error", "slow") not in rows
    assert len(result.fidelity) == 8  # four clips, two kinds
    # the baseline's outputs are there before anything is compared with them
    assert Counting.asked == [("reference", "slow"), ("nearness", "fast")] * 2
    assert not (project / "out" / ".work" / "outputs").exists()
    gate = result.checks.set_index("metric").loc["output_error"]
    assert gate["status"] in ("PASS", "INCONCLUSIVE")  # four speakers are few
    text = document.render(result, "es")
    assert "Fidelidad a la base" in text
    assert "distances.csv" in text


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_run_that_was_killed_while_it_compared_goes_on_where_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(Counting, "killed_at", at)
    with pytest.raises(KeyboardInterrupt):
        ran(project)
    before = (at - 1) // 2  # pairs of utterances that were compared
    monkeypatch.setattr(Counting, "killed_at", -1)
    Counting.asked.clear()
    result = ran(project)
    assert Counting.asked == [("reference", "slow"), ("nearness", "fast")] * (2 - before)
    assert sorted(result.fidelity["item"]) == sorted(2 * list(result.fidelity["item"].unique()))
    assert (result.fidelity["error"] == "").all()
    assert not (project / "out" / ".work" / "outputs").exists()


@pytest.mark.slow
def test_another_metric_of_the_same_outputs_measures_nothing_again(project: Path) -> None:
    ran(project)
    Counting.asked.clear()
    path = project / "x.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("cosine,", "cosine, max_abs_error,"), encoding="utf-8")
    assert (ran(project).summary["metric"] == "max_abs_error").any()
    assert Counting.asked == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "facts", "said"),
    [
        ("near", {"features": 20}, "hidden has shape [4, 20], the baseline's [4, 40]"),
        ("near", {"gain": math.inf}, "hidden holds what is not a finite number"),
        ("model", {"gain": math.inf}, "the baseline gave no output to compare with: hidden holds"),
    ],
)
def test_outputs_that_do_not_compare_are_a_row_each_and_approve_nothing(
    project: Path, model: str, facts: dict[str, Any], said: str
) -> None:
    path = project / model / "facts.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**known, **facts}), encoding="utf-8")
    result = ran(project)
    assert result.fidelity["error"].str.startswith(said).all()
    gate = result.checks.set_index("metric").loc["output_error"]
    assert gate["status"] == "NOT MEASURED"
    assert said[:30] in gate["reason"]
    assert not result.passed
    assert (result.summary["metric"] == "wer").any()  # what was heard is not lost


def test_the_standard_error_of_kl_is_that_of_a_ratio_over_utterances() -> None:
    scores = scored(compared(NOISE))
    made = distances.table(scores, list(NAMED.values()))
    result = filed.result(Path(), {}, {}, {}, {"distances": made})
    # Cochran, Sampling Techniques, 3rd ed., 2.11, written out
    x, n = np.array(NOISE), np.array(POSITIONS)
    parts = x - x.sum() / n.sum() * n
    expected = math.sqrt(12 / 11 * (parts**2).sum()) / n.sum()
    assert told.standard_error(result, "d", "kl", "int8") == pytest.approx(expected)


def test_own_metrics_see_the_baselines_text_and_the_sums_of_the_comparison() -> None:
    seen = Call("pipeline", 1, 1, 1, 1, "a", "b", figures={"noise": 4.0, "signal": 16.0})
    assert NAMED["output_error"].metric.measure is not None
    assert NAMED["output_error"].metric.measure(seen) == (4.0, 16.0)
    assert seen.baseline_text is None
