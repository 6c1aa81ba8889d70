"""Variant folders: made once, whole or not at all, with a record that says how."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
import pytest
import tiny_graphs

from harness.assets import from_path
from harness.assets.seals import SEAL
from harness.contracts import Family, Feeds, Method, Quantized
from harness.contracts.experiment import Experiment, ModelSpec, Origin, Use, Variant
from harness.errors import AssetError, ModelError, QuantizeError
from harness.plugins.quantize import dynamic_int8, static_qdq
from harness.run import variants
from harness.run.variants import CalibrationItems, VariantFolder, build_baseline, quantize
from harness.run.variants.cache import RECORD
from harness.spec import load_plugin, naming
from harness.store import tables
from harness.store.made import Made, row

DYNAMIC = Use("dynamic_int8", dynamic_int8.Params())
STATIC = Use("static_qdq", static_qdq.Params(clips=2))


# ------------------------------------------------------------------ a family of three tiny graphs
def build(source: Path, folder: Path) -> None:
    """Two graphs with weights, one without, and a file that they need."""
    if not (source / "weights.txt").is_file():
        raise ModelError(f"{source.name}: no weights.txt.")
    tiny_graphs.save(tiny_graphs.two_layers(), folder / "encoder.onnx")
    tiny_graphs.save(tiny_graphs.two_layers(), folder / "decoder.onnx")
    tiny_graphs.save(tiny_graphs.no_weights(), folder / "head.onnx")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")


def graphs(folder: Path) -> dict[str, Path]:
    found = {p.stem: p for p in sorted(folder.glob("*.onnx")) if p.stem != "unused"}
    if "encoder" not in found:
        raise ModelError(f"{folder.name}: no encoder.onnx.")
    return found


def feeds(
    folder: Path, start: Any, params: Any, clips: Iterable[float]
) -> Iterator[tuple[str, Feeds]]:
    for clip in clips:
        for role in ("encoder", "decoder"):
            yield role, {"x": tiny_graphs.rows()["x"] * clip}


def nothing(*_: Any) -> Any:
    raise AssertionError("not opened here")


FAMILY = Family(
    Params=dict, sample_rate=16000, operations=("pipeline",), build=build, graphs=graphs,
    open=nothing, feeds=feeds,
)  # fmt: skip


def clips(count: int) -> Iterator[float]:
    return iter([1.0, 2.0, 4.0][:count])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "weights.txt").write_text("1 2 3", encoding="utf-8")
    return folder


@pytest.fixture
def baseline(source: Path) -> VariantFolder:
    return build_baseline(FAMILY, source, from_path(source)[1], "tiny")


def leftovers(cache: Path) -> list[str]:
    """What is in the cache's variants folder beside finished variants."""
    folder = cache / "variants"
    return [p.name for p in folder.iterdir() if not (p / RECORD).is_file()]


def counted(family: Family) -> tuple[Family, list[Path]]:
    """The family, and the folders that it was asked to build."""
    calls: list[Path] = []

    def counting(source: Path, folder: Path) -> None:
        calls.append(folder)
        family.build(source, folder)

    return replace(family, build=counting), calls


# ------------------------------------------------------------------------------------ made once
def test_the_baseline_is_built_once_per_source(source: Path) -> None:
    family, calls = counted(FAMILY)
    first = build_baseline(family, source, "one", "tiny")
    again = build_baseline(family, source, "one", "tiny")
    other = build_baseline(family, source, "two", "tiny")
    assert len(calls) == 2
    assert first == again
    assert other.folder != first.folder
    assert other.fingerprint == first.fingerprint  # the same bytes came of it


@pytest.mark.parametrize(
    "use",
    [
        Use("dynamic_int8", dynamic_int8.Params(per_channel=True)),
        Use("dynamic_int8", dynamic_int8.Params(left_out=("/fc1/MatMul",))),
    ],
)
def test_other_parameters_are_another_folder(baseline: VariantFolder, use: Use) -> None:
    one = quantize(FAMILY, baseline, (DYNAMIC, dynamic_int8.method))
    same = quantize(FAMILY, baseline, (DYNAMIC, dynamic_int8.method))
    other = quantize(FAMILY, baseline, (use, dynamic_int8.method))
    assert one == same
    assert other.folder != one.folder
    assert other.fingerprint != one.fingerprint


def test_other_calibration_data_are_another_folder(baseline: VariantFolder) -> None:
    how = (STATIC, static_qdq.method)
    one = quantize(FAMILY, baseline, how, CalibrationItems(clips, "dev"))
    same = quantize(FAMILY, baseline, how, CalibrationItems(clips, "dev"))
    other = quantize(FAMILY, baseline, how, CalibrationItems(lambda n: [9.0] * n, "train"))
    assert one == same
    assert other.fingerprint != one.fingerprint


