"""One folder at a time: the FP32 graphs of a source, or a method applied to them; each recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.assets import seals
from harness.assets.seals import RECORD
from harness.contracts import Family, Feeds, Method, Quantized
from harness.errors import ModelError, QuantizeError
from harness.io.escaping.signs import cut
from harness.io.hashes import digest
from harness.run.variants.cache import cached, files, files_sha256
from harness.run.variants.code import code_of
from harness.runtime import environment, graph
from harness.runtime.session import SessionConfig, open_session, trial
from harness.spec import Use

_SHOWN = 100  # characters of what a family gave that names no graphs
RECORD_SCHEMA = 1  # raise it when what is built changes for another reason than its inputs
AS_IT_CAME: Mapping[str, Any] = {"method": "", "parameters": {}, "operators": {}, "left_out": {}}
PLAIN = SessionConfig("variants")
Tell = Callable[[str], None]


def quiet(_line: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class VariantFolder:
    """A folder that a family opens, and what is known of how it came to be."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over its files."""
        return str(self.record["fingerprint"])


@dataclass(frozen=True)
class CalibrationItems:
    """Items to calibrate on (walked once per graph) and the hash of which they are."""

    clips: Callable[[int], Iterable[Any]]
    fingerprint: str
    family_params: Any = None


# -------------------------------------------------------------------- one folder at a time
def build_baseline(
    family: Family, source: Path, source_fingerprint: str, family_name: str, tell: Tell = quiet
) -> VariantFolder:
    """The family's FP32 folder of a model source, from the cache or built now.

    Raises: ModelError for a source that is not of this family, AssetError for a full disk.
    """
    inputs = {
        "source": source_fingerprint,
        "family": family_name,
        "code": code_of(family.build),
        "versions": _versions(),
        **_shaped(family, source),
    }

    def build(folder: Path) -> dict[str, Any]:
        tell(f"building the FP32 graphs of {family_name}")
        with seals.untouched(source):
            family.build(source, folder)
        return _record(AS_IT_CAME, family, folder, files_sha256(folder))

    return VariantFolder(*cached([RECORD_SCHEMA, inputs], build, tell))


def quantize(
    family: Family,
    start: VariantFolder,
    how: tuple[Use, Method],
    calibration: CalibrationItems | None = None,
    tell: Tell = quiet,
) -> VariantFolder:
    """A method applied to every graph of a folder; a graph with nothing to quantize stays.

    Raises: QuantizeError where nothing was quantized in any graph, a node that should be left out
    is in none, or the method failed.
    """
    use, method = how
    parameters = asdict(use.params)
    inputs = {
        "from": start.fingerprint,
        "method": use.use,
        "parameters": parameters,
        "code": [code_of(method.apply), code_of(graph.write)],
        "versions": _versions(),
        **_shaped(family, start.folder),
    }
    if calibration is not None:
        inputs |= {"calibration": calibration.fingerprint, "feeds": code_of(family.feeds)}
        if calibration.family_params is not None:
            inputs["family_params"] = asdict(calibration.family_params)

    def build(folder: Path) -> dict[str, Any]:
        tell(f"quantizing with {use.use}")
        with seals.untouched(start.folder):
            done = _apply(family, start.folder, folder, how, calibration)
        made = {
            "method": use.use,
            "parameters": parameters,
            "operators": {role: dict(one.operators) for role, one in done.items()},
            "left_out": {role: list(one.left_out) for role, one in done.items()},
            "bytes_before": sum(start.record["files"].values()),
        }
        return _record(made, family, folder, files_sha256(folder))

    return VariantFolder(*cached([RECORD_SCHEMA, inputs], build, tell))


def _shaped(family: Family, folder: Path) -> dict[str, Any]:
    """Which graphs a family opens, where that depends on its parameters."""
    if family.shaped is None:
        return {}
    graphs = _graphs(family, folder)
    return {"graphs": {role: path.relative_to(folder).as_posix() for role, path in graphs.items()}}


def as_it_is(family: Family, folder: Path, source_fingerprint: str) -> VariantFolder:
    """A folder that needs no building, such as an export that is quantized already.

    Raises: ModelError where the family cannot open it.
    """
    return VariantFolder(folder, _record(AS_IT_CAME, family, folder, source_fingerprint))


def without_files(family: Family, family_name: str, params: Any) -> VariantFolder:
    """The empty folder of a model that runs elsewhere: what it is, only its parameters and its own
    word tell. Raises: what `identify` raises where it cannot be reached."""
    said = dict(family.identify(params)) if family.identify else {}
    record = {**AS_IT_CAME, "schema": RECORD_SCHEMA, "files": {}, "nodes": {}, "versions": said}
    seal = digest([family_name, asdict(params), said])

    def build(_folder: Path) -> dict[str, Any]:
        return {**record, "fingerprint": seal}

    return VariantFolder(*cached(["without files", seal], build, quiet))


