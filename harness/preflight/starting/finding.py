"""Whose model it is, by what the families say, and which data fit it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness import plugins
from harness.contracts import Composite, Family, Locate
from harness.contracts.sightings import Sighting
from harness.errors import AssetError, HarnessError, ModelError, SpecError, limits
from harness.io.escaping import cut
from harness.spec import load_plugin

ANY = 2  # distance of a family that takes any graph
LANGUAGE = re.compile("[a-z]{2,3}")
SHOWN = 8  # files in a line
SAMPLES = {"audio": "data/cv-{}-prompts", "text": "data/sentences-{}.txt"}
MOST = 100  # utterances of a first measurement


@dataclass(frozen=True)
class Wish:
    """What the user says beside the model: data, language (es), a family by name or file."""

    data: Path | None = None
    language: str = ""
    family: str = ""


@dataclass(frozen=True)
class Seen:
    """A family with what it recognised. `own`: its file, if it is the user's."""

    name: str
    family: Family  # as the parameters make it
    sighting: Sighting
    own: Path | None = None


@dataclass(frozen=True)
class Data:
    """A data set's plugin and parameters, `path` whole; `count` is NaN where it is not known."""

    use: str
    params: Mapping[str, Any]
    count: float = math.nan
    language: str = ""
    sample: bool = False


# ------------------------------------------------------------------------------------- the model
def model(path: Path, wish: Wish) -> Seen:
    """The nearest family that recognises the files.

    Raises: HarnessError, the line of the family whose files they are but for a fault; ModelError
    where there is none, or several as near.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such file or folder.")
    if wish.language and not LANGUAGE.fullmatch(wish.language):
        raise SpecError(f"--language {wish.language!r}: takes the code of one, such as es, en, pt.")
    if not (path.is_file() or path.is_dir()):
        raise ModelError(f"{path}: is no plain file and no folder.")
    if path.is_dir() and any(islice(path.rglob("*"), limits.MODEL_FILES, None)):
        raise ModelError(
            f"{path}: holds over {limits.MODEL_FILES:,} files; name the folder of the model itself."
        )
    path = Path(os.path.abspath(path))  # noqa: PTH100  a link is named as it was given
    found, refused = _asked(path, wish)
    if refused and not any(one.sighting.distance < ANY for one in found):
        raise next(iter(refused.values()))
    if not found:
        raise ModelError(_nobodys(path))
    found.sort(key=lambda one: (one.sighting.distance, one.name))
    nearest = [one for one in found if one.sighting.distance == found[0].sighting.distance]
    if len(nearest) > 1:
        names = ", ".join(one.name for one in nearest)
        raise ModelError(f"{path.name}: {names} would take it: choose by --family NAME.")
    return nearest[0]


def _asked(path: Path, wish: Wish) -> tuple[list[Seen], dict[str, HarnessError]]:
    names = [wish.family] if wish.family else plugins.names("families")
    found: list[Seen] = []
    refused: dict[str, HarnessError] = {}
    for name in names:
        try:
            if (one := _seen(name, path, wish)) is not None:
                found.append(one)
        except (SpecError, ModelError, AssetError) as error:
            refused[name] = error
    return found, refused


def _seen(name: str, path: Path, wish: Wish) -> Seen | None:
    own = Path(name).resolve() if name.endswith(".py") else None
    family: Family | Composite = load_plugin("families", str(own or name), Path)
    if isinstance(family, Composite) or not family.has_files:
        if wish.family:
            raise SpecError(f"--family {name}: has no files of its own to be recognised.")
        return None
    sighting = family.sight(path, wish.language) if family.sight else None
    if sighting is None and wish.family:
        sighting = _taken(family, name, path, wish)
    if sighting is None:
        return None
    shaped = plugins.shaped(family, sighting.params) if not sighting.lacking else family
    return Seen(name, shaped, sighting, own)


def _taken(family: Family, name: str, path: Path, wish: Wish) -> Sighting:
    """The files as a family takes them that cannot say what it recognises. Raises: ModelError."""
    if family.sight is not None:
        raise ModelError(f"{path.name}: the family {name} does not recognise it as its own.")
    folder = path if path.is_dir() else path.parent
    if family.look is not None:
        family.look(folder)
    graphs = family.graphs(folder) if any(folder.rglob("*.onnx")) else {}
    told = {"language": wish.language} if wish.language and _has_language(family) else {}
    return Sighting(f"a folder for {name}", folder, params=told, graphs=tuple(graphs.values()))


def _has_language(family: Family) -> bool:
    return "language" in getattr(family.Params, "__dataclass_fields__", {})


def _nobodys(path: Path) -> str:
    if path.is_file():
        return f"{path.name}: is no .onnx file and no part of a model that is known."
    found = sorted(one.relative_to(path).as_posix() for one in path.rglob("*.onnx"))
    if not found:
        return f"{path.name} holds no .onnx file and no other model that is known."
    shown = ", ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
    return (
        f"{path.name} holds {len(found)} graphs ({cut(shown, 400)}), together no model that is "
        f"known: name one of them, or write `graphs:` in their order (docs/your-own-model.md)."
    )


# ------------------------------------------------------------------------------------- the data
def data(seen: Seen, wish: Wish, locate: Locate) -> Data:
    """What the model hears or says.

    Raises: SpecError where nothing fits: it says what to give.
    """
    takes = seen.family.takes
    language = wish.language or seen.sighting.language
    if wish.data is None:
        return _sample(seen, language, locate)
    if not wish.data.exists():
        raise SpecError(f"--data {wish.data}: no such file or folder.")
    place = Path(os.path.abspath(wish.data))  # noqa: PTH100  as above
    found = list(_readings(place, language, takes))
    if not found:
        kinds = "a Common Voice release, a manifest (.jsonl, .csv, .tsv)"
        kinds = "sentences (.txt, .tsv, .csv)" if takes == "text" else kinds
        raise SpecError(f"--data {wish.data}: holds nothing that is known: {kinds}.")
    use, params = found[0]
    paths = {one["path"] for kind, one in found if kind == use}
    if len(paths) > 1 and "test" not in Path(params["path"]).stem.lower():
        names = ", ".join(sorted(Path(one).name for one in paths)[:SHOWN])
        raise SpecError(f"--data {wish.data}: holds several ({names}): name one of them.")
    return _chosen(use, params, language, False)


def _readings(path: Path, language: str, takes: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(plugin, parameters) of every way to read it; sentences for a family that takes text."""
    for name in plugins.names("datasets"):
        source = plugins.load("datasets", name)
        if source.sight and source.audio == (takes == "audio"):
            for params in source.sight(path, language):
                yield name, params


