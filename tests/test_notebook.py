"""The notebook runs from the root and from its own folder, and its ten lines agree with the
report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import invented_run
import nbformat
import pytest
from nbclient import NotebookClient

from harness import store

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
MEASURED = Path(__file__).parent / "frozen" / "whisper_base_es"

# the kernel's own libraries, not ours
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def _own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting and no file of the user's Jupyter is read or written."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))


def executed(folder: Path) -> str:
    """Everything that the notebook printed when it was executed in `folder`."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.slow
def test_the_notebook_recomputes_the_numbers_of_an_invented_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    made = invented_run.build(run)
    open_ = {**made.verdict, "verdict": "INSUFFICIENT EVIDENCE", "exit_code": 3}
    store.publish(replace(made, verdict=open_), "name: invented\n")
    monkeypatch.setenv("HARNESS_REPORT", str(run))
    said = executed(ROOT)
    assert "latency_p99_ms: " in said
    assert "wer: 3 values recomputed, all equal" in said


@pytest.mark.slow
def test_the_notebook_recomputes_the_numbers_of_the_report_beside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the checkout, with a measured run that no command of ours writes anew."""
    monkeypatch.delenv("HARNESS_REPORT", raising=False)
    shutil.copytree(MEASURED, tmp_path / "reports" / "whisper_base_es")
    (tmp_path / "notebooks").mkdir()
    assert "wer: 2 values recomputed" in executed(tmp_path / "notebooks")


def test_the_notebook_is_stored_without_outputs_and_its_ten_lines_are_ten() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    (again,) = [cell.source for cell in notebook.cells if cell.source.startswith("warm = ")]
    *ten, _shown = again.splitlines()
    assert len(ten) == 10
