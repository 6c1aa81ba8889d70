"""Kokoro: what the graph is given for a text, how long texts are cut, folders of every layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_voice as tiny
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto
from pydantic import TypeAdapter, ValidationError

from harness.contracts import Output
from harness.errors import ModelError, SpecError, TextError
from harness.plugins.families.kokoro import Params, family, files, reading
from harness.run import variants

ALL = files.published_vocabulary()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.kokoro(tmp_path_factory.mktemp("models") / "tiny")


def say(folder: Path, text: str, params: Params | None = None) -> Output:
    return family.open(folder, tiny.start, params or Params()).prepare("pipeline", text)()


def tokens(folder: Path, text: str, params: Params | None = None) -> list[str]:
    """The signs of each run, back from their ids; both ends must be the zero."""
    signs = {number: sign for sign, number in ALL.items()}
    found = []
    for _, feeds in family.feeds(folder, tiny.start, params or Params(), [text]):
        ids = next(feeds[name] for name in files.TOKENS if name in feeds)[0].tolist()
        assert ids[0] == ids[-1] == 0
        found.append("".join(signs[number] for number in ids[1:-1]))
    return found


# --------------------------------------------------------------------------------- text to signs
def test_the_published_vocabulary_is_that_of_the_model() -> None:
    # hexgrad/Kokoro-82M, config.json: 114 signs of 178 ids; a few by hand
    assert len(ALL) == 114
    assert max(ALL.values()) == 177
    by_hand = {";": 1, " ": 16, "A": 24, "W": 39, "a": 43, "z": 68, "ɡ": 92, "ɾ": 125, "ʧ": 133}
    assert by_hand.items() <= ALL.items()
    assert {"ˈ": 156, "ː": 158, "ʝ": 103, "β": 75, "ð": 81}.items() <= ALL.items()


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("Hola, tú: ¿vienes?", "ˈola, tˈu: bjˈenes?"),
        ("La noche.", "la nˈoʧe."),  # one letter for tʃ, as misaki writes it
        ("El rey y el auto.", "el rˈA i el ˈWto."),
        ("Dijo «sí» (y se fue).", "dˈixo “sˈi” (i se fwˈe)."),
        ('Di "no", ya.', 'dˈi "nˈo", ʝˈa.'),
        ("—Ven, “ya”; ven.", "—bˈen, “ʝˈa”; bˈen."),
        ("«Sí».\n\nNo.", "“sˈi”. nˈo."),
        ("Bien… pues —no—.", "bjˈen… pwˈes nˈo—."),
    ],
)
def test_spanish_is_written_as_the_model_was_trained(text: str, signs: str) -> None:
    assert reading.read(text, "es-419", ALL) == (signs, 0)


def test_phonemes_that_the_vocabulary_lacks_are_left_out_and_counted() -> None:
    assert reading.read("Hola.", "es", set(ALL) - {"l"}) == ("ˈoa.", 1)


@pytest.mark.parametrize("text", ["", " ", "...", "«»", "(—)", "¿?"])
def test_a_text_without_a_sound_is_a_text_error(folder: Path, text: str) -> None:
    with pytest.raises(TextError, match=r"^nothing to say"):
        family.open(folder, tiny.start, Params()).prepare("pipeline", text)


# ------------------------------------------------------------------------------- cut to the limit
@pytest.mark.parametrize(
    ("signs", "limit", "by_sentence", "pieces"),
    [
        ("ab cd.", 10, False, ["ab cd."]),
        ("ab, cd. ef", 10, False, ["ab, cd. ef"]),
        ("ab, cd. ef", 7, False, ["ab, cd.", "ef"]),
        ("ab, cd. ef", 6, False, ["ab,", "cd. ef"]),
        ("ab cd ef gh", 5, False, ["ab cd", "ef gh"]),  # no clause fits: words
        ("abcdefgh ij", 3, False, ["abc", "def", "gh", "ij"]),
        ("ab, cd. ef? gh", 99, True, ["ab, cd.", "ef?", "gh"]),
        ("ab... cd", 99, True, ["ab... cd"]),  # an ellipsis ends no sentence
        ("", 5, False, []),
    ],
)
def test_pieces_are_sentences_then_clauses_then_words(
    signs: str, limit: int, by_sentence: bool, pieces: list[str]
) -> None:
    assert reading.cut(signs, limit, by_sentence) == pieces


@given(st.text(alphabet="abc ,.?", max_size=80), st.integers(1, 12), st.booleans())
def test_cutting_loses_no_sign_and_keeps_the_limit(
    signs: str, limit: int, by_sentence: bool
) -> None:
    pieces = reading.cut(" ".join(signs.split()), limit, by_sentence)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert "".join(pieces).replace(" ", "") == signs.replace(" ", "")


def test_a_text_beyond_the_limit_is_said_in_pieces(folder: Path) -> None:
    # the tiny model has styles for 40 signs
    pieces = tokens(folder, "Una casa blanca, una casa verde, una casa azul.")
    assert pieces == ["ˈuna kˈasa βlˈanka, ˈuna kˈasa βˈeɾðe,", "ˈuna kˈasa asˈul."]


def test_sentences_are_said_apart_where_asked(folder: Path) -> None:
    assert tokens(folder, "Sí. No.", Params(pieces="sentences")) == ["sˈi.", "nˈo."]
    assert tokens(folder, "Sí. No.") == ["sˈi. nˈo."]


# ------------------------------------------------------------------------------ signs to samples
@pytest.mark.parametrize(
    ("params", "shift"),
    [(Params(), 0.0), (Params(voice="af_sky"), 5.0), (Params(speed=1.25), 0.25)],
)
def test_style_speed_and_signs_reach_the_graph(folder: Path, params: Params, shift: float) -> None:
    output = say(folder, "Sí.", params)
    ids = [0, *(ALL[sign] for sign in "sˈi."), 0]
    # the style of four signs is the fourth row (hexgrad/kokoro, pipeline.py: pack[len(ps)-1])
    assert output.audio == pytest.approx(np.array(ids) / 1000 + 4 / 100 + shift)
    assert output.sample_rate == 24_000
    assert output.figures["phonemes"] == 4
    assert output.figures["first_audio_seconds"] > 0


# ------------------------------------------------------------------------------------- folders
def test_the_layout_of_the_hub_is_opened_too(tmp_path: Path) -> None:
    """onnx-community: onnx/model.onnx with input_ids, voices/*.bin, tokenizer.json."""
    flat = tiny.kokoro(tmp_path / "flat")
    hub = tiny.kokoro(tmp_path / "hub", tokens="input_ids")
    (hub / "onnx").mkdir()
    (hub / "tiny.onnx").rename(hub / "onnx" / "model.onnx")
    (hub / "voices.npz").unlink()
    (hub / "voices").mkdir()
    tiny.styles(0).tofile(hub / "voices" / "jf_alpha.bin")
    tiny.styles(5).tofile(hub / "voices" / "af_sky.bin")
    (hub / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"$": 0, **ALL}}}), "utf-8")
    (tmp_path / "built").mkdir()
    family.build(hub, tmp_path / "built")
    for params in (Params(), Params(voice="af_sky")):
        expected, found = say(flat, "Hola.", params), say(tmp_path / "built", "Hola.", params)
        assert expected.audio is not None
        assert found.audio is not None
        assert np.array_equal(expected.audio, found.audio)


def test_the_files_of_kokoro_onnx_are_opened(tmp_path: Path, folder: Path) -> None:
    """kokoro-onnx: voices-v1.0.bin is an npz, and there is no vocabulary."""
    source = tiny.kokoro(tmp_path / "source")
    (source / "voices.npz").rename(source / "voices-v1.0.bin")
    (tmp_path / "built").mkdir()
    family.build(source, tmp_path / "built")
    found, expected = say(tmp_path / "built", "Hola."), say(folder, "Hola.")
    assert found.audio is not None
    assert expected.audio is not None
    assert np.array_equal(found.audio, expected.audio)


def one_table(folder: Path) -> None:
    with (folder / "voices.npz").open("wb") as file:
        np.save(file, tiny.styles(0))


def whole_speed(folder: Path) -> None:
    tiny.kokoro(folder, speed=TensorProto.INT32)


def other_graph(folder: Path) -> None:
    model = onnx.load(folder / "tiny.onnx")
    model.graph.input[1].name = "stile"
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = "stile" if name == "style" else name
    onnx.save(model, folder / "tiny.onnx")


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no graph": (lambda f: (f / "tiny.onnx").unlink(), "needs one .onnx file and has none"),
    "no voices": (lambda f: (f / "voices.npz").unlink(), "has no voices"),
    "broken voices": (lambda f: (f / "voices.npz").write_bytes(b"no"), "holds no voices"),
    "one table": (one_table, "holds no voices"),
    "odd table": (
        lambda f: np.savez(f / "voices.npz", jf_alpha=np.zeros((3, 1, 200), np.float32)),
        "must be \\(lengths, 1, 256\\)",
    ),
    "vocabulary": (lambda f: (f / "vocab.json").write_text('{"vocab": [1]}'), "must map signs"),
    "other inputs": (other_graph, "tiny.onnx is no Kokoro model: it takes speed, stile, tokens"),
    "whole speeds": (whole_speed, "takes whole speeds only"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wrong_folder_is_one_line(tmp_path: Path, name: str) -> None:
    spoil, message = FOLDERS[name]
    folder = tiny.kokoro(tmp_path / "model")
    spoil(folder)
    with pytest.raises(ModelError, match=message) as found:
        family.open(folder, tiny.start, Params())
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("name", ["no graph", "no voices", "vocabulary"])
def test_what_is_no_kokoro_is_not_built(tmp_path: Path, name: str) -> None:
    spoil, message = FOLDERS[name]
    source = tiny.kokoro(tmp_path / "model")
    spoil(source)
    (tmp_path / "built").mkdir()
    with pytest.raises(ModelError, match=message):
        family.build(source, tmp_path / "built")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (Params(voice="jf_alfa"), "voice: the model has no 'jf_alfa'. Did you mean 'jf_alpha'?"),
        (Params(language="sp"), "language: eSpeak NG has no 'sp'"),
    ],
)
def test_a_parameter_that_is_not_there_names_what_there_is(
    folder: Path, params: Params, message: str
) -> None:
    with pytest.raises(SpecError) as found:
        family.open(folder, tiny.start, params)
    assert str(found.value).startswith(message)


def test_the_speed_has_bounds() -> None:
    with pytest.raises(ValidationError, match=r"speed must be from 0\.5 to 2, not 3"):
        TypeAdapter(Params).validate_python({"speed": 3})


# ----------------------------------------------------------------------------------- the real one
@pytest.mark.model
def test_the_real_kokoro_says_a_spanish_word() -> None:
    from harness import assets

    source, fingerprint = assets.resolve({"asset": "kokoro-82m-int8"}, Path)
    built = variants.build_baseline(family, source, fingerprint, "kokoro")
    assert files.vocabulary(built.folder) == ALL
    assert built.record["nodes"]["acoustic"]["MatMulInteger"] == 148  # INT8 as it came
    output = say(built.folder, "Hola.")
    assert output.audio is not None
    assert 0.5 < len(output.audio) / 24_000 < 3
    assert 0.05 < float(np.abs(output.audio).max()) <= 1