# ---------------------------------------------------------------------------------- the record
@pytest.mark.parametrize(
    ("how", "calibration"),
    [
        ((DYNAMIC, dynamic_int8.method), None),
        ((STATIC, static_qdq.method), CalibrationItems(clips, "dev")),
    ],
)
def test_a_quantized_folder_is_complete_and_its_record_says_how(
    baseline: VariantFolder, how: tuple[Use, Method], calibration: CalibrationItems | None
) -> None:
    made = quantize(FAMILY, baseline, how, calibration)
    names = {path.name for path in made.folder.iterdir()}
    assert names == {"encoder.onnx", "decoder.onnx", "head.onnx", "tokenizer.json", RECORD, SEAL}
    record = made.record
    assert record == json.loads((made.folder / RECORD).read_text(encoding="utf-8"))
    assert record["operators"] == {"decoder": {"MatMul": 2}, "encoder": {"MatMul": 2}, "head": {}}
    assert record["nodes"]["head"] == {"Relu": 1}
    assert record["bytes_before"] == sum(baseline.record["files"].values())
    assert set(record["files"]) == names - {RECORD, SEAL}
    assert record["files"]["encoder.onnx"] == (made.folder / "encoder.onnx").stat().st_size
    assert set(record["versions"]) == {"onnx", "onnxruntime"}
    assert made.fingerprint == from_path_without_record(made.folder)


def from_path_without_record(folder: Path) -> str:
    copy = folder.parent.parent / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(RECORD, SEAL))
    return from_path(copy)[1]


def test_a_graph_with_nothing_to_quantize_stays_byte_for_byte(baseline: VariantFolder) -> None:
    made = quantize(FAMILY, baseline, (DYNAMIC, dynamic_int8.method))
    before, after = baseline.folder / "head.onnx", made.folder / "head.onnx"
    assert before.read_bytes() == after.read_bytes()


def test_nothing_quantized_in_any_graph_is_an_error_that_names_them(
    baseline: VariantFolder, cache: Path
) -> None:
    use = Use("dynamic_int8", dynamic_int8.Params(op_types=("Conv",)))
    with pytest.raises(QuantizeError) as caught:
        quantize(FAMILY, baseline, (use, dynamic_int8.method))
    assert all(name in str(caught.value) for name in ("encoder.onnx", "decoder.onnx", "head.onnx"))
    assert "\n" not in str(caught.value)
    assert leftovers(cache) == []


def test_a_node_to_leave_out_may_be_in_one_graph_but_not_in_none(baseline: VariantFolder) -> None:
    def left_out(*names: str) -> tuple[Use, Method]:
        return Use("dynamic_int8", dynamic_int8.Params(left_out=names)), dynamic_int8.method

    only_head = quantize(FAMILY, baseline, left_out("/relu", "*fc1*"))
    assert only_head.record["left_out"]["encoder"] == ["/fc1/MatMul", "/relu"]
    with pytest.raises(QuantizeError, match=r"no node matches '/fc3/MatMul'\. Did you mean '/fc"):
        quantize(FAMILY, baseline, left_out("/fc3/MatMul"))


def test_the_row_fits_the_variants_table(baseline: VariantFolder) -> None:
    made = quantize(FAMILY, baseline, (DYNAMIC, dynamic_int8.method))
    good = row("int8", Made(made.folder, made.fingerprint, made.record))
    bad = row("broken", Made(Path(), "", {}, "why"))
    assert set(good) == set(tables.TABLES["variants"])
    frame = tables.frame("variants", [good, bad])
    assert list(frame["size_bytes"]) == [sum(made.record["files"].values()), 0]
    assert json.loads(frame["operators"][0])["encoder"] == {"MatMul": 2}
    assert list(frame["error"]) == ["", "why"]


@pytest.mark.parametrize("given", [None, {1: 2}, {"model": "model.onnx"}, ["model.onnx"]], ids=repr)
def test_a_family_that_names_no_graphs_is_told_by_what_it_gave(tmp_path: Path, given: Any) -> None:
    odd = replace(FAMILY, graphs=lambda _: given)
    with pytest.raises(ModelError, match=r"the family's `graphs` gave .*, not \{role: Path\}\."):
        variants.as_it_is(odd, tmp_path, "export")


