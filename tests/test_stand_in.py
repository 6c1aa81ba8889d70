"""A model with made-up weights: what it may be approved for; every table says what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import invented_run
import pytest

from harness import spec
from harness.contracts import Result
from harness.errors import SpecError
from harness.report import document, stand_in

YAML = """name: stood
model: {family: graph, source: {path: folder}}
variants: [{name: fp32}, {name: other, source: {path: folder}}]
baseline: fp32
candidate: other
purpose: PURPOSE
stands_for: STANDS
latency: {audio_seconds: [1]}
quality:
  - {dataset: {use: cut_speech, of: {path: folder}}, name: cut, metrics: [rtf, peak_memory_mb]}
gates: [{metric: METRIC, max: 200}]
"""
TOLD = {
    "en": "**A stand-in was measured, not the model itself**: its weights are made up. It stands "
    "for latency, size and memory of the real one and says nothing of its quality.",
    "es": "**Se midió un sustituto, no el modelo mismo**: sus pesos son inventados. Representa la "
    "latencia, el tamaño y la memoria del verdadero y no dice nada de su calidad.",
    "pt": "**Foi medido um substituto, não o próprio modelo**: seus pesos são inventados. "
    "Representa a latência, o tamanho e a memória do verdadeiro e não diz nada de sua qualidade.",
}
CAPTIONS = {
    "en": "<sub>A stand-in: for latency, size and memory, not for quality.</sub>",
    "es": "<sub>Modelo sustituto: representa la latencia, el tamaño y la memoria; no la "
    "calidad.</sub>",
    "pt": "<sub>Modelo substituto: representa a latência, o tamanho e a memória; não a "
    "qualidade.</sub>",
}


def parsed(folder: Path, stands: str, purpose: str, metric: str) -> spec.Experiment:
    (folder / "folder").mkdir(exist_ok=True)
    text = YAML.replace("STANDS", stands).replace("PURPOSE", purpose).replace("METRIC", metric)
    text = re.sub(r"quality:\n.*\n", "", text)
    return spec.parse(text, folder / "x.yaml")


@pytest.mark.parametrize(
    ("stands", "purpose", "metric", "said"),
    [
        ("[latency, size]", "latency", "latency_p50_ms", None),
        ("[latency, size]", "latency", "size_mb", None),
        ("[latency, size]", "replacement", "size_mb",
         "purpose: the model only stands for latency, size of the real one; write "
         "`purpose: latency`"),
        ("[size]", "memory", "size_mb", "write `purpose: size`"),
        ("[size]", "size", "latency_p50_ms",
         "gates: latency_p50_ms@1s: the model only stands for size of the real one; leave this "
         "limit out"),
        ("[quality]", "size", "size_mb", "stands_for[0]"),
        ("[]", "size", "size_mb", "stands_for"),
    ],
)  # fmt: skip
def test_a_stand_in_can_be_approved_for_what_it_stands_for(
    tmp_path: Path, stands: str, purpose: str, metric: str, said: str | None
) -> None:
    if said is None:
        assert parsed(tmp_path, stands, purpose, metric).stands_for is not None
        return
    with pytest.raises(SpecError, match=re.escape(said)):
        parsed(tmp_path, stands, purpose, metric)


def test_an_experiment_without_the_key_is_stored_as_before(tmp_path: Path) -> None:
    text = YAML.replace("stands_for: STANDS\n", "").replace("PURPOSE", "size")
    (tmp_path / "folder").mkdir()
    text = re.sub(r"quality:\n.*\n", "", text.replace("METRIC", "size_mb"))
    assert "stands_for" not in spec.to_json(spec.parse(text, tmp_path / "x.yaml"))


# -------------------------------------------------------------------------------------- the report
@pytest.fixture(scope="module")
def run() -> Result:
    made = invented_run.build()
    asked = replace(made.experiment, stands_for=("latency", "size", "memory"))
    return replace(made, experiment=asked)


def _uncaptioned(text: str, caption: str) -> Sequence[str]:
    """The last row of each table that the caption does not follow."""
    lines = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE).split("\n")
    ends = [i for i, line in enumerate(lines) if line.startswith("|") and lines[i + 1] == ""]
    return [lines[i] for i in ends if lines[i + 2] != caption]


@pytest.mark.parametrize("language", TOLD)
def test_first_screen_and_every_table_say_what_was_measured(run: Result, language: str) -> None:
    text = document.render(run, language)
    screen, caption = "\n".join(text.splitlines()[:12]), CAPTIONS[language]
    assert f"- {TOLD[language]}" in screen
    assert text.count(caption) == len(re.findall(r"^\|[-:| ]+\|$", text, re.MULTILINE)) > 10
    assert _uncaptioned(text, caption) == []


def test_a_model_that_is_itself_is_reported_as_before(run: Result) -> None:
    own = replace(run.experiment, stands_for=None)
    text = document.render(replace(run, experiment=own), "en")
    assert "stand-in" not in text


@pytest.mark.parametrize(
    ("body", "captioned"),
    [
        ("none", "none"),
        ("| a |\n| --- |\n| 1 |", "| a |\n| --- |\n| 1 |\n\nC"),
        ("x\n\n| a |\n| --- |\n\ny\n\n| b |\n| --- |\n\nz",
         "x\n\n| a |\n| --- |\n\nC\n\ny\n\n| b |\n| --- |\n\nC\n\nz"),
        ("```text\n| a |\n```\n\nb", "```text\n| a |\n```\n\nb"),
        ("````\n```\n| a |\n````\n| b |\n| --- |", "````\n```\n| a |\n````\n| b |\n| --- |\n\nC"),
    ],
    ids=["no table", "at the end", "two", "in a block of code", "in a block that holds a fence"],
)  # fmt: skip
def test_a_caption_stands_under_tables_alone(body: str, captioned: str) -> None:
    assert stand_in._under_tables(body, "C") == captioned