def _apply(
    family: Family,
    source: Path,
    folder: Path,
    how: tuple[Use, Method],
    calibration: CalibrationItems | None,
) -> dict[str, Quantized]:
    use, method = how
    graphs = _graphs(family, source)
    if not graphs:
        raise QuantizeError(f"{use.use}: this model has no graph here to quantize.")
    trial.opens(list(graphs.values()))
    graph.require_matches(graphs.values(), getattr(use.params, "left_out", ()))
    replaced: set[Path] = set()
    done: dict[str, Quantized] = {}
    refused: list[str] = []
    written: list[Path] = []
    for role, path in graphs.items():
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        feeds = _feeds(family, source, role, use, calibration)
        try:
            done[role] = method.apply(use.params, path, target, feeds)
        except graph.NothingToQuantizeError as error:
            refused.append(str(error))
            done[role] = Quantized({})
        else:
            _check_face(path, target)
            written.append(target)
            replaced |= _with_weights([path])
    if len(refused) == len(graphs):
        raise QuantizeError(" ".join(refused))
    _check_opens(written)
    kept = {path for role, path in graphs.items() if not done[role].operators}
    leave = (replaced - _with_weights(kept)) | _unused(source, graphs.values())
    _copy(source, folder, leave | {source / RECORD})
    return done


def _graphs(family: Family, folder: Path) -> dict[str, Path]:
    """Role -> graph. Raises: ModelError where the folder is unfit, or a family of the user's own
    gives something else."""
    found = family.graphs(folder)
    if not isinstance(found, dict) or not all(isinstance(p, Path) for p in found.values()):
        given = cut(repr(found), _SHOWN)
        raise ModelError(f"{folder}: the family's `graphs` gave {given}, not {{role: Path}}.")
    return found


def _check_opens(written: Sequence[Path]) -> None:
    """A quantizer can write a graph that onnxruntime refuses: better known here than as a row."""
    try:
        trial.opens(written)
    except ModelError as error:
        raise QuantizeError(f"what was written cannot be opened: {error}") from error


def _check_face(source: Path, target: Path) -> None:
    """A quantizer can leave an input that nobody gives: what a graph must be given stays the same.

    Raises: QuantizeError.
    """
    before, after = (graph.face(graph.read(path, weights=False)) for path in (source, target))
    if before.required != after.required or before.outputs != after.outputs:
        raise QuantizeError(
            f"{target.name}: quantizing changed what the graph takes and gives: "
            f"{', '.join(before.required)} -> {', '.join(before.outputs)} became "
            f"{', '.join(after.required)} -> {', '.join(after.outputs)}."
        )


def _with_weights(paths: Iterable[Path]) -> set[Path]:
    """The graphs and the files beside them that hold their weights."""
    return {p.parent / name for p in paths for name in (p.name, *graph.external_files(p))}


def _unused(folder: Path, graphs: Iterable[Path]) -> set[Path]:
    """Graphs in the folder that the family does not open (an export may hold several layouts)."""
    used = set(graphs)
    return _with_weights(set(folder.rglob("*.onnx")) - used) - _with_weights(used)


def _feeds(
    family: Family, source: Path, role: str, use: Use, calibration: CalibrationItems | None
) -> Iterator[Feeds]:
    """The inputs that one graph gets on the calibration clips, one call at a time."""
    if calibration is None:
        return
    clips = calibration.clips(int(getattr(use.params, "clips", 0)))
    start = partial(open_session, config=PLAIN)
    for name, feeds in family.feeds(source, start, calibration.family_params, clips):
        if name == role:
            yield feeds


def _copy(source: Path, target: Path, leave: set[Path]) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path not in leave:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


# ------------------------------------------------------------------------------------- the record
def _record(
    made: Mapping[str, Any], family: Family, folder: Path, fingerprint: str
) -> dict[str, Any]:
    """`files` are those that a run needs, graphs, weights and tokenizer alike: what one ships."""
    graphs = _graphs(family, folder)
    spare = _unused(folder, graphs.values())
    sizes = {n: path.stat().st_size for n, path in files(folder).items() if path not in spare}
    nodes = {r: graph.operators(graph.read(p, weights=False)) for r, p in graphs.items()}
    return {
        "schema": RECORD_SCHEMA,
        **made,
        "files": sizes,
        "nodes": nodes,
        "versions": _versions(),
        "fingerprint": fingerprint,
    }


def _versions() -> dict[str, str]:
    return {"onnxruntime": environment.onnxruntime_version(), "onnx": environment.version("onnx")}