def test_weights_in_other_files_count_and_graphs_that_are_not_opened_do_not(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("encoder", "unused"):
        onnx.save(tiny_graphs.two_layers(), folder / f"{name}.onnx", save_as_external_data=True,
                  location=f"{name}.bin", size_threshold=0)  # fmt: skip
    start = variants.as_it_is(FAMILY, folder, "export")
    assert set(start.record["files"]) == {"encoder.onnx", "encoder.bin"}
    made = quantize(FAMILY, start, (DYNAMIC, dynamic_int8.method))
    assert set(made.record["files"]) == {"encoder.onnx"}
    assert {path.name for path in made.folder.iterdir()} == {"encoder.onnx", RECORD, SEAL}


# --------------------------------------------------------------------- whole, or not there at all
def failing(error: BaseException) -> Callable[[Path, Path], None]:
    def build_half(source: Path, folder: Path) -> None:
        (folder / "encoder.onnx").write_bytes(b"half")
        raise error

    return build_half


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), AssetError, "No space left on device"),
        (ModelError("no such weights."), ModelError, "no such weights."),
        (KeyboardInterrupt("Ctrl-C"), KeyboardInterrupt, "Ctrl-C"),
    ],
)
def test_a_build_that_ends_half_way_leaves_nothing(
    source: Path, cache: Path, error: BaseException, expected: type[BaseException], said: str
) -> None:
    with pytest.raises(expected, match=said):
        build_baseline(replace(FAMILY, build=failing(error)), source, "one", "tiny")
    assert leftovers(cache) == []
    assert build_baseline(FAMILY, source, "one", "tiny").record["files"]


def test_a_full_disk_while_quantizing_is_one_line(baseline: VariantFolder, cache: Path) -> None:
    def apply(params: Any, graph: Path, target: Path, feeds: Any) -> Quantized:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(AssetError, match="set HARNESS_CACHE") as caught:
        quantize(FAMILY, baseline, (DYNAMIC, Method(dynamic_int8.Params, apply)))
    assert "\n" not in str(caught.value)
    assert leftovers(cache) == []


def die(source: Path, folder: Path) -> None:
    (folder / "encoder.onnx").write_bytes(b"half")
    os._exit(9)


KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
import test_variants as t
t.build_baseline(replace(t.FAMILY, build=t.die), Path(sys.argv[1]), "one", "tiny")
"""


@pytest.mark.slow
def test_what_a_killed_run_left_is_cleared_by_the_next(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", KILLED, str(source)], check=False)
    assert done.returncode == 9
    assert len(leftovers(cache)) == 1
    build_baseline(FAMILY, source, "one", "tiny")
    assert leftovers(cache) == []


SECOND = """
import sys
from pathlib import Path
import test_variants as t

family, calls = t.counted(t.FAMILY)
made = t.build_baseline(family, Path(sys.argv[1]), "one", "tiny")
sys.stdout.write(f"{len(calls)} {made.folder.name}")
"""


@pytest.mark.slow
def test_two_runs_at_once_build_once(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    command = [sys.executable, "-c", SECOND, str(source)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [run.communicate()[0].split() for run in runs]
    assert sorted(built for built, _ in said) == ["0", "1"]
    assert said[0][1] == said[1][1]


# --------------------------------------------------------------------------- all of an experiment
@dataclass(frozen=True)
class NoParams:
    """A family without parameters."""


def test_every_variant_is_made_or_says_why_not(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(kind: str, name: str, locate: Any) -> Any:
        return FAMILY if name == "tiny" else load_plugin(kind, name, locate)

    monkeypatch.setattr(naming, "load_plugin", load)
    export = tmp_path / "export"
    export.mkdir()
    tiny_graphs.save(tiny_graphs.two_layers(), export / "encoder.onnx")
    wrong = Use("dynamic_int8", dynamic_int8.Params(op_types=("Conv",)))
    experiment = Experiment(
        name="x",
        model=ModelSpec("tiny", NoParams(), Origin(path="source")),
        variants=(
            Variant("fp32"),
            Variant("int8", DYNAMIC),
            Variant("theirs", None, Origin(path="export")),
            Variant("nothing", wrong),
            Variant("static", STATIC),
        ),
        baseline="fp32",
        candidate="int8",
    )
    told: list[str] = []
    made = variants.make(experiment, lambda name: tmp_path / name, told.append)
    assert list(made) == ["fp32", "int8", "theirs", "nothing", "static"]
    assert [bool(one.error) for one in made.values()] == [False, False, False, True, True]
    assert "nothing was quantized" in made["nothing"].error
    assert "calibration section" in made["static"].error
    assert made["theirs"].folder == export
    assert any(line.startswith("building the FP32 graphs") for line in told)
    told.clear()
    assert variants.make(experiment, lambda name: tmp_path / name, told.append) == made
    assert not any(line.startswith("building") for line in told)
