"""Random YAML and bytes through `harness check`: one line or more, exit 0 or 2, no traceback."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from test_fuzz_results import places

from harness.app import cli

KEYS = ("name", "title", "model", "family", "source", "path", "variants", "quantize", "use",
        "baseline", "candidate", "sessions", "grid", "latency", "audio_seconds", "quality",
        "dataset", "metrics", "gates", "metric", "max", "waivers", "until", "seed", "report",
        "language", "budget", "audit", "selection", "recorded", "claims", "x")  # fmt: skip
VALUES = ("whisper", "fp32", "wer", "dynamic_int8", "default", "manifest", "./x.py", "a/b.jsonl",
          "2026-01-01", "no", "1:30", "~", "", "\u202e", "<b>", "=1", "2 pp", "5 %")  # fmt: skip
scalars = (
    some.sampled_from(VALUES)
    | some.text(max_size=6)
    | some.none()
    | some.booleans()
    | some.integers(-(10**30), 10**30)
    | some.floats()
)
trees = some.recursive(
    scalars,
    lambda part: (
        some.lists(part, max_size=4) | some.dictionaries(some.sampled_from(KEYS), part, max_size=6)
    ),
    max_leaves=25,
)
experiments = some.fixed_dictionaries(
    {"name": some.just("x"), "model": trees, "variants": trees},
    optional={key: trees for key in KEYS if key not in ("name", "model", "variants")},
)
# whole experiments, of which one thing is changed: they reach what random trees never do
REAL = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parents[1].glob("experiments/*.yaml"))
}
# what YAML has beyond plain trees, in the place of any value of such an experiment
SHAPES = ("&a [*a]", "&a {b: *a}", "{<<: {a: 1}}", "{<<: [1, 2]}", "{a: 1, a: 2}", "{? [x] : y}",
          "!!python/name:os.system x", "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "! x",
          "!!str 1", "!!int x", "!<!> x", "|-2\n  x", ">\n\n\n", "'\u2028'", "\\0", "*a",
          "0o17", "0x1F", "1_000", "+.inf", "-.NaN", "2026-02-30", "{}", "[]", "[[[[[[[[]]]]]]]]",
          "../../..", "/dev/zero", "/dev/stdin", "/", ".", "~root", "con", "a" * 300)  # fmt: skip
quick = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def checked(content: bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "x.yaml"
    path.write_bytes(content)
    assert cli.main(["check", str(path)]) in (0, 2)
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert printed.out or printed.err
    assert "\x1b" not in printed.out + printed.err


@quick
@given(data=experiments | trees)
def test_any_tree_is_checked(
    data: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(yaml.safe_dump(data, allow_unicode=True).encode("utf-8", "replace"), tmp_path, capsys)


@quick
@given(text=some.text(some.sampled_from("ab:-[]{}&*!|>%@?#,\"'\n 0x.\t~<")))
def test_any_text_is_checked(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked(text.encode(), tmp_path, capsys)


@quick
@given(content=some.binary(max_size=200))
def test_any_bytes_are_checked(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(content, tmp_path, capsys)


def parent_of(whole: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        whole = whole[key]
    return whole


def changed(data: some.DataObject) -> bytes:
    """A real experiment in which a value is another one, stands elsewhere too, or is gone."""
    whole = copy.deepcopy(REAL[data.draw(some.sampled_from(sorted(REAL)))])
    for _ in range(data.draw(some.integers(1, 3))):
        found = list(places(whole))[1:]
        where = data.draw(some.sampled_from(found))
        parent = parent_of(whole, where)
        kind = data.draw(some.sampled_from(("value", "moved", "gone", "wrapped")))
        if kind == "value":
            parent[where[-1]] = data.draw(trees)
        elif kind == "moved":
            other = data.draw(some.sampled_from(found))
            parent[where[-1]] = copy.deepcopy(parent_of(whole, other)[other[-1]])
        elif kind == "wrapped":
            parent[where[-1]] = data.draw(some.sampled_from(([parent[where[-1]]], {"x": 1})))
        else:
            del parent[where[-1]]
    return yaml.safe_dump(whole, allow_unicode=True).encode("utf-8", "replace")


def with_a_shape(data: some.DataObject) -> bytes:
    """A real experiment with one of the odd shapes of YAML in the place of a value."""
    whole = copy.deepcopy(REAL[data.draw(some.sampled_from(sorted(REAL)))])
    where = data.draw(some.sampled_from(list(places(whole))[1:]))
    parent_of(whole, where)[where[-1]] = "HERE"
    return yaml.safe_dump(whole).replace("HERE", data.draw(some.sampled_from(SHAPES))).encode()


@quick
@given(data=some.data())
def test_any_change_of_an_experiment_is_checked(
    data: some.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = data.draw(some.sampled_from((changed, with_a_shape)))
    checked(made(data), tmp_path, capsys)
