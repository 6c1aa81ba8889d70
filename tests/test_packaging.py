"""How it is distributed: under a name of its own, and nothing tracked names the other project."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.runtime import environment

NAME = "onnx-speech-harness"
OTHERS = "har" + "ness"  # a project of 2020 on the public index that has nothing to do with this
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".lock", ".ipynb", ".sh", ""}
INSTALLS = re.compile(
    rf"""(?:pip3?|uv|uv\ pip|pipx|poetry|conda)\ (?:install|add|download|run)\b [^\n]*?
    (?<![\w./-]){OTHERS}(?![\w/.-])""",
    re.VERBOSE,
)


def extras(root: Path) -> list[str]:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    return re.findall(r"^([\w-]+) = \[", section, re.MULTILINE)


def tracked(root: Path) -> Iterator[Path]:
    try:
        command = ["git", "-C", str(root), "ls-files", "-z"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git checkout")
    for name in listed.decode().split("\0"):
        path = root / name
        if path.suffix in TEXT and path.is_file() and path != Path(__file__):
            yield path


def wrong(text: str, root: Path) -> list[str]:
    """What in a text would fetch, or name as a requirement, the other project."""
    named = "|".join(map(re.escape, extras(root)))
    required = re.compile(rf"(?<![\w-]){OTHERS}\[(?:{named})\b")
    return [found.group(0) for kind in (INSTALLS, required) for found in kind.finditer(text)]


@pytest.mark.parametrize(
    "text",
    [
        f'pip install "{OTHERS}[tts]"',
        f"pip install {OTHERS}",
        f"pip install '{OTHERS}'",
        f"pip3 install -U {OTHERS}",
        f"uv add {OTHERS}",
        f"uv pip install {OTHERS}==0.1.0",
        f"needs {OTHERS}[onnx-asr].",
        f"python -m pip install {OTHERS}>=0.1",
    ],
)
def test_a_line_that_fetches_the_other_project_is_seen(text: str, root: Path) -> None:
    assert wrong(text, root)


@pytest.mark.parametrize(
    "text",
    [
        f'pip install "{NAME}[tts]"',
        f"pip install {NAME}",
        f"from {OTHERS} import load",
        f"make {OTHERS}",
        f"pip install -e . && {NAME}",
        f"pip install ./{OTHERS}/tools",
    ],
)
def test_a_line_that_does_not_is_left_alone(text: str, root: Path) -> None:
    assert not wrong(text, root)


def test_no_tracked_file_tells_anybody_to_install_the_other_project(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix(): bad
        for path in tracked(root)
        if (bad := wrong(path.read_text(encoding="utf-8", errors="replace"), root))
    }
    assert found == {}


def test_the_distribution_has_a_name_of_its_own_and_the_codes_version(root: Path) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(rf'^name = "{NAME}"', text, re.MULTILINE)
    assert f'version = "{harness.__version__}"' in text


def test_the_record_of_a_run_has_the_version_of_the_code_and_not_of_what_is_installed() -> None:
    assert environment.describe()[OTHERS] == harness.__version__
    assert OTHERS not in environment.PACKAGES
