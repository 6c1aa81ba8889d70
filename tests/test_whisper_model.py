"""The opened family: its operations on a tiny model of every layout, and on the real Whisper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import whisper_tiny as tiny
from onnx import numpy_helper
from pydantic import TypeAdapter, ValidationError

from harness.errors import AudioError, ModelError, OutputError, SpecError
from harness.plugins.families.whisper import Context, Params, family
from harness.plugins.families.whisper.weights import Weights, read
from harness.speech import audio

RATE = 16_000
WINDOW = tiny.FRAMES * 160
PLAIN = Params(guard_repeats=0, tokens_per_second=1000)


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return samples.astype(np.float32)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "built").mkdir()
    family.build(tiny.ctranslate2_folder(folder / "source"), folder / "built")
    return folder / "built"


@pytest.fixture(scope="module", params=["own", "merged", "split"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "own":
        return Path(request.getfixturevalue("own"))
    made = tmp_path_factory.mktemp(request.param) / "export"
    tiny.export_folder(made, Weights(tiny.arrays()), request.param)
    tiny.generation_config(made, tiny.CONFIG["suppress_ids"], tiny.CONFIG["suppress_ids_begin"])
    tiny.tokenizer(made)
    return made


# ------------------------------------------------------------------------------ what is compared
def test_the_encoder_is_compared_as_the_decoder_sees_it(folder: Path) -> None:
    model = family.open(folder, tiny.start, PLAIN)
    clip = speech(2 * tiny.SECONDS)  # two windows
    found = [piece for _, piece in model.outputs(clip, ["encoder"], {})]
    feeds = [feed for role, feed in model.feeds(clip) if role == "encoder"]
    session = tiny.start(family.graphs(folder)["encoder"])
    names = [output.name for output in session.get_outputs()]
    raw = [
        (name, x) for feed in feeds for name, x in zip(names, session.run(names, feed), strict=True)
    ]
    assert len(feeds) == 2
    assert len(found) == len(raw)
    for piece, (name, output) in zip(found, raw, strict=True):
        heads = output.ndim == 4  # our layout: a frame's heads side by side, keys lie transposed
        turned = output.transpose(0, 3, 1, 2) if "key" in name else output
        turned = output.transpose(0, 2, 1, 3) if heads and "key" not in name else turned
        same = turned.reshape(turned.shape[1], -1) if heads else output
        np.testing.assert_allclose(piece, same, rtol=1e-5, atol=1e-6)


def test_logits_follow_the_tokens_of_the_baseline_and_not_the_models_own(folder: Path) -> None:
    model, clip = family.open(folder, tiny.start, PLAIN), speech(tiny.SECONDS)
    guide = model.guide(clip, ["logits"])
    (tokens,) = guide["tokens"]
    found = [piece for _, piece in model.outputs(clip, ["logits"], guide)]
    assert len(found) == len(tokens) + 1  # one before each, and one behind the last
    never = {*tiny.CONFIG["suppress_ids"]}
    own = [token for token in range(found[0].size + len(never)) if token not in never]
    # along its own tokens the model chooses what it chose (the first one has more forbidden)
    assert [own[int(piece.argmax())] for piece in found[1:-1]] == tokens[1:]
    other = [tokens[:1] * 3]
    assert len([*model.outputs(clip, ["logits"], {"tokens": other})]) == 4
    assert model.guide(clip, ["encoder"]) == {}
    with pytest.raises(OutputError, match="heard 2 windows, this model 1"):
        next(model.outputs(clip, ["logits"], {"tokens": [[1], [2]]}))


# -------------------------------------------------------------------------------------- operations
def test_every_layout_says_the_same(own: Path, folder: Path) -> None:
    clip = speech(tiny.SECONDS)
    expected = family.open(own, tiny.start, PLAIN).prepare("pipeline", clip)()
    assert len(expected.text.split()) > 3
    found = family.open(folder, tiny.start, PLAIN).prepare("pipeline", clip)()
    assert found == expected


@pytest.mark.parametrize("operation", family.operations)
def test_every_operation_can_be_called_again_and_again(folder: Path, operation: str) -> None:
    call = family.open(folder, tiny.start, PLAIN).prepare(operation, speech(0.3))
    first, second = call(), call()
    assert (first.text, str(first.tokens)) == (second.text, str(second.tokens))
    if operation == "decoder_step":
        assert first.tokens == 1


def test_every_graph_is_opened_once(folder: Path) -> None:
    opened: list[Path] = []

    def start(path: Path) -> ort.InferenceSession:
        opened.append(path)
        return tiny.start(path)

    family.open(folder, start, PLAIN)
    assert sorted(opened) == sorted(family.graphs(folder).values())


def test_longer_audio_is_taken_window_by_window(own: Path) -> None:
    model = family.open(own, tiny.start, PLAIN)
    clip = speech(2.4 * tiny.SECONDS)
    parts = [clip[at : at + WINDOW] for at in range(0, clip.size, WINDOW)]
    said = [model.prepare("pipeline", part)() for part in parts]
    assert len(parts) == 3
    whole = model.prepare("pipeline", clip)()
    assert whole.text == " ".join(s.text for s in said if s.text)
    assert whole.tokens == sum(s.tokens for s in said)


def test_tokens_count_the_runs_of_the_decoder(own: Path) -> None:
    runs: list[str] = []

    class Counting:
        def __init__(self, session: ort.InferenceSession, name: str) -> None:
            self.session, self.name = session, name

        def __getattr__(self, name: str) -> Any:
            return getattr(self.session, name)

        def run_with_ort_values(self, *arguments: Any) -> Any:
            runs.append(self.name)
            return self.session.run_with_ort_values(*arguments)

    def start(path: Path) -> Any:
        return Counting(tiny.start(path), path.stem)

    output = family.open(own, start, PLAIN).prepare("pipeline", speech(0.2))()
    assert output.tokens == runs.count("decoder")
    assert runs.count("encoder") == 1


def test_the_token_budget_grows_with_the_audio_and_is_noted(own: Path) -> None:
    params = Params(spare_tokens=1, tokens_per_second=10, guard_repeats=0)
    found = family.open(own, tiny.start, params).prepare("pipeline", speech(0.2))()
    assert found.tokens == 3
    assert found.notes == "budget_spent tokens=3"


def test_the_context_policy_shortens_what_the_encoder_gets(own: Path) -> None:
    params = Params(context=Context(min_seconds=0.1, extra_seconds=0.05))
    lengths = {
        seconds: dict(family.feeds(own, tiny.start, params, [speech(seconds)]))["encoder"][
            "features"
        ].shape[2]
        for seconds in (0.01, 0.1, 0.205, 0.4)
    }
    # 0.1 s at least; 0.1 + 0.05 s is 15 frames, made even; 25.5 frames, up and even; all there is
    assert lengths == {0.01: 10, 0.1: 16, 0.205: 26, 0.4: 40}


@pytest.mark.parametrize("seconds", [0.2, 2.4 * tiny.SECONDS])
def test_confidence_is_given_where_it_is_asked_for_and_changes_nothing_else(
    folder: Path, seconds: float
) -> None:
    asked = replace(PLAIN, confidence=True)
    plain, sure = (
        family.open(folder, tiny.start, params).prepare("pipeline", speech(seconds))()
        for params in (PLAIN, asked)
    )
    assert plain.figures == {}
    assert plain == replace(sure, figures={})
    # no token is likelier than certain, nor the likeliest of 32 less likely than one in 32
    assert -np.log(tiny.VOCABULARY) < sure.figures["confidence"] < 0


def test_a_full_context_by_policy_is_the_same_as_none(own: Path) -> None:
    clip = speech(0.3)
    whole = family.open(own, tiny.start, PLAIN).prepare("pipeline", clip)()
    params = Params(guard_repeats=0, tokens_per_second=1000, context=Context(min_seconds=30))
    assert family.open(own, tiny.start, params).prepare("pipeline", clip)() == whole


def test_feeds_are_what_every_graph_takes(folder: Path) -> None:
    roles = family.graphs(folder)
    sessions = {role: tiny.start(path) for role, path in roles.items()}
    counts = dict.fromkeys(roles, 0)
    for role, feeds in family.feeds(folder, tiny.start, PLAIN, [speech(0.2), speech(0.4, seed=1)]):
        assert all(isinstance(array, np.ndarray) for array in feeds.values())
        assert all(np.isfinite(o).all() for o in sessions[role].run(None, dict(feeds)))
        counts[role] += 1
    assert counts["encoder"] == 2
    assert min(counts.values()) >= 2


# ------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize("operation", family.operations)
@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros(0, np.float32), "0 samples"),
        (np.zeros((100, 2), np.float32), "one channel"),
        (np.zeros(100, np.int16), "finite floats"),
        (np.full(100, np.nan, np.float32), "finite floats"),
    ],
)
def test_wrong_audio_is_an_audio_error(
    own: Path, operation: str, samples: np.ndarray, says: str
) -> None:
    with pytest.raises(AudioError, match=says):
        family.open(own, tiny.start, PLAIN).prepare(operation, samples)


def _poisoned(own: Path, folder: Path, graph: str, weight: str) -> Path:
    for path in own.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    model = onnx.load(folder / graph)
    for tensor in model.graph.initializer:
        if tensor.name == weight:
            array = numpy_helper.to_array(tensor).copy()
            array.flat[0] = np.nan
            tensor.CopyFrom(numpy_helper.from_array(array, weight))
    onnx.save(model, folder / graph)
    return folder


@pytest.mark.parametrize(
    ("graph", "weight", "operation"),
    [
        ("encoder.onnx", "encoder.conv1.weight", "pipeline"),
        ("encoder.onnx", "encoder.conv1.weight", "encoder"),
        ("encoder.onnx", "encoder.1.fc2.bias", "encoder"),
        ("decoder.onnx", "decoder.1.fc1.weight", "pipeline"),
        ("decoder.onnx", "decoder.1.fc1.weight", "decoder_step"),
        ("decoder.onnx", "decoder.embedding", "pipeline"),
    ],
)
def test_an_output_that_is_not_a_number_is_an_output_error(
    own: Path, tmp_path: Path, graph: str, weight: str, operation: str
) -> None:
    folder = _poisoned(own, tmp_path, graph, weight)
    call = family.open(folder, tiny.start, PLAIN).prepare(operation, speech(0.3))
    with pytest.raises(OutputError, match="not a number"):
        call()


def _with_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(onnx.helper.make_tensor_value_info("mask", 1, ["n"]))


def _without_sizes(model: onnx.ModelProto) -> None:
    for value in model.graph.input:
        if value.name == "self_key_0":
            value.type.tensor_type.shape.dim[1].dim_param = "heads"


def _whole_tokens(model: onnx.ModelProto) -> None:
    for value in model.graph.input:
        if value.name == "self_key_0":
            value.name = "tokens_too"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_with_input, r"decoder\.onnx has inputs that no Whisper decoder takes: mask"),
        (_without_sizes, r"decoder\.onnx: input 'self_key_0' has shape"),
        (_whole_tokens, r"decoder\.onnx is not a Whisper decoder .* self_key_0"),
    ],
)
def test_inputs_that_do_not_fit_are_a_model_error(
    own: Path, tmp_path: Path, change: Callable[[onnx.ModelProto], None], says: str
) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model = onnx.load(tmp_path / "decoder.onnx")
    change(model)
    onnx.save(model, tmp_path / "decoder.onnx")
    with pytest.raises(ModelError, match=says):
        family.open(tmp_path, tiny.start, PLAIN)


def test_a_graph_of_another_size_is_a_model_error(own: Path, tmp_path: Path) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (own / "whisper.json").read_text().replace('"mels": 8', '"mels": 80')
    (tmp_path / "whisper.json").write_text(text)
    call = family.open(tmp_path, tiny.start, PLAIN).prepare("pipeline", speech(0.1))
    with pytest.raises(
        ModelError, match=r"encoder\.onnx cannot run as a Whisper encoder"
    ) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_an_unknown_language_is_a_spec_error(own: Path) -> None:
    with pytest.raises(SpecError, match="'yo'"):  # Whisper has it, this tokenizer does not
        family.open(own, tiny.start, Params(language="yo"))


@pytest.mark.parametrize("given", ["eng_", "ES", "Spanish", "", "e", "<|es|>", "es-419"])
def test_what_is_no_language_code_is_refused_before_anything_runs(given: str) -> None:
    with pytest.raises(ValueError, match="takes the code of one, such as es, en, pt, yue"):
        Params(language=given)


def test_a_tokenizer_of_another_model_is_a_model_error(own: Path, tmp_path: Path) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (own / "tokenizer.json").read_text().replace("<|notimestamps|>", "<|other|>")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ModelError, match=r"tokenizer\.json has no token notimestamps"):
        family.open(tmp_path, tiny.start, PLAIN)


def test_an_export_refuses_a_context_policy(tmp_path: Path) -> None:
    folder = tiny.export_folder(tmp_path / "export", Weights(tiny.arrays()), "merged")
    tiny.tokenizer(folder)
    with pytest.raises(SpecError, match="context"):
        family.open(folder, tiny.start, Params(context=Context()))


@pytest.mark.parametrize(
    "values",
    [
        {"max_tokens": 0},
        {"tokens_per_second": -1},
        {"guard_repeats": 1},
        {"task": "sing"},
        {"context": {"min_seconds": 31}},
        {"context": {"extra_seconds": -1}},
    ],
)
def test_values_that_mean_nothing_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Params).validate_python(values)


# ----------------------------------------------------------------------------------- the real model
CLIPS = {
    # CTranslate2 4.8.5, FP32, greedy, on the same features (bench/whisper_agreement.py)
    "agent-alreadyon": "Ese agente ya ha sido atendicado. Por favor ingrese su número de agente "
    "seguido para la tecla de número.",
    "agent-newlocation": "Por favor, ingrese una nueva extensión seguida por la tecla de número.",
}


def _clip(root: Path, name: str) -> np.ndarray:
    folder = root / "data" / "cv-es-prompts" / "es" / "clips"
    return audio.decode(folder / f"common_voice_es_{name}.mp3", RATE)


@pytest.mark.model
def test_whisper_base_says_what_ctranslate2_says(root: Path, whisper_fp32: Path) -> None:
    model = family.open(whisper_fp32, tiny.start, Params())
    for name, text in CLIPS.items():
        assert model.prepare("pipeline", _clip(root, name))().text == text


@pytest.mark.model
def test_whisper_base_takes_at_most_300_mb(whisper_fp32: Path) -> None:
    names = ("encoder.onnx", "decoder.onnx", "tokenizer.json", "whisper.json")
    assert sum((whisper_fp32 / name).stat().st_size for name in names) <= 300e6


@pytest.mark.model
@pytest.mark.parametrize("kind", ["merged", "split"])
def test_the_export_layout_of_the_real_weights_says_the_same(
    root: Path, whisper_source: Path, whisper_fp32: Path, tmp_path: Path, kind: str
) -> None:
    folder = tiny.export_folder(tmp_path / kind, read(whisper_source / "model.bin"), kind)
    tokenizer = (whisper_source / "tokenizer.json").read_bytes()
    (folder / "tokenizer.json").write_bytes(tokenizer)
    from harness.plugins.families.whisper.layouts import constants

    found = constants(whisper_fp32, "own")
    tiny.generation_config(folder, list(found.suppress), list(found.suppress_begin))
    name, text = next(iter(CLIPS.items()))
    model = family.open(folder, tiny.start, Params())
    assert model.prepare("pipeline", _clip(root, name))().text == text
