"""What code and which packages a figure rests on: found by what its file imports."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import plugins
from harness.run import prepare
from harness.run.variants.code import code_of, files_of, packages_of
from harness.run.worker import server
from harness.speech import phonemes
from harness.store.made import Made


def opener(kind: str, name: str) -> Callable[..., Any]:
    act: Callable[..., Any] = plugins.load(kind, name).open
    return act


def names(act: Callable[..., Any]) -> set[str]:
    return {path.relative_to(plugins.PACKAGE).as_posix() for path in files_of(act)}


@pytest.mark.parametrize(
    ("kind", "name", "core"),
    [
        ("families", "whisper", {"speech/mel.py", "plugins/families/whisper/decoding.py"}),
        (
            "families",
            "piper",
            {
                "plugins/families/_synthesis.py",
                "speech/phonemes.py",
                "plugins/families/piper/voice.py",
            },
        ),
        (
            "families",
            "kokoro",
            {
                "plugins/families/_synthesis.py",
                "speech/phonemes.py",
                "plugins/families/kokoro/reading.py",
            },
        ),
        (
            "judges",
            "dnsmos",
            {"speech/mel.py", "runtime/session/options.py", "plugins/judges/dnsmos/windows.py"},
        ),
    ],
)
def test_the_code_of_a_model_or_judge_is_all_that_its_figures_rest_on(
    kind: str, name: str, core: set[str]
) -> None:
    found = names(opener(kind, name))
    assert core <= found
    assert not found & {"errors/__init__.py", "contracts/__init__.py", "plugins/__init__.py"}


def test_every_file_of_a_family_or_judge_is_part_of_its_code() -> None:
    for kind in ("families", "judges"):
        for name in plugins.names(kind):
            found = plugins.load(kind, name)
            act = getattr(found, "open", None) or getattr(found, "assemble", None) or found.ratings
            files = set((plugins.folder(kind) / name).rglob("*.py"))
            assert files <= set(files_of(act)), f"{kind}/{name}"


def test_the_code_that_measures_reaches_from_decoding_to_the_clock() -> None:
    measuring = {"speech/audio/__init__.py", "runtime/garbage.py", "runtime/session/__init__.py"}
    assert measuring | {
        f"run/worker/{name}.py" for name in ("__init__", "keeping", "opening")
    } <= names(server.serve)
    assert {"numpy", "onnxruntime", "scipy", "soundfile"} <= set(packages_of(server.serve))


def test_code_outside_of_the_package_counts_with_what_it_imports(tmp_path: Path) -> None:
    def written(text: str) -> Callable[..., Any]:
        path = tmp_path / "own.py"
        path.write_text(text, encoding="utf-8")
        made = importlib.util.spec_from_file_location("own_code_of_a_test", path)
        assert made is not None
        assert made.loader is not None
        module = importlib.util.module_from_spec(made)
        sys.modules[module.__name__] = module
        made.loader.exec_module(module)
        act: Callable[..., Any] = module.act
        return act

    try:
        act = written("def act():\n    from harness.speech import mel\n    import onnx_asr as it\n")
        first = code_of(act)
        assert {path.name for path in files_of(act)} == {"own.py", "__init__.py", "mel.py"}
        assert {"onnx-asr", "scipy", "numpy"} & set(packages_of(act)) >= {"onnx-asr", "numpy"}
        assert code_of(written("def act():\n    pass\n")) != first
    finally:
        del sys.modules["own_code_of_a_test"]


def test_the_record_names_espeak_ng_where_a_voice_reads_by_it() -> None:
    def packages(family: str) -> dict[str, str]:
        made = Made(Path(), "", {}, family=family)
        return dict(prepare._packages([made], Path))

    pytest.importorskip("espeakng_loader")
    assert packages("piper")["espeak-ng"] == phonemes.version()
    assert packages("piper")["espeakng-loader"]
    assert not {"espeak-ng", "espeakng-loader"} & set(packages("whisper"))
    assert packages("whisper")["scipy"]
