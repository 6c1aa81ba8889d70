"""Fixtures that several test files use: the real model, fetched and converted once per machine."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their place: a WAV header and a gzip hold the second that made them, and
    two workers of one run must give a test the same name."""
    return argname if isinstance(val, bytes) else None


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
