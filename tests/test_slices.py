"""Slices of a data set: bands, labels of each kind of data set, the table against a hand count, and
a whole run of the fake family on two accents."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filed
import numpy as np
import pandas as pd
import pytest
import soundfile
from test_pipeline import Local, lay_out, prepare, run

from harness import load, plugins
from harness.app import cli
from harness.contracts import Dataset, Utterance
from harness.decide import scoring, slices
from harness.errors import HarnessError, SpecError
from harness.errors.limits import LABEL_CHARACTERS, SLICE_VALUES
from harness.plugins.datasets._corpus.labels import label, labels
from harness.report import document
from harness.store import tables

HOSTILE = "<img src=x onerror=alert(1)>\n| [x](http://e.example) `"


# ------------------------------------------------------------------------------------------ bands
@pytest.mark.parametrize(
    ("seconds", "band"),
    [
        (0.0, "0-2 s"), (1.999, "0-2 s"), (2.0, "2-5 s"), (4.99, "2-5 s"), (5.0, "5-10 s"),
        (9.99, "5-10 s"), (10.0, "10+ s"), (3600.0, "10+ s"), (math.nan, ""), (-1.0, ""),
    ],
)  # fmt: skip
def test_a_length_lies_in_the_band_that_begins_at_or_below_it(seconds: float, band: str) -> None:
    assert slices.band(seconds) == band


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Rioplatense", "Rioplatense"), (" a \n b\t", "a b"), (None, ""), (math.nan, ""),
        (math.inf, ""), (3, "3"), (True, "True"), ("a\0b", "a?b"), ("\ud800", "?"),
        ("x" * (LABEL_CHARACTERS + 1), "x" * (LABEL_CHARACTERS - 1) + "…"),
        ("x" * LABEL_CHARACTERS, "x" * LABEL_CHARACTERS), ("<b>", "<b>"),
    ],
)  # fmt: skip
def test_a_label_is_one_printable_line(value: Any, said: str) -> None:
    assert label(value) == said


def test_lists_objects_and_columns_of_other_meaning_are_no_labels() -> None:
    row = {"path": "a.mp3", "age": "twenties", "votes": [1], "more": {"a": 1}, "gender": None}
    assert labels(row, ("path",)) == {"age": "twenties", "gender": ""}


# ------------------------------------------------------------------------- labels of each data set
def clip(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)


def release(folder: Path) -> dict[str, Any]:
    clip(folder / "es" / "clips" / "a.wav")
    head = "client_id\tpath\tsentence_id\tsentence\tup_votes\tage\tgender\taccents\tvariant\tlocale"
    row = "s1\ta.wav\tq\tHola.\t2\ttwenties\t\tMéxico,Norte\t\tes"
    (folder / "es" / "test.tsv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    return {"use": "common_voice", "path": str(folder)}


def spontaneous(folder: Path) -> dict[str, Any]:
    clip(folder / "audios" / "a.wav")
    head = "client_id\taudio_file\tduration_ms\ttranscription\tage\taccents\tsplit"
    row = "s1\ta.wav\t1000\tHola.\ttwenties\tMéxico,Norte\ttest"
    (folder / "ss-corpus-es.tsv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    return {"use": "common_voice", "path": str(folder)}


def json_lines(folder: Path) -> dict[str, Any]:
    clip(folder / "a.wav")
    row = {"audio_filepath": "a.wav", "text": "Hola.", "age": "twenties", "accents": "México,Norte"}
    (folder / "m.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return {"use": "manifest", "path": str(folder / "m.jsonl")}


def comma_separated(folder: Path) -> dict[str, Any]:
    clip(folder / "a.wav")
    text = 'audio_filepath,text,age,accents\na.wav,Hola.,twenties,"México,Norte"\n'
    (folder / "m.csv").write_text(text, encoding="utf-8")
    return {"use": "manifest", "path": str(folder / "m.csv")}


def parquet(folder: Path) -> dict[str, Any]:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    clip(folder / "a.wav")
    columns = {
        "audio": pa.array([(folder / "a.wav").read_bytes()]),
        "text": pa.array(["Hola."]),
        "age": pa.array([1]),
        "accents": pa.array(["México,Norte"]),
    }
    ages = {"_type": "ClassLabel", "names": ["teens", "twenties"]}
    known = {"info": {"features": {"age": ages}}}
    table = pa.table(columns).replace_schema_metadata({"huggingface": json.dumps(known)})
    (folder / "data").mkdir()
    pq.write_table(table, folder / "data" / "test-00000-of-00001.parquet")
    return {"use": "hub", "path": str(folder / "data")}


KINDS = [release, spontaneous, json_lines, comma_separated, parquet]


def opened(use: dict[str, Any]) -> tuple[Any, Any]:
    source = plugins.load("datasets", use["use"])
    return source, source.Params(**{k: v for k, v in use.items() if k != "use"})


@pytest.mark.parametrize("made", KINDS)
def test_each_kind_of_data_set_tells_the_columns_of_its_rows(
    made: Callable[[Path], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    source, params = opened(made(tmp_path / "set"))
    one = source.load(params, Path).utterances[0]
    assert one.error == ""
    assert one.labels["accents"] == "México,Norte"
    assert one.labels["age"] == "twenties"
    assert not {"sentence", "text", "transcription", "audio", "path", "client_id"} & set(one.labels)
    foreseen = source.labels(params, Path)  # by `check`; objects may each have their own keys
    assert foreseen is None if made is json_lines else set(foreseen) == set(one.labels)


# ---------------------------------------------------------------------------------- a wrong name
def spoken(*rows: Utterance) -> Dataset:
    return Dataset("d", rows, "")


@dataclasses.dataclass(frozen=True)
class Asked:
    """As much of an experiment as is looked at."""

    quality: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str
    slices: tuple[str, ...]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (("seconds",), ""), (("speaker", "accents"), ""), (("age",), ""), ((), ""),
        (("accent",), "no 'accent'.*Did you mean 'accents'.*accents, age, seconds, speaker"),
        (("seconds", "sex"), "no 'sex' in this data set"),
    ],
)  # fmt: skip
def test_a_slice_that_no_utterance_tells_of_is_one_line_with_what_there_is(
    asked: tuple[str, ...], line: str
) -> None:
    from harness.run.labels import require

    rows = [
        Utterance("a", None, "x", labels={"accents": ""}),
        Utterance("b", None, "x", speaker="s", labels={"age": "1"}),
    ]
    experiment: Any = Asked((Entry("d", asked),))
    if not line:
        require(experiment, {"d": spoken(*rows)})
        return
    with pytest.raises(SpecError, match=line):
        require(experiment, {"d": spoken(*rows)})


def test_speakers_that_nobody_names_are_no_slice() -> None:
    from harness.run.labels import require

    experiment: Any = Asked((Entry("d", ("speaker",)),))
    with pytest.raises(SpecError, match="There is: seconds"):
        require(experiment, {"d": spoken(Utterance("a", None, "x"))})


# ------------------------------------------------------------------------------------- the table
def calls_of(rows: list[tuple[str, str, float, int]]) -> pd.DataFrame:
    """Two variants on clips of ten words: (clip, accent, seconds, words that int8 alone misses);
    both miss the first word of each clip of the accent `sur`."""
    found = []
    words = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"]
    for place, (item, accent, seconds, missed) in enumerate(rows):
        for variant in ("fp32", "int8"):
            said = words[1:] if accent == "sur" else words
            said = said[: len(said) - missed] if variant == "int8" else said
            found.append(
                {
                    "stage": "quality", "variant": variant, "session": "default", "round": place,
                    "operation": "pipeline", "warm": True, "dataset": "cv", "item": item,
                    "speaker": f"s{place % 3}", "sentence": item, "recording": item,
                    "audio_seconds": seconds if variant == "fp32" else math.nan,
                    "reference": " ".join(words), "text": " ".join(said),
                    "labels": json.dumps({"accents": accent}) if accent else "",
                }
            )  # fmt: skip
    return tables.frame("calls", found)


def table_of(calls: pd.DataFrame, *asked: str, metrics: tuple[str, ...] = ("wer",)) -> pd.DataFrame:
    named = [plugins.find_metric(name) for name in ("cer", "wer", "rtf")]
    part = {"name": "cv", "slices": list(asked), "metrics": list(metrics), "normaliser": "none"}
    experiment = filed.experiment({"baseline": "fp32", "seed": 1, "quality": [part]})
    scores = scoring.scores(calls, named, lambda text: text)
    return slices.slices(experiment, calls, scores, named)


ROWS = [
    *((f"n{i}", "norte", 1.0 + i, 0) for i in range(8)),
    *((f"s{i}", "sur", 3.0, 2) for i in range(6)),
    *((f"f{i}", "", 30.0, 1) for i in range(2)),
]


def test_the_table_is_what_a_hand_counts() -> None:
    found = table_of(calls_of(ROWS), "accents").set_index(["variant", "value"])
    # both miss 1 of 10 words of `sur`; int8 misses 2 more there, and 1 where no accent is stated
    expected = {"norte": (8, 0.0, 0.0), "sur": (6, 0.1, 0.3), "": (2, 0.0, 0.1)}
    for value, (n, fp32, int8) in expected.items():
        ours, base = found.loc[("int8", value)], found.loc[("fp32", value)]
        assert (ours["n"], base["n"]) == (n, n)
        assert ours["value_"] == pytest.approx(int8)
        assert base["value_"] == pytest.approx(fp32)
        assert ours["delta"] == pytest.approx(int8 - fp32)
        assert ours["whole"] == pytest.approx((6 * 2 + 2 * 1) / 160)
        assert math.isnan(base["delta"])
        assert ours["speakers"] == min(n, 3)


def test_fewer_than_five_utterances_have_no_interval_and_are_never_beyond() -> None:
    found = table_of(calls_of(ROWS), "accents").set_index(["variant", "value"])
    for name in ("low", "high", "delta_low", "delta_high"):
        assert math.isnan(found.loc[("int8", ""), name])
        assert math.isfinite(found.loc[("int8", "sur"), name])
    assert not found.loc[("int8", ""), "beyond"]
    assert found.loc[("int8", "sur"), "beyond"]  # 20 points on each clip, 8.75 over the whole
    assert not found.loc[("int8", "norte"), "beyond"]


def test_the_worst_slice_is_first_and_those_without_an_interval_follow() -> None:
    found = table_of(calls_of(ROWS), "accents")
    assert list(found["value"][found["variant"] == "int8"]) == ["sur", "norte", ""]


def test_a_length_is_the_baselines_where_a_variant_has_none() -> None:
    found = table_of(calls_of(ROWS), "seconds")
    counts = found[found["variant"] == "int8"].set_index("value")["n"].to_dict()
    assert counts == {"0-2 s": 1, "2-5 s": 3 + 6, "5-10 s": 4, "10+ s": 2}


def test_word_errors_come_first_and_times_are_not_sliced() -> None:
    found = table_of(calls_of(ROWS), "accents", "speaker", metrics=("cer", "rtf", "wer"))
    assert list(found["metric"].unique()) == ["wer", "cer"]
    assert set(found["slice"]) == {"accents", "speaker"}


def test_a_call_that_failed_is_in_no_slice_and_the_others_stay() -> None:
    calls = calls_of(ROWS)
    failed = (calls["variant"] == "int8") & (calls["item"] == "s0")
    calls.loc[failed, "error"] = "too loud"
    found = table_of(calls, "accents").set_index(["variant", "value"])
    assert (found.loc[("int8", "sur"), "n"], found.loc[("fp32", "sur"), "n"]) == (5, 6)


def test_of_many_values_the_largest_are_estimated_and_the_others_counted() -> None:
    many = [(f"c{i}", f"a{i:04}", 1.0, 0) for i in range(SLICE_VALUES + 7)]
    found = table_of(calls_of([*many, ("last", "a0106", 1.0, 0)]), "accents")
    assert found["value"].nunique() == SLICE_VALUES
    assert set(found["left_out"]) == {7}
    assert "a0106" in set(found["value"])  # two clips: none is larger


def test_what_is_not_asked_for_is_no_row() -> None:
    assert table_of(calls_of(ROWS)).empty


# ------------------------------------------------------------------------------------ a whole run
CLIPS = 40  # each of its own speaker: five and more of them may stand for others


def two_accents(folder: Path, hostile: str = "sur") -> None:
    """The fake hears `hola mundo`; `fast` hears `hola`, and half of the clips say `hola` alone."""
    lay_out(folder)
    facts = folder / "fast" / "facts.json"
    facts.write_text(json.dumps({"factor": 0.5, "text": "hola"}), encoding="utf-8")
    (folder / "data" / "es" / "test.tsv").unlink()
    rows = []
    for place in range(CLIPS):
        name = f"es/clips/{place}.wav"
        samples = np.random.default_rng(place).normal(0, 0.1, 40_000)
        soundfile.write(folder / "data" / name, samples, 16_000)
        said, accent = ("hola mundo", hostile) if place % 2 else ("hola", "norte")
        row = {"audio_filepath": name, "text": said, "speaker": f"s{place}", "accent": accent}
        rows.append(json.dumps(row))
    (folder / "data" / "m.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = (folder / "x.yaml").read_text(encoding="utf-8")
    data = "{dataset: {use: manifest, path: data/m.jsonl}, name: data, slices: SLICES, metrics"
    text = text.replace("{dataset: {use: common_voice, path: data, split: test}, metrics", data)
    (folder / "x.yaml").write_text(text.replace("SLICES", "[accent, speaker, seconds]"), "utf-8")


@pytest.fixture(scope="module")
def sliced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sliced") / "project"
    two_accents(folder, HOSTILE)
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare(folder, monkeypatch, "")
        run(folder)
    return folder


@pytest.fixture
def project(sliced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(sliced, folder)
    prepare(folder, monkeypatch, "")
    return folder


@pytest.mark.slow
def test_a_run_on_two_accents_tells_which_one_loses(project: Path) -> None:
    result = load(project / "out")
    found = result.slices[result.slices["slice"] == "accent"]
    hostile = " ".join(HOSTILE.split())
    ours = found[found["variant"] == "fast"].set_index("value")
    # `fast` misses one of two words of one accent, and says what the other accent says
    assert ours.loc[hostile, "value_"] == pytest.approx(0.5)
    assert ours.loc[hostile, "delta"] == pytest.approx(0.5)
    assert ours.loc["norte", "value_"] == pytest.approx(0.0)
    assert ours.loc["norte", "delta"] == pytest.approx(-1.0)  # `slow` adds a word to each
    assert set(ours["n"]) == {CLIPS / 2}
    assert ours.loc[hostile, "beyond"]
    assert set(result.slices["slice"]) == {"accent", "speaker", "seconds"}
    calls = result.calls[result.calls["stage"] == "quality"]
    assert set(calls["labels"].map(json.loads).map(lambda one: one["accent"])) == {hostile, "norte"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_hostile_label_is_shown_as_text(project: Path, language: str) -> None:
    text = document.render(load(project / "out"), language)
    title = {"en": "## Slices of a data set", "es": "## Por grupos de un conjunto"}[language]
    part = text.split(title)[1].split("\n## ")[0]
    assert "onerror=alert" in part
    assert "<img" not in part
    assert not re.search(r"(?<!\\)\]\(http", part)
    table = [line for line in part.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_another_slice_of_the_same_data_costs_no_measurement(project: Path) -> None:
    file = project / "x.yaml"
    text = file.read_text(encoding="utf-8")
    rows = (project / "data" / "m.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.dumps({**json.loads(row), "age": f"{n % 3}0"}) for n, row in enumerate(rows)]
    (project / "data" / "m.jsonl").write_text("\n".join(told) + "\n", encoding="utf-8")
    file.write_text(text.replace("[accent, speaker, seconds]", "[age]"), encoding="utf-8")
    Local.started = []
    found = run(project).slices
    assert Local.started == []
    assert set(found["value"]) == {"00", "10", "20"}


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("[acent]", "no 'acent' in this data set. Did you mean 'accent'?"),
        ("[accent, accent]", "names 'accent' twice"),
        ("accent", "quality[0].slices"),
        ("['']", "quality[0].slices[0]"),
    ],
)
def test_a_wrong_slice_is_one_line_and_nothing_is_measured(
    project: Path, asked: str, line: str
) -> None:
    file = project / "x.yaml"
    text = file.read_text(encoding="utf-8").replace("[accent, speaker, seconds]", asked)
    file.write_text(text, encoding="utf-8")
    Local.started = []
    with pytest.raises(HarnessError) as error:
        run(project)
    assert line in str(error.value)
    assert Local.started == []


def test_check_tells_a_wrong_slice_of_a_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    lay_out(folder)
    file = folder / "x.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "metrics: [wer]", "slices: [acc], metrics: [wer]"
    )
    file.write_text(text, encoding="utf-8")
    assert cli.main(["check", str(file)]) == 2
    assert "data set data: slices: no 'acc'" in capsys.readouterr().err


# ---------------------------------------------------------------------------------- older results
def test_a_run_from_before_slices_loads_and_renders(project: Path) -> None:
    out = project / "out"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["slices.csv"]
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (out / "slices.csv").unlink()
    result = load(out)
    assert result.slices.empty
    assert list(result.slices.columns) == list(tables.TABLES["slices"])
    assert "Not measured: no utterance with metrics of texts" in document.render(result, "en")


def test_calls_from_before_labels_have_none() -> None:
    old = calls_of(ROWS[:2]).drop(columns=["labels"])
    assert set(tables.check("calls", old)["labels"]) == {""}