def _chosen(use: str, params: Mapping[str, Any], language: str, sample: bool) -> Data:
    source = plugins.load("datasets", use)
    count = source.look(source.Params(**params), Path) if source.look else math.nan
    told = str(params.get("locale", "")).partition("-")[0]
    return Data(use, params, count, language or told, sample)


def _sample(seen: Seen, language: str, locate: Locate) -> Data:
    """The speech, or the sentences, that the project ships. Raises: SpecError."""
    takes = seen.family.takes
    hears_words = takes == "text" or "text" in seen.family.gives
    for code in dict.fromkeys([language or "es", *(() if hears_words else ("es", "en"))]):
        wanted = [SAMPLES[takes].format(code), SAMPLES["audio"].format(code)]
        for place in wanted:
            if (path := _shipped(place, locate)) is None:
                continue
            for use, params in _readings(path.resolve(), code, takes):
                return _chosen(use, params, code, True)
    what = "sentences" if takes == "text" else "speech"
    raise SpecError(
        f"no sample {what} in {language or 'es'!r} is here (it lies in data/ of a checkout): give "
        "--data FOLDER."
    )


def _shipped(place: str, locate: Locate) -> Path | None:
    try:
        return locate(place)
    except SpecError:
        path = plugins.PACKAGE.parent / place
        return path if path.exists() else None
