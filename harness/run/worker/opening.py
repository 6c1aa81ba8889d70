"""Opens what a request describes: a model in one session configuration, a system, a judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.contracts import Composite, Family, Judge, Judged, Model

if TYPE_CHECKING:
    import numpy as np

    from harness.runtime.session import SessionConfig


@dataclass(frozen=True)
class Opened:
    """A model that is ready, at its family's rate."""

    model: Model
    sample_rate: int
    takes: str


def open_model(body: Mapping[str, Any], config: SessionConfig) -> Opened:
    """`body`: family, folder, params, and for a system its parts, each as such a body again.

    Raises: ModelError, SessionError, SpecError, ExtraError.
    """
    from harness import plugins
    from harness.runtime.session import open_session

    family: Family | Composite = plugins.load("families", body["family"])
    family = plugins.shaped(family, body["params"])
    params = _params(family.Params, body["params"])
    if isinstance(family, Composite):
        parts = {role: open_model(part, config) for role, part in body["parts"].items()}
        models = {role: part.model for role, part in parts.items()}
        rates = {role: part.sample_rate for role, part in parts.items()}
        model = family.assemble(models, rates, params)
    else:
        model = family.open(Path(body["folder"]), lambda path: open_session(path, config), params)
    return Opened(model, family.sample_rate, family.takes)


def open_judge(body: Mapping[str, Any]) -> tuple[Callable[[np.ndarray], Judged], int]:
    """(what judges samples, their rate). `body`: judge, params, files by asset, parts by role.

    Raises: as `open_model`.
    """
    from harness import plugins
    from harness.runtime.session import SessionConfig

    judge: Judge = plugins.load("judges", body["judge"])
    assert judge.open is not None
    plain = SessionConfig("default")
    parts = {role: open_model(part, plain).model for role, part in body["parts"].items()}
    files = {name: Path(folder) for name, folder in body["files"].items()}
    return judge.open(_params(judge.Params, body["params"]), files, parts), judge.sample_rate


def _params(cls: type, given: Mapping[str, Any]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cls).validate_python(given)
