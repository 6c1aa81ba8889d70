"""What `pip install` gives: a wheel that works, far from the checkout, on one's own experiment.

The environment is empty but for the wheel; packages that it needs are those of the running one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(__file__).parent / "hostile" / "shared"
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md")
LAY = """
import lay
lay.clips("clips")
lay.models()
rows = [f'{{"audio_filepath": "clips/c{n}.wav", "text": "Frase {n}."}}\\n' for n in range(5)]
open("m.jsonl", "w").write("".join(rows))
lay.experiment("use: manifest, path: m.jsonl", "own")
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for a build leaves its own files behind."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "harness", source / "harness", ignore=_unwanted)
    for name in NEEDED:
        shutil.copyfile(ROOT / name, source / name)
    pip("wheel", str(source), "--no-build-isolation", "-w", str(target))
    (made,) = target.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the wheel, at a path that is not plain."""
    venv = tmp_path_factory.mktemp("un año") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    running = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "running.pth").write_text("\n".join(sorted(running)) + "\n", encoding="utf-8")
    pip("install", "--no-index", "--target", str(site), str(wheel))
    shutil.copy2(site / "bin" / "harness", venv / "bin" / "harness")
    return venv / "bin"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of a user's own, far from the checkout: clips, two models, a family."""
    folder = tmp_path_factory.mktemp("mi canción") / "voz"
    folder.mkdir()
    for name in ("lay.py", "oracle.py"):
        shutil.copyfile(SHARED / name, folder / name)
    subprocess.run([sys.executable, "-c", LAY], cwd=folder, check=True)
    return folder


def _unwanted(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__"}


def pip(command: str, *arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, *quiet, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def said(commands: Path, folder: Path, *words: str, code: int = 0) -> str:
    """What the installed `harness` prints, run in that folder without a trace of this process."""
    mine = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in mine}
    env |= {"HARNESS_CACHE": str(folder / "caché"), "OMP_NUM_THREADS": "1"}
    line = [str(commands / "python"), *words]
    done = subprocess.run(
        line, cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    files = (path for path in (ROOT / "harness").rglob("*") if path.is_file())
    wanted = {f.relative_to(ROOT).as_posix() for f in files if "__pycache__" not in f.parts}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("harness/")}
    assert held == wanted
    assert "harness/py.typed" in held
    assert any(name.endswith(".yaml") for name in held)


def test_harness_is_the_wheels_and_not_the_checkouts(installed: Path, own: Path) -> None:
    place = Path(said(installed, own, "-c", "import harness; print(harness.__file__)").strip())
    assert place.is_relative_to(installed.parent)
    assert "usage: harness" in said(installed, own, str(installed / "harness"), "--help")


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (["--help"], "usage: harness"),
        (["schema"], '"$schema"'),
        (["list", "metrics"], "wer"),
        (["list", "families"], "whisper"),
        (["check", "own.yaml"], "own"),
    ],
    ids=" ".join,
)
def test_a_command_works_far_from_the_checkout(
    installed: Path, own: Path, words: list[str], holds: str
) -> None:
    assert holds in said(installed, own, "-m", "harness", *words)


def test_an_experiment_of_ones_own_runs_and_its_report_is_in_spanish(
    installed: Path, own: Path
) -> None:
    text = (own / "own.yaml").read_text(encoding="utf-8").replace("language: en", "language: es")
    (own / "es.yaml").write_text(text, encoding="utf-8")
    said(installed, own, "-m", "harness", "run", "--exit-zero", "es.yaml", "--out", "salida")
    report = (own / "salida" / "report.md").read_text(encoding="utf-8")
    assert "language: es" in text
    assert "## " in report
    assert "Límite" in report
    before = report
    said(installed, own, "-m", "harness", "report", "salida")
    assert (own / "salida" / "report.md").read_text(encoding="utf-8") == before
