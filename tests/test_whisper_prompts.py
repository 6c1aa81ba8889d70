"""What a Whisper is told before it writes: its own languages, or nothing but English."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny_graphs
import whisper_tiny as tiny
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models

from harness.errors import ModelError, SpecError
from harness.plugins.families import _modelfiles
from harness.plugins.families.whisper import Params, family, prompts
from harness.plugins.families.whisper.weights import Weights

START, TASKS = ["<|startoftranscript|>"], ["<|translate|>", "<|transcribe|>"]
REST = ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>"]


def tokenizer(languages: list[str], words: int = 24, tasks: bool = True) -> Tokenizer:
    """As Whisper's: words, the end, the start, languages, tasks, the rest."""
    special = ["<|endoftext|>", *START, *(f"<|{code}|>" for code in languages)]
    special += [*(TASKS if tasks else []), *REST]
    vocabulary = {word: i for i, word in enumerate([*(f"w{n}" for n in range(words)), *special])}
    return Tokenizer(models.WordLevel(vocabulary, unk_token="w0"))


def said(made: Tokenizer, told: bool | None = None, **params: Any) -> list[str]:
    return [made.id_to_token(i) for i in prompts.prompt(made, Params(**params), told)]


MANY = ["en", "es", "zh", "haw", "yue"]
ENGLISH = ["<|startoftranscript|>", "<|notimestamps|>"]


# (tokenizer, what the JSON files say, whether it is English-only)
@pytest.mark.parametrize(
    ("made", "told", "only"),
    [
        (tokenizer(MANY), None, False),
        (tokenizer(MANY), False, False),
        (tokenizer(MANY), True, True),  # the list of special tokens is the same for all of them
        (tokenizer(["en"]), None, True),
        (tokenizer([]), None, True),
        (tokenizer([], tasks=False), None, True),
        (tokenizer(MANY, words=50256), None, True),  # GPT-2's vocabulary: the end is 50256
        (tokenizer(MANY, words=50257), None, False),
        (tokenizer(["es"]), None, False),
    ],
)
def test_an_english_only_whisper_gets_its_own_prompt(
    made: Tokenizer, told: bool | None, only: bool
) -> None:
    assert prompts.english_only(made, told) is only
    if only:
        assert said(made, told, language="en") == ENGLISH
        with pytest.raises(SpecError, match="English-only: write `language: en`, not 'es'"):
            said(made, told)
        with pytest.raises(SpecError, match="English-only and cannot translate"):
            said(made, told, language="en", task="translate")
    else:
        first, language, task, last = said(made, told, language="es")
        assert [first, last] == ENGLISH
        assert (language, task) == ("<|es|>", "<|transcribe|>")


@pytest.mark.parametrize("code", MANY)
def test_every_language_of_the_tokenizer_can_be_asked_for(code: str) -> None:
    assert said(tokenizer(MANY), language=code)[1] == f"<|{code}|>"


def test_a_language_that_the_tokenizer_lacks_is_one_line_with_those_that_it_has() -> None:
    with pytest.raises(SpecError, match=r"no 'yi'\. There is: en, es, haw, yue, zh"):
        said(tokenizer(MANY), language="yi")


# tokens that vocabularies and fine-tunings have and nobody speaks
@pytest.mark.parametrize("token", ["pad", "unk", "bos", "eos", "sep"])
def test_a_sign_of_three_letters_is_no_language(token: str) -> None:
    assert prompts.languages(tokenizer([*MANY, token])) == sorted(MANY)
    assert prompts.english_only(tokenizer(["en", token]), None)
    with pytest.raises(SpecError, match=f"no '{token}'"):
        said(tokenizer([*MANY, token]), language=token)


