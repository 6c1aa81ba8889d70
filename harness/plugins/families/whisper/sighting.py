"""What `harness init` writes of a Whisper: which of the layouts lies there, and its language."""

from __future__ import annotations

from pathlib import Path

from harness.contracts.sightings import Sighting
from harness.errors import ModelError
from harness.plugins.families import _modelfiles
from harness.plugins.families.whisper import building, layouts, prompts
from harness.plugins.families.whisper.building import CTRANSLATE2
from harness.plugins.families.whisper.layouts import TOKENIZER, GraphFiles
from harness.plugins.families.whisper.params import Params
from harness.plugins.families.whisper.weights import read
from harness.runtime import graph

PLAIN = {"own": "our own export", "merged": "export with a merged decoder", "split": "export"}
# of the published sizes: linear layers, and the table of tokens that the output shares
WEIGHTS = {"MatMul": 0.7, "Gather": 0.3}


def sight(path: Path, language: str) -> Sighting | None:
    """A folder of any layout, or one file of it, which tells the precision that is meant.

    Raises: ModelError for a Whisper that lacks something or lies there twice, SpecError for a
    language that it does not have.
    """
    folder = path if path.is_dir() else path.parent
    if path in (folder, folder / CTRANSLATE2) and (folder / CTRANSLATE2).is_file():
        return _of_ctranslate2(folder, language)
    if folder.name == "onnx" and not (folder / TOKENIZER).is_file():
        folder = folder.parent
    found = layouts.every(folder)
    if path.is_file():
        found = [one for one in found if path in one.graphs.values()]
    if not found:
        return None
    if len(found) > 1:
        raise _modelfiles.which(folder, [list(one.graphs.values()) for one in found])
    return _of_export(folder, layouts.fitting(found[0]), path.is_file(), language)


def _of_ctranslate2(folder: Path, language: str) -> Sighting:
    weights, config = read(folder / CTRANSLATE2), _modelfiles.read_json(folder / "config.json")
    known = building.constants_of(weights, config)
    own, why = _language(folder, prompts.told_english_only(config), language)
    return Sighting(
        f"Whisper, CTranslate2 weights, {known.mels} mel bins",
        folder,
        params={"language": own},
        why={"language": why},
        weights=WEIGHTS,
        language=own,
    )


def _of_export(folder: Path, layout: GraphFiles, one: bool, language: str) -> Sighting:
    known = layouts.constants(folder, layout.kind)
    for path in layout.graphs.values():
        graph.external_files(path)
    own, why = _language(folder, known.english_only, language)
    names = [path.relative_to(folder).as_posix() for path in layout.graphs.values()]
    return Sighting(
        f"Whisper, {PLAIN[layout.kind]}, {known.mels} mel bins",
        folder,
        files=(*names, "*.json") if one else (),
        params={"language": own},
        why={"language": why},
        graphs=tuple(layout.graphs.values()),
        language=own,
    )


def _language(folder: Path, english: bool | None, language: str) -> tuple[str, str]:
    """(code, why). Raises: ModelError, SpecError."""
    from tokenizers import Tokenizer

    _modelfiles.read_json(folder / TOKENIZER)
    with graph.one_line(f"{TOKENIZER} is no tokenizer", ModelError):
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    only = prompts.english_only(tokenizer, english)
    chosen = language or (prompts.ENGLISH if only else Params.language)
    prompts.prompt(tokenizer, Params(language=chosen), english)
    if only:
        return chosen, "this Whisper knows English alone"
    return chosen, "forced: Whisper knows many, and guesses otherwise"
