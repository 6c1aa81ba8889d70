"""A cached variant is used only as it was made; a model that changes is not measured as itself."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import test_variants as variants
import tiny_graphs

from harness import assets
from harness.assets import from_path, seals
from harness.contracts.experiment import Origin
from harness.errors import AssetError, ModelError
from harness.plugins.quantize import dynamic_int8
from harness.run.variants import Maker, Watch, build_baseline, folders, quantize
from harness.run.variants.picking import picked
from harness.store.made import Made


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folders.trial, "opens", lambda _: None)  # tested with the graphs
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "weights.txt").write_text("1 2 3", encoding="utf-8")
    return folder


def one_byte(path: Path) -> None:
    """Another byte, the same size and times of change."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replaced(folder: Path) -> None:
    other = folder / "other"
    shutil.copyfile(folder / "tokenizer.json", other)
    other.write_text("[]")
    other.replace(folder / "encoder.onnx")


def record(folder: Path, **values: Any) -> None:
    path = folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def elsewhere(folder: Path) -> None:
    moved = folder.with_name("moved")
    folder.rename(moved)
    one_byte(moved / "encoder.onnx")
    folder.symlink_to(moved)


def as_a_link(folder: Path) -> None:
    (folder.parent / "evil.onnx").write_bytes(b"evil")
    (folder / "encoder.onnx").unlink()
    (folder / "encoder.onnx").symlink_to(folder.parent / "evil.onnx")


TAMPERED: list[tuple[Callable[[Path], Any], str]] = [
    (lambda f: one_byte(f / "encoder.onnx"), "encoder.onnx has changed"),
    (lambda f: one_byte(f / "tokenizer.json"), "tokenizer.json has changed"),
    (lambda f: one_byte(f / "record.json"), "record.json has changed"),
    (lambda f: record(f, fingerprint="0" * 64), "record.json has changed"),
    (lambda f: record(f, files={"encoder.onnx": 1}), "record.json has changed"),
    (lambda f: (f / "record.json").write_text("{"), "record.json has changed"),
    (lambda f: (f / "encoder.onnx").unlink(), "encoder.onnx is missing"),
    (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    (lambda f: (f / "encoder.onnx").write_bytes(b""), "encoder.onnx has changed"),
    (lambda f: (f / "head.onnx").write_bytes((f / "encoder.onnx").read_bytes()), "head.onnx has"),
    (lambda f: (f / "extra.onnx").write_bytes(b"x"), "extra.onnx is new"),
    (lambda f: (f / "sub").mkdir() or (f / "sub" / "w.bin").write_bytes(b"x"), "sub/w.bin is new"),
    (replaced, "encoder.onnx has changed"),
    (as_a_link, "encoder.onnx has changed"),
    (elsewhere, "encoder.onnx has changed"),
    (lambda f: (f / seals.SEAL).unlink(), "its seal cannot be read"),
    (lambda f: (f / seals.SEAL).write_text("{"), "its seal cannot be read"),
    (lambda f: (f / seals.SEAL).write_text("[]"), "its seal cannot be read"),
    (lambda f: (f / seals.SEAL).write_text("[" * 100_000), "its seal cannot be read"),
    (lambda f: (f / seals.SEAL).write_text("{}"), "is new"),
]


@pytest.mark.parametrize(("tamper", "told"), TAMPERED)
@pytest.mark.parametrize("quantized", [False, True])
def test_what_was_changed_in_the_cache_is_made_again(
    source: Path, tamper: Callable[[Path], Any], told: str, quantized: bool
) -> None:
    said: list[str] = []

    def make() -> Any:
        start = build_baseline(variants.FAMILY, source, "one", "tiny", said.append)
        how = (variants.DYNAMIC, dynamic_int8.method)
        return quantize(variants.FAMILY, start, how, None, said.append) if quantized else start

    made = make()
    said.clear()
    assert make() == made
    assert said == []
    tamper(made.folder)
    again = make()
    assert (again.fingerprint, again.record) == (made.fingerprint, made.record)
    assert told in said[0]
    assert said[0].endswith("in the cache; it is made again")
    assert seals.fingerprint_of(again.folder, whole=True) == made.fingerprint


@pytest.mark.parametrize("way", ["touched", "copied"])
def test_files_of_other_times_but_the_same_bytes_are_used(source: Path, way: str) -> None:
    said: list[str] = []
    made = build_baseline(variants.FAMILY, source, "one", "tiny", said.append)
    path = made.folder / "encoder.onnx"
    if way == "touched":
        os.utime(path, (1, 1))
    else:
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    said.clear()
    assert build_baseline(variants.FAMILY, source, "one", "tiny", said.append) == made
    assert said == []


# -------------------------------------------------------------------------- while it is read or run
def test_a_source_that_changes_while_it_is_read_is_an_error(source: Path, cache: Path) -> None:
    def build(folder: Path, target: Path) -> None:
        variants.build(folder, target)
        (folder / "weights.txt").write_text("3 2 1 0")

    with pytest.raises(AssetError, match=r"weights\.txt changed while it was read"):
        build_baseline(variants.replace(variants.FAMILY, build=build), source, "one", "tiny")
    assert variants.leftovers(cache) == []


def opened(folder: Path) -> tuple[Watch, Made]:
    tiny_graphs.save(tiny_graphs.two_layers(), folder / "encoder.onnx")
    made = Made(folder, from_path(folder)[1], {"files": {"encoder.onnx": 1}})
    return Watch.of([made]), made


class Child:
    """Answers each request."""

    def __init__(self, at: Mapping[int, Callable[[], Any]]) -> None:
        self.at, self.asked = at, 0

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        self.at.get(self.asked, lambda: None)()
        self.asked += 1
        return {"calls": []}

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.write_bytes(b"another"),
        lambda p: p.unlink(),
        one_byte,
        lambda p: os.utime(p, (5, 5)),
        lambda p: p.with_name("new.bin").write_bytes(b""),
    ],
)
def test_answers_do_not_count_once_the_files_have_changed(
    source: Path, change: Callable[[Path], Any], part: bool
) -> None:
    watch, made = opened(source)
    child = Child({2: lambda: change(source / "encoder.onnx")})
    watched = watch.starting(lambda _: child)("int8/default")
    body = {"folder": str(made.folder)}
    watched.ask({"open": {"folder": "", "parts": {"fast": body}} if part else body}, 1)
    assert watched.ask({"block": {}}, 1) == {"calls": []}
    with pytest.raises(ModelError, match=r"int8/default: .* in source while it was measured"):
        watched.ask({"block": {}}, 1)


