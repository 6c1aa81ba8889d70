"""Result -> figures as PNG files; equal tables give equal bytes.

A figure of ours is drawn whenever a report is written. One of the user's own is drawn where its run
is decided, in each language that it has a title in, and lies beside the report from then on: what
the run stores of it (`figures` of its own part) names the files with their SHA-256.

style, labels   what figures share
history         the figure of `harness history --plot`
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import plugins, store
from harness.contracts import Figure, Locate, Result
from harness.errors import PluginError, StoreError, limits
from harness.io.escaping.results import for_figures
from harness.io.places import writing
from harness.report import metric_names, words
from harness.report.captions import asked, stored
from harness.spec import load_plugin

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

FOLDER = "figures"
LETTERS = 60  # of a file's name


def draw(result: Result, folder: Path, language: str) -> list[Path]:
    """Write every figure of ours that the experiment asks for and the result has data for into
    `folder`, and return their paths.

    A figure of an earlier rendering that has no data any more is removed.

    Raises: StoreError where the disk refuses; PluginError for a figure that is no picture.
    """
    shown = for_figures(result)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in plugins.names("figures"):
        path = folder / f"{name}.png"
        path.unlink(missing_ok=True)
        if asked(result, name):
            found: Figure = plugins.load("figures", name)
            data = _drawn(name, found, shown, language)
            if data:
                with writing(path):
                    path.write_bytes(data)
                written.append(path)
    return written


def _drawn(name: str, figure: Figure, shown: Result, language: str) -> bytes:
    """The figure as PNG, empty where the result has nothing for it. Raises: PluginError for what is
    no picture, or a huge one."""
    import matplotlib
    import matplotlib.style
    from matplotlib.figure import Figure as Picture

    from harness.report.drawing.style import DPI, SETTINGS

    looks = matplotlib.style.context(["default", dict(SETTINGS)])
    with matplotlib.rc_context(), looks, metric_names.naming(shown):
        made = figure.draw(shown, language)
        if made is None:
            return b""
        if not isinstance(made, Picture):
            raise PluginError(
                f"figure {name}: draw gives {type(made).__name__}; it should be a matplotlib"
                " figure, or None."
            )
        _bounded(name, made, DPI)
        data = io.BytesIO()
        made.savefig(data, format="png", dpi=DPI, metadata={"Software": None})
    return data.getvalue()


def _bounded(name: str, made: Picture, dpi: int) -> None:
    width, height = (side * dpi for side in made.get_size_inches())
    if not 0 < width * height <= limits.FIGURE_PIXELS:
        raise PluginError(
            f"figure {name}: has {width:,.0f} by {height:,.0f} pixels; at most"
            f" {limits.FIGURE_PIXELS:,} in all."
        )


# ---------------------------------------- figures of the user's own
def files(names: Collection[str], language: str) -> set[str]:
    """What files the figures of the user's own can be written to, with their folder."""
    known = [*words.languages(), language]
    return {_file(stem, one) for stem in _stems(names).values() for one in known}


def own(result: Result, locate: Locate) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What is stored of the figures of the user's own, and their files: name -> bytes. Their code
    is run here. Raises: PluginError."""
    report = result.experiment.report
    shown, facts, made = for_figures(result), dict[str, Any](), dict[str, bytes]()
    for name, stem in _stems(report.figures).items():
        figure: Figure = load_plugin("figures", name, locate)
        known = [one for one in figure.title if one in {*words.languages(), report.language}]
        pictures = {}
        for language in known or [report.language]:
            data = _drawn(name, figure, shown, language)
            if len(data) > limits.FIGURE_BYTES:
                raise PluginError(f"figure {name}: is over {limits.FIGURE_BYTES:,} bytes.")
            if data:
                file = _file(stem, language)
                made[file] = data
                sha = hashlib.sha256(data).hexdigest()
                pictures[language] = {"file": file, "sha256": sha}
        facts[name] = {**_said(figure), "pictures": pictures}
    return facts, made


def _said(figure: Figure) -> dict[str, Any]:
    return {
        "title": {str(language): str(text) for language, text in figure.title.items()},
        "section": str(figure.section),
        "order": int(figure.order),
        "tables": [str(table) for table in figure.tables],
    }


def kept(result: Result) -> tuple[set[str], set[str]]:
    """Files of figures of the user's own in a run's folder: those that lie there, and among them
    those that are as they were drawn."""
    there, whole, rendered = set(), set(), store.rendered(result.folder)
    for file, sha in _pictures(result):
        if file not in rendered:
            continue
        try:
            data = store.bounded(store.view(result.folder, file), limits.FIGURE_BYTES)
        except StoreError:
            continue
        there.add(file)
        if hashlib.sha256(data).hexdigest() == sha:
            whole.add(file)
    return there, whole


def _pictures(result: Result) -> Iterator[tuple[str, str]]:
    """(file, SHA-256) of each picture that a run tells of, which may be anybody's words."""
    for one in stored(result).values():
        pictures = one.get("pictures") if isinstance(one, Mapping) else None
        for picture in pictures.values() if isinstance(pictures, Mapping) else ():
            if isinstance(picture, Mapping):
                yield str(picture.get("file")), str(picture.get("sha256"))


def _stems(names: Collection[str]) -> dict[str, str]:
    """Figure of the user's own -> its files' name without language; no two have the same."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name.endswith(".py"):
            plain = f"own_{_plain(Path(name).stem)}"
            taken = sum(stem.partition("__")[0] == plain for stem in found.values())
            found[name] = f"{plain}__{taken + 1}" if taken else plain
    return found


def _file(stem: str, language: str) -> str:
    return f"{FOLDER}/{stem}__{_plain(language.removesuffix(words.ENDING))}.png"


def _plain(text: str) -> str:
    """Letters and digits of a name, single _ between them."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")[:LETTERS] or "figure"
