"""The shipped experiments load, and the JSON schema that editors check them with is current."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import invented_run
import invented_speech
import jsonschema
import pytest

from harness import plugins, spec
from harness.io import strict_yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "experiments"
EXPERIMENTS = sorted(FOLDER.glob("*.yaml"))
STORED = FOLDER / "experiment.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return spec.schema()


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_each_experiment_loads(path: Path) -> None:
    experiment = spec.load(path)
    assert experiment.name == path.stem
    assert experiment.gates


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_each_experiment_points_an_editor_to_the_schema_and_fits_it(
    path: Path, schema: dict[str, Any]
) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=experiment.schema.json\n")
    jsonschema.Draft202012Validator(schema).validate(plain(text))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_each_experiment_survives_being_stored(path: Path) -> None:
    experiment = spec.load(path)
    stored = json.loads(json.dumps(spec.to_json(experiment)))
    assert spec.from_json(stored, spec.locator(path)) == experiment


def test_the_stored_schema_is_what_the_command_prints(schema: dict[str, Any]) -> None:
    # stale? harness schema > experiments/experiment.schema.json
    assert STORED.read_text(encoding="utf-8") == printed(schema)


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_describes_every_key_of_the_file(schema: dict[str, Any]) -> None:
    assert all(part.get("description") for part in schema["properties"].values())
    gate = schema["properties"]["gates"]["items"]["properties"]
    assert {name: gate[name]["description"] for name in plugins.names("gates")} == {
        name: plugins.docline("gates", name) for name in plugins.names("gates")
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sede",), 3),
        (("seed",), "3"),
        (("name",), "a b"),
        (("model", "family"), "wisper"),
        (("model", "languag"), "es"),
        (("variants", 1, "quantize", "use"), "dynamic_int"),
        (("variants", 1, "quantize", "op_type"), ["MatMul"]),
        (("variants", 1, "source"), {"asset": "whisper-base", "path": "x"}),
        (("sessions", 0, "execution_mod"), "parallel"),
        (("latency", "audio_seconds"), 5),
        (("quality", 0, "metrics"), ["werr"]),
        (("quality", 0, "normaliser"), "spanis"),
        (("gates", 0, "maximum"), 3),
        (("gates", 0, "min"), 3),
        (("gates", 0, "at"), {"audio_seconds": 5, "dataset": "x"}),
        (("budget", "minutes"), 0),
        (("report", "language"), "fr"),
    ],
)
def test_an_editor_sees_what_is_wrong(
    schema: dict[str, Any], path: tuple[str | int, ...], value: object
) -> None:
    data = plain((FOLDER / "smoke.yaml").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(data)
    part = data
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not validator.is_valid(data)


def plain(text: str) -> Any:
    """YAML as an editor's YAML 1.2 parser sees it: dates and the like are texts."""
    return strict_yaml.read(text, "x.yaml").data


def printed(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("invented", [invented_run, invented_speech], ids=lambda one: one.__name__)
def test_the_experiment_of_an_invented_run_is_one_that_the_product_writes(
    invented: ModuleType,
) -> None:
    """Else what is asserted of its report holds of no report that anybody has."""
    given = {key: value for key, value in invented.EXPERIMENT.items() if key not in OF_A_RUN}
    read = spec.from_json(given, lambda name: Path(__file__).parent / name)
    assert lost(given, spec.to_json(read)) == []


OF_A_RUN = {"beside"}  # what a run adds to its experiment


def lost(given: Any, written: Any, path: str = "") -> list[str]:
    """Where what was given is not what is written; more may be written, which has a default."""
    if isinstance(given, dict) and isinstance(written, dict):
        below = ((key, value, written.get(key)) for key, value in given.items())
        return [one for key, value, other in below for one in lost(value, other, f"{path}.{key}")]
    if isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        pairs = enumerate(zip(given, written, strict=True))
        return [one for n, (a, b) in pairs for one in lost(a, b, f"{path}[{n}]")]
    return [] if given == written else [f"{path}: {given!r}, not {written!r}"]
