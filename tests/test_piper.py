"""Piper voices: what the graph is given for a text, what may be wrong with a folder, a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import onnx
import pytest
import tiny_voice as tiny
from onnx import numpy_helper
from pydantic import TypeAdapter, ValidationError

from harness import plugins
from harness.contracts import Output
from harness.errors import (
    HarnessError,
    ModelError,
    OutputError,
    QuantizeError,
    SpecError,
    TextError,
)
from harness.plugins.families.piper import Params, family
from harness.plugins.families.piper import model as piper_model
from harness.plugins.families.piper import voice as voices
from harness.run import variants
from harness.spec import Use
from harness.speech.phonemes import Clause

PLAIN = Params(length_scale=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.piper(tmp_path_factory.mktemp("voices") / "tiny")


def say(folder: Path, text: str, params: Params = PLAIN, operation: str = "pipeline") -> Output:
    return family.open(folder, tiny.start, params).prepare(operation, text)()


def ids(folder: Path, text: str, params: Params = PLAIN) -> list[list[int]]:
    found = family.feeds(folder, tiny.start, params, [text])
    return [feeds["input"][0].tolist() for role, feeds in found if role == "acoustic"]


def expected(signs: str) -> list[int]:
    """begin, pad, then each sign and a pad, end: rhasspy/piper-phonemize, phoneme_ids.cpp."""
    known = tiny.ids()
    middle = [number for sign in signs for number in (*known[sign], 0)]
    return [1, 0, *middle, 2]


# ------------------------------------------------------------------------------ text to samples
def test_a_sentence_is_its_phonemes_between_pads(folder: Path) -> None:
    assert ids(folder, "Hello, world!") == [expected("həlˈoʊ, wˈɜːld!")]


def test_each_sentence_is_a_run_of_its_own(folder: Path) -> None:
    # "Yes: it is." is one sentence of two clauses
    assert ids(folder, "No. Yes: it is.") == [expected("nˈoʊ."), expected("jˈɛs: ɪɾ ˈɪz.")]


def test_the_samples_are_the_runs_one_after_the_other(folder: Path) -> None:
    output = say(folder, "No. Yes.")
    both = [*expected("nˈoʊ."), *expected("jˈɛs.")]
    assert output.audio is not None
    assert output.audio == pytest.approx(np.array(both) / 100)
    assert (output.audio.dtype, output.audio.ndim) == (np.float32, 1)
    assert output.sample_rate == 16_000  # the voice's own, not the family's
    assert output.figures["pieces"] == 2
    assert output.figures["phonemes"] == len("nˈoʊ." + "jˈɛs.")
    assert output.figures["first_audio_seconds"] > 0


def test_first_audio_is_there_before_the_rest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    where = "harness.plugins.families._synthesis.time.perf_counter"
    monkeypatch.setattr(where, lambda: next(clock))
    assert say(folder, "No. Yes. No.").figures["first_audio_seconds"] == 1


def test_the_operations_split_the_pipeline(folder: Path) -> None:
    whole = say(folder, "Yes.")
    acoustic = say(folder, "Yes.", operation="acoustic")
    phonemes = say(folder, "Yes.", operation="phonemes")
    assert whole.audio is not None
    assert acoustic.audio is not None
    assert np.array_equal(whole.audio, acoustic.audio)
    assert phonemes.audio is None
    assert family.operations == ("pipeline", "phonemes", "acoustic")


@pytest.mark.parametrize(
    ("params", "factor", "shift"),
    [
        (Params(), 1.5, 0.0),  # the tempo is the voice's own, noise is off
        (Params(length_scale=2.0), 2.0, 0.0),
        (Params(length_scale=1.0, noise_scale=0.25, noise_w=0.5), 1.0, 0.75),
    ],
)
def test_scales_reach_the_graph(folder: Path, params: Params, factor: float, shift: float) -> None:
    audio = say(folder, "No.", params).audio
    assert audio == pytest.approx(np.array(expected("nˈoʊ.")) / 100 * factor + shift)


def test_phonemes_of_another_language_can_be_sent_through_the_voice(folder: Path) -> None:
    (english,) = ids(folder, "chico")
    (spanish,) = ids(folder, "chico", Params(language="es"))
    assert spanish == expected("tʃˈiko")
    assert english != spanish


def test_signs_without_an_id_are_left_out_and_counted(folder: Path) -> None:
    # of French bon (bˈɔ̃) the tiny voice lacks the tilde, which NFD makes a sign of its own
    output = say(folder, "bon", Params(language="fr"))
    assert output.figures["unknown_phonemes"] == 1
    assert ids(folder, "bon", Params(language="fr")) == [expected("bˈɔ")]


def test_an_ellipsis_ends_no_sentence_and_a_dash_is_a_semicolon() -> None:
    clauses = [
        Clause("a", "...", False),
        Clause("b", "—", False),
        Clause("c", "?!", True),
        Clause("ç", "", True),
    ]
    assert piper_model.sentences(clauses) == ["a b; c?", "c\u0327"]


def test_letters_are_the_phonemes_of_a_voice_of_type_text(tmp_path: Path) -> None:
    folder = tiny.piper(tmp_path / "text", phoneme_type="text")
    assert ids(folder, "no es") == [expected("no es")]


@pytest.mark.parametrize(("speaker", "shift"), [("", 0), ("ana", 0), ("bo", 1), ("1", 1)])
def test_a_speaker_is_chosen_by_name_or_number(tmp_path: Path, speaker: str, shift: int) -> None:
    folder = tiny.piper(tmp_path / "two", speakers=2)
    audio = say(folder, "No.", Params(length_scale=1, speaker=speaker)).audio
    assert audio == pytest.approx(np.array(expected("nˈoʊ.")) / 100 + shift)


@pytest.mark.parametrize("text", ["", "  ", "...", "¿?", "—"])
@pytest.mark.parametrize("operation", family.operations)
def test_a_text_without_a_sound_is_a_text_error(folder: Path, text: str, operation: str) -> None:
    with pytest.raises(TextError, match=r"^nothing to say"):
        family.open(folder, tiny.start, PLAIN).prepare(operation, text)


def test_a_text_of_which_the_voice_knows_no_sign_is_a_text_error(tmp_path: Path) -> None:
    folder = tiny.piper(tmp_path / "x", phoneme_id_map={"_": [0], "^": [1], "$": [2]})
    with pytest.raises(TextError, match="the voice has no such sounds"):
        say(folder, "Hello.")


def test_samples_that_are_not_numbers_are_an_output_error(folder: Path, tmp_path: Path) -> None:
    broken = spoilt(folder, tmp_path / "nan", weight=np.nan)
    with pytest.raises(OutputError, match="not numbers"):
        say(broken, "Hello.")


# --------------------------------------------------------------------------------- what may be odd
def spoilt(folder: Path, copy: Path, weight: float) -> Path:
    copy.mkdir()
    model = onnx.load(folder / "tiny.onnx")
    (kernel,) = (t for t in model.graph.initializer if t.name == "kernel")
    kernel.CopyFrom(numpy_helper.from_array(np.full((1, 1, 1), weight, np.float32), "kernel"))
    onnx.save(model, copy / "tiny.onnx")
    (copy / "tiny.onnx.json").write_bytes((folder / "tiny.onnx.json").read_bytes())
    return copy


def change(**values: Any) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "tiny.onnx.json"
        found = json.loads(path.read_text(encoding="utf-8")) | values
        path.write_text(json.dumps(found), encoding="utf-8")

    return apply


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no graph": (lambda f: (f / "tiny.onnx").unlink(), "needs one .onnx file and has none"),
    "two graphs": (
        lambda f: (f / "other.onnx").write_bytes(b""),
        "holds several models",
    ),
    "no JSON": (lambda f: (f / "tiny.onnx.json").unlink(), "tiny.onnx.json is missing"),
    "half a JSON": (lambda f: (f / "tiny.onnx.json").write_text("{"), "is not JSON"),
    "a list": (lambda f: (f / "tiny.onnx.json").write_text("[]"), "must hold a JSON object"),
    "no rate": (change(audio={}), "KeyError 'sample_rate'"),
    "rate 0": (change(audio={"sample_rate": 0}), "must be positive"),
    "no pad": (change(phoneme_id_map={"^": [1], "$": [2]}), "phoneme_id_map has no _"),
    "other phonemes": (change(phoneme_type="pinyin"), "'pinyin' are not supported"),
    "speakers": (change(num_speakers=2), "instead of input, input_lengths, scales, sid"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wrong_folder_is_one_line(tmp_path: Path, name: str) -> None:
    spoil, message = FOLDERS[name]
    folder = tiny.piper(tmp_path / "voice")
    spoil(folder)
    for use in (family.graphs, lambda f: family.open(f, tiny.start, PLAIN)):
        with pytest.raises(ModelError, match=message) as found:
            use(folder)
        assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (Params(language="es-49"), "no 'es-49'. Did you mean 'es-419'?"),
        (Params(speaker="cy"), "no 'cy'. There is: 0."),
    ],
)
def test_a_parameter_that_the_voice_lacks_names_what_there_is(
    folder: Path, params: Params, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        family.open(folder, tiny.start, params)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"noise_scale": -1}, "noise_scale must be from 0 to 2, not -1"),
        ({"noise_w": 3}, "noise_w must be from 0 to 2, not 3"),
        ({"length_scale": 0}, "length_scale must be from 0.1 to 10, not 0"),
    ],
)
def test_parameters_have_bounds(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Params).validate_python(values)


# ------------------------------------------------------------------------------- to an INT8 voice
def method(*op_types: str) -> tuple[Use, Any]:
    found = plugins.load("quantize", "dynamic_int8")
    return Use("dynamic_int8", found.Params(op_types=op_types)), found


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
def test_a_voice_is_built_and_its_convolutions_quantized(tmp_path: Path) -> None:
    source = tiny.piper(tmp_path / "source")
    (source / "MODEL_CARD").write_text("a voice")
    baseline = variants.build_baseline(family, source, "x", "piper")
    assert set(baseline.record["files"]) == {"tiny.onnx", "tiny.onnx.json"}
    try:
        int8 = variants.quantize(family, baseline, method("Conv", "MatMul"))
    except QuantizeError as error:
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        pytest.skip("this onnxruntime has no ConvInteger of signed weights, and the line says so")
    assert int8.record["operators"] == {"acoustic": {"Conv": 1}}
    before, after = (say(f, "No.").audio for f in (baseline.folder, int8.folder))
    assert after == pytest.approx(before, abs=0.02)  # 8 bits of a range of 0.5
    assert not np.array_equal(before, after)


@pytest.mark.usefixtures("cache")
def test_an_int8_voice_in_which_nothing_was_quantized_says_so(tmp_path: Path) -> None:
    baseline = variants.build_baseline(family, tiny.piper(tmp_path / "s"), "x", "piper")
    with pytest.raises(QuantizeError, match="nothing was quantized: asked for MatMul"):
        variants.quantize(family, baseline, method("MatMul"))


# --------------------------------------------------------------------------------- the real voice
@pytest.fixture(scope="module")
def joe() -> variants.VariantFolder:
    from harness import assets

    source, fingerprint = assets.resolve({"asset": "piper-en-us-joe"}, Path)
    return variants.build_baseline(family, source, fingerprint, "piper")


@pytest.mark.model
def test_the_real_voice_says_the_same_each_time(joe: variants.VariantFolder) -> None:
    model = family.open(joe.folder, tiny.start, Params())
    first = model.prepare("pipeline", "Good morning.")()
    again = model.prepare("pipeline", "Good morning.")()
    assert first.audio is not None
    assert again.audio is not None
    assert np.array_equal(first.audio, again.audio)
    assert first.sample_rate == 22_050
    assert 0.5 < len(first.audio) / 22_050 < 2  # two words at 2 to 5 a second
    assert first.figures["unknown_phonemes"] == 0


@pytest.mark.model
def test_the_real_voice_is_understood(joe: variants.VariantFolder, whisper_fp32: Path) -> None:
    from scipy import signal

    whisper = plugins.load("families", "whisper")
    text = "The old clock in the hall has stopped again."
    said = family.open(joe.folder, tiny.start, Params()).prepare("pipeline", text)()
    assert said.audio is not None
    samples = signal.resample_poly(said.audio, 320, 441).astype(np.float32)  # to 16 kHz
    recogniser = whisper.open(whisper_fp32, tiny.start, whisper.Params(language="en"))
    heard = recogniser.prepare("pipeline", samples)().text
    # WER of this voice through this recogniser is a few per cent: one word of nine at most
    assert jiwer.wer(text.lower(), heard.lower()) <= 1 / 9


@pytest.mark.model
def test_nothing_of_the_real_voice_is_a_matmul_with_weights(joe: variants.VariantFolder) -> None:
    """Asked for MatMul only, onnxruntime's quantizer writes 63 MB again and says nothing."""
    with pytest.raises(HarnessError, match="nothing was quantized: asked for MatMul"):
        variants.quantize(family, joe, method("MatMul"))


def test_the_voice_file_is_read_as_it_is(folder: Path) -> None:
    found = voices.read(folder / "tiny.onnx")
    assert (found.sample_rate, found.language, found.length_scale) == (16_000, "en-us", 1.5)
