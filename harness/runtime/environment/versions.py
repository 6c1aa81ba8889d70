"""Versions of what computes, and the commit of this package's own code."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from harness.runtime.environment.files import run

PACKAGES = (
    "onnxruntime",
    "onnx",
    "numpy",
    "pandas",
    "scipy",
    "jiwer",
    "datasets",
    "soundfile",
    "tokenizers",
)


def onnxruntime_version() -> str:
    """Read from the package's metadata where that is there, since importing takes long."""
    found = version("onnxruntime")
    if found:
        return found
    import onnxruntime  # builds under another name, such as onnxruntime-openvino

    return str(onnxruntime.__version__)


def version(package: str) -> str:
    """The installed version of a package, "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def commit() -> dict[str, Any]:
    """The commit of this package's own code, if it lies in a git checkout that tracks it; dirty
    tells of its folder only, since a run writes reports beside it.
    """
    here = str(Path(__file__).parents[2])
    if not run("git", "-C", here, "ls-files", "--error-unmatch", "__init__.py"):
        return {"commit": "", "dirty": None}
    found = run("git", "-C", here, "rev-parse", "HEAD")
    changed = run("git", "--no-optional-locks", "-C", here, "status", "--porcelain", "--", ".")
    return {"commit": found, "dirty": bool(changed)}
