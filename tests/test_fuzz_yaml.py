"""Random YAML and bytes through `harness check`: one line or more, exit 0 or 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

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