def test_before_a_report_all_bytes_are_read_again(source: Path) -> None:
    watch, _ = opened(source)
    watch.require_whole()
    one_byte(source / "encoder.onnx")
    with pytest.raises(AssetError, match="no longer those that were measured"):
        watch.require_whole()


def test_files_that_change_between_hash_and_run_are_an_error(source: Path) -> None:
    _, made = opened(source)
    (source / "weights.txt").write_text("9")
    with pytest.raises(AssetError, match="changed as the run began"):
        Watch.of([made])
    assert Watch.of([Made(source, "x", {}, "broken"), Made(Path(), "", {})]).stamps == {}


# ------------------------------------------------------------------------------ some of the files
def test_one_of_two_precisions_is_taken_by_its_files(source: Path) -> None:
    for name in ("encoder.onnx", "encoder_int8.onnx"):
        tiny_graphs.save(tiny_graphs.two_layers(), source / name)
    folder, seal = picked(source, ["*_int8.onnx", "*.txt"], print)
    assert {path.name for path in folder.iterdir() if path.suffix != ".json"} == {
        "encoder_int8.onnx", "weights.txt",
    }  # fmt: skip
    assert seals.fingerprint_of(folder) == seal
    assert picked(source, ["*_int8.onnx", "*.txt"], print) == (folder, seal)
    (source / "weights.txt").write_text("another")
    assert picked(source, ["*_int8.onnx", "*.txt"], print)[1] != seal
    with pytest.raises(AssetError, match=r"files: source has no '\*_q4\.onnx'"):
        picked(source, ["*_q4.onnx"], print)


def test_the_weights_of_a_picked_graph_come_along(source: Path) -> None:
    import onnx

    onnx.save(tiny_graphs.two_layers(), source / "a.onnx", save_as_external_data=True,
              location="a.bin", size_threshold=0)  # fmt: skip
    folder, _ = picked(source, ["a.onnx"], print)
    assert (folder / "a.bin").is_file()


def test_an_experiment_picks_files_of_a_local_folder(source: Path) -> None:
    maker = Maker(lambda name: source.parent / name)
    folder, _ = maker._source(Origin(path="source", files=("weights.txt",)))
    assert folder != source
    assert maker._source(Origin(path="source"))[0] == source


# ------------------------------------------------------------------------------------ hub folders
def test_a_repository_that_was_changed_in_the_cache_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched: list[str] = []

    def fetch(repository: Any, names: Any, target: Path, tell: Any, *_: Any) -> str:
        fetched.append(repository.name)
        (target / "model.onnx").write_bytes(b"model")
        return "a" * 40

    monkeypatch.setattr(assets.hub, "fetch_files", fetch)
    said: list[str] = []
    repository = assets.Repository("owner/name", "a" * 40)
    folder = assets.from_hub(repository, (), said.append)
    assert assets.from_hub(repository, (), said.append) == folder
    assert (len(fetched), said) == (1, [])
    (folder / "model.onnx").write_bytes(b"other")
    assert assets.from_hub(repository, (), said.append) == folder
    assert (len(fetched), (folder / "model.onnx").read_bytes()) == (2, b"model")
    assert "model.onnx has changed in the cache; fetching it again" in said[0]
