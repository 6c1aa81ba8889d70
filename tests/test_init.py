"""`harness init` recognises what lies there by what families say, writes an experiment that loads,
and says in one line what is wrong with anything else."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_asr_tiny
import own_graphs
import pytest
import tiny_voice
import whisper_tiny

from harness import spec
from harness.app import cli
from harness.app import init as starting
from harness.errors import HarnessError, StoreError, limits
from harness.io import strict_yaml
from harness.plugins.families.whisper.weights import Weights
from harness.plugins.quantize.dynamic_int8 import advise
from harness.preflight.starting import Wish, writing
from harness.runtime import environment
from harness.runtime.session import trial

WEIGHTS = Weights(whisper_tiny.arrays())
SHIPPED = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of its own; opening graphs in a child is the slowest seam."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trial, "opens", lambda graphs: None)


def whisper_export(kind: str, folder: Path, suffix: str = "") -> None:
    whisper_tiny.export_folder(folder, WEIGHTS, kind, suffix)
    whisper_tiny.tokenizer(folder)


def in_onnx(folder: Path) -> None:
    whisper_export("merged", folder / "onnx")
    for path in (folder / "onnx").glob("*.json"):
        shutil.move(path, folder / path.name)


def onnx_asr_ctc(folder: Path) -> None:
    folder.mkdir()
    onnx_asr_tiny.ctc(folder)
    onnx_asr_tiny.config(folder, model_type="nemo-conformer-ctc")


def wav2vec2(folder: Path) -> None:
    own_graphs.saved(own_graphs.ctc(), folder)
    (folder / "vocab.json").write_text('{"<pad>": 0, "|": 1, "a": 2, "b": 3}')


def silero() -> onnx.ModelProto:
    """The inputs and outputs of silero-vad 6."""
    return own_graphs.graph(
        [
            onnx.helper.make_node("ReduceMean", ["input"], ["output"], axes=[1], keepdims=1),
            onnx.helper.make_node("Identity", ["state"], ["stateN"]),
            onnx.helper.make_node("Identity", ["sr"], ["rate"]),
        ],
        [("input", own_graphs.FLOAT, ("batch", "sequence")),
         ("state", own_graphs.FLOAT, (2, "batch", 128)), ("sr", own_graphs.INT64, ())],
        [("output", own_graphs.FLOAT, ("batch", 1)),
         ("stateN", own_graphs.FLOAT, ("a", "batch", "c"))],
    )  # fmt: skip


def of(made: onnx.ModelProto) -> Callable[[Path], Any]:
    return lambda folder: own_graphs.saved(made, folder)


KNOWN: Mapping[str, tuple[Callable[[Path], Any], str, dict[str, Any]]] = {
    "ctranslate2": (whisper_tiny.ctranslate2_folder, "whisper", {"language": "es"}),
    "merged": (lambda f: whisper_export("merged", f), "whisper", {"language": "es"}),
    "split": (lambda f: whisper_export("split", f), "whisper", {"language": "es"}),
    "onnx folder": (in_onnx, "whisper", {"language": "es"}),
    "onnx-asr": (onnx_asr_ctc, "onnx_asr", {"language": "es"}),
    "piper": (tiny_voice.piper, "piper", {}),
    "kokoro": (tiny_voice.kokoro, "kokoro", {"voice": "jf_alpha", "language": "es-419"}),
    "wav2vec2": (wav2vec2, "graph", {"ctc": {"vocabulary": "vocab.json", "output": "logits"}}),
    "silero": (of(silero()), "graph", {"hop": 512, "context": 64, "state": {"state": "stateN"}}),
    "one length": (of(own_graphs.fixed(144_160)), "graph", {
        "inputs": {"input_1": {"from": "samples", "shorter": "repeat", "longer": "cut"}}}),
    "features": (of(own_graphs.encoder(128)), "graph", {
        "inputs": {"input_features": {"from": "log_mel", "mels": 128}}}),
}  # fmt: skip


def written(model: Path, **asked: Any) -> tuple[spec.Experiment, dict[str, Any], str]:
    """(experiment, its YAML as plain data, the text)."""
    out = asked.pop("out", Path("x.yaml"))
    starting.init(model, Wish(**asked), out)
    text = out.read_text(encoding="utf-8")
    return spec.load(out), strict_yaml.read(text, str(out)).data, text


@pytest.mark.parametrize("kind", KNOWN)
def test_what_families_know_becomes_an_experiment_that_loads(kind: str, tmp_path: Path) -> None:
    make, family, params = KNOWN[kind]
    make(tmp_path / "mine")
    experiment, data, text = written(tmp_path / "mine")
    if family == "graph":  # no words: the sample's language says nothing of the reader's
        assert experiment.report.language == ("es" if "ctc" in params else "en")
    model = data["model"]
    assert model["family"] == family
    assert model["source"] == {"path": "mine"}
    assert {key: model[key] for key in params} == params
    assert experiment.candidate != experiment.baseline == "original"
    kinds = {(gate.metric, gate.kind) for gate in experiment.gates}
    assert ("latency_p50_ms", "max_ratio") in kinds
    assert len(text.splitlines()) > len(text.split("#")) > 8  # parts say why


@pytest.mark.parametrize("kind", ["merged", "onnx-asr", "wav2vec2", "piper"])
def test_a_file_of_a_model_stands_for_the_model(kind: str, tmp_path: Path) -> None:
    make, family, _ = KNOWN[kind]
    make(tmp_path / "mine")
    file = sorted((tmp_path / "mine").rglob("*.onnx"))[0]
    _, data, _ = written(file)
    assert data["model"]["family"] == family
    assert data["model"]["source"]["files"]


def test_of_two_precisions_one_is_chosen_by_a_file_of_it(tmp_path: Path) -> None:
    whisper_export("merged", tmp_path / "mine")
    other = tmp_path / "other"
    whisper_tiny.export_folder(other, WEIGHTS, "merged", "_quantized")
    for path in other.glob("*.onnx"):
        shutil.copy(path, tmp_path / "mine")
    with pytest.raises(HarnessError, match="several models"):
        starting.init(tmp_path / "mine", Wish())
    _, data, _ = written(tmp_path / "mine" / "encoder_model_quantized.onnx")
    names = ["encoder_model_quantized.onnx", "decoder_model_merged_quantized.onnx", "*.json"]
    assert data["model"]["source"] == {"path": "mine", "files": names}


def truncated(folder: Path) -> None:
    path = own_graphs.saved(own_graphs.encoder(), folder)
    path.write_bytes(path.read_bytes()[:-40])


def two(folder: Path) -> None:
    own_graphs.saved(own_graphs.fixed(8), folder, "a.onnx")
    own_graphs.saved(own_graphs.ctc(), folder, "b.onnx")


def broken_voice(folder: Path) -> None:
    path = tiny_voice.piper(folder)
    (file,) = path.glob("*.json")
    file.write_text('{"phoneme_id_map": {"a": [1]}}')


def odd_rate(folder: Path) -> None:
    made = own_graphs.fixed(16_000)
    made.metadata_props.add(key="sample_rate", value="999999")
    own_graphs.saved(made, folder)


def no_voices(folder: Path) -> None:
    tiny_voice.kokoro(folder)
    np.savez(folder / "voices.npz")


def no_graph(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.onnx").write_bytes(b"no")


WRONG: Mapping[str, tuple[Callable[[Path], Any], str]] = {
    "nothing": (lambda folder: folder.mkdir(), "holds no .onnx file"),
    "several": (two, "holds 2 graphs \\(a.onnx, b.onnx\\).*name one"),
    "truncated": (truncated, "own.onnx"),
    "no model": (no_graph, "a.onnx"),
    "voice": (broken_voice, "is no Piper voice's"),
    "missing": (lambda folder: None, "no such file or folder"),
    "rate": (odd_rate, "sample_rate must be from"),
    "no voices": (no_voices, "has no voices"),
    "pipe": (os.mkfifo, "no plain file and no folder"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_used_is_one_line_and_nothing_is_written(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, told = WRONG[kind]
    make(tmp_path / "mine")
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(["init", "mine"]) == 2
    said = capsys.readouterr()
    assert re.search(told, said.err)
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow  # a process of its own
def test_an_ir_newer_than_the_runtime_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    own_graphs.saved(own_graphs.newer(ir=99), tmp_path / "mine")
    assert cli.main(["init", "mine"]) == 2
    said = capsys.readouterr().err
    assert "99" in said
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("*.yaml"))


def test_what_only_the_user_knows_is_marked_in_the_file_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = own_graphs.second()  # `ids`, of which nothing tells what they are
    own_graphs.saved(made, tmp_path / "mine")
    assert cli.main(["init", "mine"]) == 2
    said = capsys.readouterr().err
    assert "mine.yaml: written, but for one thing" in said
    assert "write" in said
    text = (tmp_path / "mine.yaml").read_text()
    assert "# MISSING, write it here: " in text
    assert strict_yaml.read(text, "mine.yaml").data["model"]["family"] == "graph"


HOSTILE = ['it"s', "a: b # c", "línea", "-x", "a'b", "no", "{x}", "\u202eevil", "back\\slash", "*a"]


@pytest.mark.parametrize("name", [*HOSTILE, "two\nlines"])
def test_hostile_names_of_files_and_inputs_are_quoted_data(name: str, tmp_path: Path) -> None:
    made = own_graphs.fixed(16_000)
    for value in (made.graph.input[0], made.graph.node[0]):
        if hasattr(value, "op_type"):
            value.input[0] = name
        else:
            value.name = name
    own_graphs.saved(made, tmp_path / name)
    _, data, text = written(tmp_path / name)
    assert data["model"]["source"] == {"path": name}
    assert list(data["model"]["inputs"]) == [name]
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "value", ["no", "1:30", "1e-3", "0o17", "~", "", " a", "a: b", "#", "é", "\x7f", "\u2028", "😀"]
)
def test_a_text_is_read_back_as_it_was_written(value: str) -> None:
    text = f"a: {writing.flow({value or 'k': [value]})}\n"
    assert strict_yaml.read(text, "x").data == {"a": {value or "k": [value]}}


def test_a_comment_stays_on_its_line() -> None:
    assert "\n" not in writing.comment("a\nname: evil\u2028b")


# ------------------------------------------------------------------------------------- the file
def test_a_file_that_is_there_is_replaced_by_force_alone_and_a_folder_never(tmp_path: Path) -> None:
    out = tmp_path / "x.yaml"
    starting.put(out, "one", force=False)
    with pytest.raises(StoreError, match="--force"):
        starting.put(out, "two", force=False)
    assert out.read_text() == "one"
    starting.put(out, "two", force=True)
    assert out.read_text() == "two"
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to(out)
    for name in ("folder.yaml", "link.yaml"):
        with pytest.raises(StoreError, match="no plain file"):
            starting.put(tmp_path / name, "three", force=True)
    assert out.read_text() == "two"
    assert not list(tmp_path.glob(".x*"))


@pytest.mark.parametrize(
    ("out", "path"),
    [("x.yaml", "models/mine"), ("experiments/x.yaml", "models/mine"), ("models/x.yaml", "mine")],
)
def test_paths_are_found_beside_the_file_or_above_it(out: str, path: str, tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "models/mine")
    (tmp_path / out).parent.mkdir(exist_ok=True)
    _, data, _ = written(Path("models/mine"), out=Path(out))
    assert data["model"]["source"] == {"path": path}


def test_an_editor_is_told_of_the_schema_that_lies_beside(tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    (tmp_path / "experiment.schema.json").write_text("{}")
    _, _, text = written(tmp_path / "mine")
    assert text.startswith("# yaml-language-server: $schema=experiment.schema.json\n")


def test_a_model_outside_of_the_project_is_named_whole(tmp_path: Path) -> None:
    (tmp_path / "project/.git").mkdir(parents=True)
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    _, data, text = written(tmp_path / "mine", out=tmp_path / "project/x.yaml")
    assert data["model"]["source"] == {"path": str(tmp_path / "mine")}
    assert ".." not in text.replace("...", "")


# ------------------------------------------------------------------------------------- the data
def test_data_are_read_as_the_data_sets_say(tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    shutil.copytree(SHIPPED / "cv-es-prompts", tmp_path / "release")
    _, data, _ = written(tmp_path / "mine", data=tmp_path / "release")
    told = {"use": "common_voice", "path": "release", "locale": "es", "split": "test"}
    assert data["quality"][0]["dataset"].items() >= told.items()
    clips = tmp_path / "release/es/clips"
    clip = sorted(clips.iterdir())[0]
    (clips / "mine.jsonl").write_text(f'{{"audio": "{clip.name}", "sentence": "hola"}}\n')
    _, data, _ = written(tmp_path / "mine", data=clips, out=Path("y.yaml"))
    told = {"use": "manifest", "audio": "audio", "text": "sentence"}
    assert data["quality"][0]["dataset"].items() >= told.items()


def test_an_archive_of_a_release_is_taken_without_being_read(tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    with tarfile.open(tmp_path / "cv.tar", "w") as packed:
        packed.add(SHIPPED / "cv-es-prompts" / "es", "cv-corpus-1/es")
    _, data, _ = written(tmp_path / "mine", data=tmp_path / "cv.tar")
    told = {"use": "common_voice", "path": "cv.tar", "locale": "es", "limit": 100}
    assert data["quality"][0]["dataset"].items() >= told.items()


def test_data_that_nobody_knows_and_a_language_without_a_sample_are_told(tmp_path: Path) -> None:
    whisper_export("merged", tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match="holds nothing that is known"):
        starting.init(tmp_path / "mine", Wish(data=tmp_path / "empty"))
    onnx_asr_ctc(tmp_path / "asr")
    with pytest.raises(HarnessError, match="no sample speech in 'eu'"):
        starting.init(tmp_path / "asr", Wish(language="eu"))


@pytest.mark.parametrize("language", ["Spanish", "es\n", "../x", "e"])
def test_a_language_is_a_code(language: str, tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    with pytest.raises(HarnessError, match="takes the code"):
        starting.init(tmp_path / "mine", Wish(language=language))


def test_a_folder_of_anything_is_not_searched_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whisper_export("merged", tmp_path / "mine")
    monkeypatch.setattr(limits, "MODEL_FILES", 2)
    with pytest.raises(HarnessError, match="over 2 files"):
        starting.init(tmp_path / "mine", Wish())


def test_a_linked_folder_is_named_as_it_was_given(tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "project" / "real")
    (tmp_path / "project" / ".git").mkdir()
    (tmp_path / "project" / "mine").symlink_to(tmp_path / "project" / "real")
    _, data, _ = written(tmp_path / "project/mine", out=tmp_path / "project/x.yaml")
    assert data["model"]["source"] == {"path": "mine"}


# ------------------------------------------------------------------------------------- INT8
@pytest.mark.parametrize(
    ("weights", "isa", "params"),
    [
        ({"MatMul": 1.0}, ["avx2"],
         {"op_types": ["MatMul"], "per_channel": True, "reduce_range": True}),
        ({"MatMul": 1.0}, ["avx2", "avx512_vnni"], {"op_types": ["MatMul"], "per_channel": True}),
        ({"MatMul": 1.0}, ["asimddp"], {"op_types": ["MatMul"], "per_channel": True}),
        ({"MatMul": 1.0}, [], {"op_types": ["MatMul"], "per_channel": True, "reduce_range": True}),
        ({"MatMul": 0.6, "Gather": 0.3, "Conv": 0.1}, ["avx_vnni"],
         {"op_types": ["MatMul", "Gather"], "per_channel": True}),
        ({"Conv": 0.995, "MatMul": 0.005}, ["avx_vnni"], {"op_types": ["Conv"]}),
        ({"GRU": 1.0}, ["avx_vnni"], None),
    ],
)  # fmt: skip
def test_the_recipe_follows_the_weights_and_the_processor(
    weights: dict[str, float], isa: list[str], params: dict[str, Any] | None
) -> None:
    found = advise(weights, isa)
    assert (found and dict(found.params)) == params


@pytest.mark.parametrize(("isa", "told"), [("avx2", "has no VNNI"), ("avx2 avx_vnni", "8-bit")])
def test_a_comment_says_what_this_processor_has(
    isa: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "describe", lambda: {"isa": isa})
    whisper_export("merged", tmp_path / "mine")
    _, data, text = written(tmp_path / "mine")
    assert told in text
    recipe = data["variants"][1]["quantize"]
    assert ("reduce_range" in recipe) == (told == "has no VNNI")


# ------------------------------------------------------------------------------------- plugins
OWN = """from harness.contracts import Family, Sighting
from harness.plugins.families.graph import family as other
import dataclasses

def sight(path, language):
    return Sighting("my own kind", path, graphs=tuple(path.glob("*.onnx")))

family = dataclasses.replace(other, sight=sight)
"""


def test_a_family_of_the_users_own_takes_part(tmp_path: Path) -> None:
    own_graphs.saved(own_graphs.fixed(16_000), tmp_path / "mine")
    (tmp_path / "own_family.py").write_text(OWN)
    _, data, text = written(tmp_path / "mine", family="./own_family.py")
    assert data["model"]["family"] == "own_family.py"
    assert "my own kind" in text


def test_five_lines_say_what_was_found_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_graphs.saved(own_graphs.encoder(), tmp_path / "mine")
    assert cli.main(["init", "mine"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == ["model", "compared", "data", "gates"]
    assert lines[4] == "wrote mine.yaml; next: harness check mine.yaml"
    assert len(lines) == 5


def test_a_name_is_one_that_a_folder_can_have() -> None:
    names = {"My Modèl (1).onnx": "My_Model_1", "..": "model", "日本": "model", "-x": "x"}
    assert {one: writing.name_of(Path(one)) for one in names} == names
    assert np.all([spec.naming.results_folder(Path("a.yaml"), n).name == n for n in names.values()])