@pytest.mark.parametrize("first", [False, True])
def test_words_are_told_from_signs_wherever_they_stand(first: bool) -> None:
    words = ["hola", "mundo", "bordado"]
    special = ["<|endoftext|>", *START, "<|es|>", *TASKS, *REST]
    order = [*special, *words] if first else [*words[:2], *special, words[2]]
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(order)}, unk_token="hola"))
    signs = prompts.signs(made)
    assert {made.id_to_token(i) for i in range(len(order)) if i not in signs} == set(words)


def laid(tmp_path: Path, kind: str) -> Path:
    """The tiny model as our own folder or as an exporter lays it out."""
    folder = tmp_path / "model"
    if kind == "own":
        folder.mkdir()
        family.build(tiny.ctranslate2_folder(tmp_path / "source"), folder)
    else:
        tiny.export_folder(folder, Weights(tiny.arrays()), kind)
        tiny.generation_config(folder, [1], [2])
        tiny.tokenizer(folder)
    return folder


@pytest.mark.parametrize("kind", ["own", "merged"])
def test_a_word_that_was_added_behind_the_signs_is_heard(tmp_path: Path, kind: str) -> None:
    """The same model: its last token is a time stamp in one vocabulary, a word in the other."""
    folder = laid(tmp_path, kind)
    opened: Any = family.open(folder, tiny.start, Params())
    assert opened._text([3, 31, 24, 4]) == "w3 w4"
    path = folder / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace("<|0.00|>", "bordado"), "utf-8")
    opened = family.open(folder, tiny.start, Params())
    assert opened._text([3, 31, 24, 4]) == "w3 bordado w4"


@pytest.mark.parametrize(
    ("configs", "told"),
    [
        (({"is_multilingual": False}, {}), True), (({}, {"is_multilingual": False}), True),
        (({"is_multilingual": True}, {"vocab_size": 51864}), False),
        (({}, {"vocab_size": 51864}), True), (({}, {"vocab_size": 51865}), None),
        (({}, {"vocab_size": 51866}), None), (({}, {}), None),
        (({"is_multilingual": None}, {"is_multilingual": "no"}), None),
    ],
)  # fmt: skip
def test_the_json_files_may_say_it(configs: tuple[dict[str, Any], ...], told: bool | None) -> None:
    assert prompts.told_english_only(*configs) is told


