"""What holds for all tests, and what several files of them use, as the real model, fetched and
converted once per machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import effort
import pytest

ROOT = Path(__file__).resolve().parents[1]
effort.register()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun with & in a script: children inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


_FSYNC = os.fsync


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """A result of a test need not outlive a power cut; tests about that are marked `disk`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def _disk(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("disk") is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _FSYNC)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def whisper_source() -> Path:
    """The folder with Whisper base as it was published (CTranslate2 weights)."""
    from harness.assets import fetch

    return fetch("whisper-base")


@pytest.fixture(scope="session")
def whisper_fp32(whisper_source: Path) -> Path:
    """Whisper base as our FP32 ONNX folder."""
    from harness import assets, plugins
    from harness.run import variants

    _, fingerprint = assets.resolve({"asset": "whisper-base"}, Path)
    family = plugins.load("families", "whisper")
    return variants.build_baseline(family, whisper_source, fingerprint, "whisper").folder


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by what they are for: a float WAV holds the second of its making, and every
    worker of a run must find the same tests."""
    return argname if isinstance(val, bytes) else None
