"""Fixtures of the benchmarks: the tests' real model, and what else is made once."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import material
import numpy as np
import pytest

from harness import plugins

sys.path.append(str(material.TESTS))  # the invented run and the fake family

_shared = runpy.run_path(str(material.TESTS / "conftest.py"))
whisper_source, whisper_fp32 = _shared["whisper_source"], _shared["whisper_fp32"]


@pytest.fixture(scope="session")
def ten_seconds() -> np.ndarray:
    """10 s of speech at 16 kHz."""
    return material.speech(10.0)[0]


@pytest.fixture(scope="session")
def whisper_int8(whisper_fp32: Path) -> Path:
    """Whisper base as the shipped experiment's candidate."""
    made = material.ours()
    assert made.folder == whisper_fp32
    return material.int8(made).folder


@pytest.fixture(scope="session")
def whisper(whisper_int8: Path) -> Any:
    """The INT8 model, opened in the default session: its steps are the shortest calls we time."""
    family = plugins.load("families", "whisper")
    return family.open(whisper_int8, material.start, family.Params())