@pytest.mark.parametrize("kind", ["merged", "split", "own"])
def test_an_english_only_model_is_told_from_its_folder_in_every_layout(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "model"
    if kind == "own":
        source = tiny.ctranslate2_folder(tmp_path / "source")
        (source / "generation_config.json").write_text(json.dumps({"is_multilingual": False}))
        folder.mkdir()
        family.build(source, folder)
    else:
        tiny.export_folder(folder, Weights(tiny.arrays()), kind)
        tiny.generation_config(folder, [1], [2])
        config = json.loads((folder / "config.json").read_text()) | {"is_multilingual": False}
        (folder / "config.json").write_text(json.dumps(config))
        tiny.tokenizer(folder)
    with pytest.raises(SpecError, match="English-only"):
        family.open(folder, tiny.start, Params())
    opened: Any = family.open(folder, tiny.start, Params(language="en"))
    assert opened._rules.prompt == (25, 30)
    clip = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    assert opened.prepare("decoder_step", clip)().tokens == 1


# ------------------------------------------------------------------- several precisions in a folder
@pytest.mark.parametrize("ending", ["_fp16", "_quantized", "_int8", "_q4", "_bnb4"])
@pytest.mark.parametrize("kind", ["merged", "split"])
def test_two_precisions_in_a_folder_are_not_chosen_between(
    tmp_path: Path, kind: str, ending: str
) -> None:
    weights = Weights(tiny.arrays())
    folder = tiny.export_folder(tmp_path / "model", weights, kind)
    other = tiny.export_folder(tmp_path / "other", weights, kind, ending)
    for path in other.glob("*.onnx"):
        shutil.copyfile(path, folder / path.name)
    with pytest.raises(ModelError, match="holds several models") as caught:
        family.graphs(folder)
    assert f"encoder_model{ending}.onnx" in str(caught.value)
    assert "choose by `files` beside `path`" in str(caught.value)
    assert f"files: ['encoder_model{ending}.onnx*', 'decoder_model" in str(caught.value)
    (folder / f"encoder_model{ending}.onnx").unlink()  # half of one is none
    assert family.graphs(folder)["encoder"].name == "encoder_model.onnx"


def test_a_layout_of_ours_beside_an_export_is_not_chosen_either(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    family.build(tiny.ctranslate2_folder(tmp_path / "source"), folder)
    tiny.export_folder(folder / "onnx", Weights(tiny.arrays()), "merged")
    with pytest.raises(ModelError, match="holds several models"):
        family.graphs(folder)


# ------------------------------------------------------------------------------ inputs of 32 bits
def narrowed(path: Path) -> None:
    """Every int64 input of a graph as int32, widened inside."""
    made = onnx.load(path)
    for value in made.graph.input:
        if value.type.tensor_type.elem_type != TensorProto.INT64:
            continue
        name = value.name
        for node in made.graph.node:
            node.input[:] = [f"{name}_wide" if one == name else one for one in node.input]
        made.graph.node.insert(
            0, helper.make_node("Cast", [name], [f"{name}_wide"], to=TensorProto.INT64)
        )
        value.type.tensor_type.elem_type = TensorProto.INT32
    onnx.save(made, path)


@pytest.mark.parametrize("kind", ["own", "split"])
def test_token_ids_of_32_bits_are_fed_as_such(tmp_path: Path, kind: str) -> None:
    folder = laid(tmp_path, kind)
    clip = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    wide = family.open(folder, tiny.start, Params()).prepare("pipeline", clip)()
    for path in folder.glob("decoder*.onnx"):
        narrowed(path)
    narrow = family.open(folder, tiny.start, Params()).prepare("pipeline", clip)()
    assert narrow.text == wide.text
    fed = [feeds for role, feeds in family.feeds(folder, tiny.start, Params(), [clip])]
    assert {str(one[n].dtype) for one in fed for n in one if n in ("tokens", "input_ids")} == {
        "int32"
    }


# ---------------------------------------------------------------------------------- JSON files
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[" * 100_000, "nested too deeply"), (b'{"a": ' * 50_000, "nested too deeply"),
        (b"\xff\xfe{}", "is not JSON"), (b"{", "is not JSON"), (b"", "is not JSON"),
        (b"[]", "must hold a JSON object"), (b"null", "must hold a JSON object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
)  # fmt: skip
def test_json_that_is_none_is_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=told) as caught:
        _modelfiles.read_json(path)
    assert len(str(caught.value)) < 400


def test_json_beyond_its_bound_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with path.open("wb") as file:
        file.truncate(1_000_000_000)  # a hole: it takes no room
    with pytest.raises(ModelError, match="at most 100,000,000 are read"):
        _modelfiles.read_json(path)


def test_a_tokenizer_that_is_none_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    family.build(tiny.ctranslate2_folder(tmp_path / "source"), folder)
    (folder / "tokenizer.json").write_text('{"model": 5}')
    with pytest.raises(ModelError, match=r"tokenizer\.json is no tokenizer"):
        family.open(folder, tiny.start, Params())


def test_a_graph_that_cannot_run_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    family.build(tiny.ctranslate2_folder(tmp_path / "source"), folder)
    made = onnx.load(folder / "encoder.onnx")
    made.graph.node.append(helper.make_node("MatMul", ["a", "b"], ["broken"]))
    made.graph.initializer.extend([tiny_graphs.weight("a", 2, 3), tiny_graphs.weight("b", 2, 3)])
    made.graph.output.append(helper.make_tensor_value_info("broken", TensorProto.FLOAT, None))
    onnx.save(made, folder / "encoder.onnx")
    with pytest.raises(ModelError, match=r"encoder\.onnx") as caught:
        family.open(folder, tiny.start, Params())
    assert "\n" not in str(caught.value)
