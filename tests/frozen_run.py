"""One finished run of the fake family, made once and copied by the tests that break it."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from test_pipeline import OWN_METRIC, YAML, lay_out, prepare, run

OWN = YAML.replace("metrics: [wer]", "metrics: [wer, ./long.py]")


@functools.cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="frozen-run-")) / "project"
    lay_out(folder)
    (folder / "long.py").write_text(OWN_METRIC.format(letters=3), encoding="utf-8")
    (folder / "x.yaml").write_text(OWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        prepare(folder, patch, "")
        run(folder)
    return folder


def project(target: Path) -> Path:
    """A copy of the experiment, its models and data, and the run in `out`."""
    shutil.copytree(_made(), target, symlinks=True)
    return target


def published(target: Path) -> Path:
    """A copy of what the run published, as it is committed: without `.work`."""
    shutil.copytree(_made() / "out", target, ignore=shutil.ignore_patterns(".work"))
    return target


def adjusted(folder: Path) -> None:
    """Make the manifest fit the files, as somebody who edits results would."""
    path = folder / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in manifest["files"]:
        if (folder / name).is_file():
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            manifest["files"][name] = digest
    path.write_text(json.dumps(manifest), encoding="utf-8")
