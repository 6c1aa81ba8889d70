"""What onnxruntime made of a configuration: the options it read, and the graph that it will run."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.runtime.session import SessionConfig, open_session


@dataclass(frozen=True)
class Probed:
    """Of one graph: provider options as onnxruntime reports them, SHA-256 of the optimized graph.

    Two configurations with the same hash run the same nodes on the same weights; how many threads
    run them and where memory comes from is not in a graph.
    """

    provider_options: Mapping[str, str]
    graph: str

    def to_json(self) -> dict[str, Any]:
        return {"provider_options": dict(self.provider_options), "graph": self.graph}


def probe(path: Path, config: SessionConfig) -> Probed:
    """Opens a session that writes its optimized graph. Raises: as `open_session`."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "optimized.onnx"
        session = open_session(path, config, written)
        options = session.get_provider_options()[config.provider]
        del session  # Windows removes no file that is in use
        return Probed(dict(options), _hash(written))


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()
