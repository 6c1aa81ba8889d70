"""onnx-asr's models with our sessions: tiny ones of each type, and Whisper base in its layout."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import onnx_asr_tiny as tiny
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from harness.errors import AudioError, ExtraError, ModelError, OutputError, SpecError
from harness.plugins import load
from harness.plugins.families.onnx_asr import Params, family, layouts, sessions
from harness.plugins.families.onnx_asr.params import NAMES, TYPES
from harness.runtime.session import SessionConfig, open_session

pytest.importorskip("onnx_asr")

RATE = 16_000
ONE_THREAD = SessionConfig(
    "one", (("intra_op_num_threads", 1), ("session.intra_op.allow_spinning", "0"))
)
start = partial(open_session, config=SessionConfig("default"))
CLIP = np.random.default_rng(3).normal(0, 0.1, 2 * RATE).astype(np.float32)
SURE = tiny.SURE - math.log(math.exp(tiny.SURE) + 3)  # log-softmax of 10 beside three zeros

MADE: dict[str, tuple[Callable[..., None], Params, list[str]]] = {
    "ctc": (tiny.ctc, Params("nemo-conformer-ctc"), ["model"]),
    "gigaam": (tiny.gigaam_ctc, Params("gigaam-v2-ctc"), ["model"]),
    "rnnt": (tiny.transducer, Params(), ["encoder", "decoder_joint"]),
    "tdt": (partial(tiny.transducer, durations=3), Params(), ["encoder", "decoder_joint"]),
    "vosk": (tiny.kaldi, Params("vosk"), ["encoder", "decoder", "joiner"]),
    "canary": (tiny.canary, Params(), ["encoder", "decoder"]),
}


@pytest.fixture(params=list(MADE))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path, Params]:
    build, params, _ = MADE[request.param]
    (tmp_path / "source").mkdir()
    build(tmp_path / "source")
    return request.param, tmp_path / "source", params


# ------------------------------------------------------------------------------ what it recognises
def test_every_type_says_what_its_graphs_hold(made: tuple[str, Path, Params]) -> None:
    kind, folder, params = made
    said = family.open(folder, start, params).prepare("pipeline", CLIP)()
    assert said.text == "hola mundo"
    # CTC has no decoder; Canary's is run for the end token too; each other emits three tokens
    steps = {"ctc": math.nan, "gigaam": math.nan, "canary": 4.0}.get(kind, 3.0)
    assert str(said.tokens) == str(steps)
    assert said.notes == ""


def test_the_first_graphs_output_is_compared_frame_by_frame(
    made: tuple[str, Path, Params],
) -> None:
    kind, folder, params = made
    (offered,) = family.outputs(folder, params)
    model = family.open(folder, start, params)
    (role, feed), *_ = model.feeds(CLIP)
    session = start(family.graphs(folder)[role])
    (raw, *_) = session.run(None, feed)
    ((name, piece),) = model.outputs(CLIP, [offered.name], {})
    assert (name, offered.logits) == (("logits", True) if role == "model" else ("encoder", False))
    # NeMo's transducers and those of GigaAM have a frame a column
    expected = raw.transpose(0, 2, 1) if kind in ("rnnt", "tdt") else raw
    np.testing.assert_array_equal(piece, expected)
    assert model.prepare("pipeline", CLIP)().text == "hola mundo"  # and it goes on as before


def test_confidence_is_the_mean_log_probability_of_the_tokens(tmp_path: Path) -> None:
    tiny.kaldi(tmp_path)
    said = family.open(tmp_path, start, Params("vosk")).prepare("pipeline", CLIP)()
    assert said.figures["confidence"] == pytest.approx(SURE, abs=1e-4)
    tiny.ctc(tmp_path)
    shutil.rmtree(tmp_path / "am-onnx")
    said = family.open(tmp_path, start, Params("nemo-conformer-ctc")).prepare("pipeline", CLIP)()
    # onnx-asr adds up a CTC token's frames: hola lasts two, mun one, do two
    assert said.figures["confidence"] == pytest.approx(SURE * 5 / 3, abs=1e-4)


def test_a_model_of_8_khz_gets_its_rate_and_no_session_of_a_resampler(tmp_path: Path) -> None:
    tiny.t_one(tmp_path)
    # 16,000 samples at 8 kHz are 7 chunks, one more is added at the end: a word in each
    said = family.open(tmp_path, start, Params()).prepare("pipeline", CLIP)()
    assert said.text == " ".join(["hola"] * 8)


# --------------------------------------------------------------------------------- our own sessions
def test_our_options_and_provider_reach_every_session(made: tuple[str, Path, Params]) -> None:
    kind, folder, params = made
    opened: list[tuple[Path, ort.InferenceSession]] = []

    def watched(path: Path) -> ort.InferenceSession:
        opened.append((path, open_session(path, ONE_THREAD)))
        return opened[-1][1]

    family.open(folder, watched, params).prepare("pipeline", CLIP)()
    assert [path for path, _ in opened] == list(family.graphs(folder).values())
    assert list(family.graphs(folder)) == MADE[kind][2]
    for _, session in opened:
        options = session.get_session_options()
        assert options.intra_op_num_threads == 1
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
        assert session.get_providers() == ["CPUExecutionProvider"]


def test_every_run_goes_through_the_sessions_we_opened(made: tuple[str, Path, Params]) -> None:
    _, folder, params = made
    model: Any = family.open(folder, start, params)
    model.prepare("pipeline", CLIP)()
    assert all(isinstance(s, sessions.CountedSession) and s.runs for s in model._sessions.values())


def test_onnx_asr_opens_its_own_sessions_again_afterwards(tmp_path: Path) -> None:
    import onnx_asr

    tiny.ctc(tmp_path)
    with pytest.raises(ModelError, match="not here"):
        family.open(tmp_path, _refuse, Params("nemo-conformer-ctc"))
    theirs: Any = onnx_asr.load_model("nemo-conformer-ctc", tmp_path)
    assert type(theirs.asr._model) is ort.InferenceSession
    assert theirs.recognize(CLIP) == "hola mundo"


def _refuse(path: Path) -> ort.InferenceSession:
    raise ModelError("not here")


def test_an_onnx_asr_that_opens_sessions_in_another_way_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnx_asr.models import nemo

    class Direct:
        InferenceSession = ort.InferenceSession

    tiny.ctc(tmp_path)
    monkeypatch.setattr(sessions, "Runtime", lambda _module, _make: Direct)
    with pytest.raises(ExtraError, match="opened no graph through the harness"):
        family.open(tmp_path, start, Params("nemo-conformer-ctc"))
    assert nemo.rt is ort


@pytest.mark.parametrize(
    ("release", "told"), [("0.11.0", "0.11.0 is installed"), (None, r"harness\[onnx-asr\]")]
)
def test_a_missing_or_other_release_is_one_line(
    release: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if release is None:
            raise metadata.PackageNotFoundError(name)
        return release

    monkeypatch.setattr(layouts.metadata, "version", version)
    with pytest.raises(ExtraError, match=told):
        family.graphs(tmp_path)


# ------------------------------------------------------------------------- quantized by our methods
def test_our_quantizers_work_on_its_graphs(made: tuple[str, Path, Params]) -> None:
    kind, folder, params = made
    method, target = load("quantize", "dynamic_int8"), folder.parent / "int8"
    shutil.copytree(folder, target)
    count = 0
    for path in family.graphs(folder).values():
        done = method.apply(method.Params(), path, target / path.relative_to(folder), ())
        count += done.operators.get("MatMul", 0)  # Vosk's decoder is a table
    assert count == {"rnnt": 2, "tdt": 2, "vosk": 2, "canary": 2}.get(kind, 1)
    assert family.open(target, start, params).prepare("pipeline", CLIP)().text == "hola mundo"


def test_calibration_gets_the_inputs_of_every_run(made: tuple[str, Path, Params]) -> None:
    kind, folder, params = made
    plain = {role: start(path) for role, path in family.graphs(folder).items()}
    found: dict[str, int] = {}
    for role, given in family.feeds(folder, start, params, [CLIP[:RATE]]):
        plain[role].run(None, dict(given))  # names, types and shapes are those of the graph
        found[role] = found.get(role, 0) + 1
    # 1 s is 100 hops of 10 ms; NeMo has 101 frames, each 8th of which is run: 13; Kaldi 100, each
    # 4th: 25 joins, and a decoder run per new pair of tokens; Canary stops at the end token
    frames = {"encoder": 1, "decoder_joint": 13}
    assert found == {
        "rnnt": frames, "tdt": frames, "canary": {"encoder": 1, "decoder": 4},
        "vosk": {"encoder": 1, "decoder": 4, "joiner": 25},
    }.get(kind, {"model": 1})  # fmt: skip


# ----------------------------------------------------------------------------- which files it needs
def test_the_built_folder_holds_what_the_model_needs_and_no_more(
    made: tuple[str, Path, Params], tmp_path: Path
) -> None:
    _, folder, params = made
    for name in ("README.md", "weights.bin"):
        (folder / name).write_text("of no use", encoding="utf-8")
    target = tmp_path / "built"
    target.mkdir()
    family.build(folder, target)
    assert not any((target / name).exists() for name in ("README.md", "weights.bin"))
    assert family.open(target, start, params).prepare("pipeline", CLIP)().text == "hola mundo"


def test_weights_beside_a_graph_come_along(tmp_path: Path) -> None:
    tiny.ctc(tmp_path / "plain")
    (tmp_path / "source").mkdir()
    whole = onnx.load(tmp_path / "plain" / "model.onnx")
    onnx.save(whole, tmp_path / "source" / "model.onnx", save_as_external_data=True,
              location="model.onnx.data", size_threshold=999)  # fmt: skip
    tiny.vocabulary(tmp_path / "source" / "vocab.txt")
    (tmp_path / "built").mkdir()
    family.build(tmp_path / "source", tmp_path / "built")
    model = family.open(tmp_path / "built", start, Params("nemo-conformer-ctc"))
    assert model.prepare("pipeline", CLIP)().text == "hola mundo"
    (tmp_path / "source" / "model.onnx.data").unlink()
    with pytest.raises(ModelError, match=r"external data is missing: no 'model\.onnx\.data'"):
        family.build(tmp_path / "source", tmp_path / "again")


def test_which_of_plain_and_quantized_graphs_side_by_side_is_never_guessed(tmp_path: Path) -> None:
    tiny.ctc(tmp_path)
    assert family.graphs(tmp_path) == {"model": tmp_path / "model.onnx"}
    tiny.ctc(tmp_path, ending=".int8")
    with pytest.raises(ModelError, match="holds several models"):
        family.graphs(tmp_path)
    (tmp_path / "model.onnx").unlink()
    assert family.graphs(tmp_path) == {"model": tmp_path / "model.int8.onnx"}
    model = family.open(tmp_path, start, Params("nemo-conformer-ctc"))
    assert model.prepare("pipeline", CLIP)().text == "hola mundo"
    tiny.ctc(tmp_path, ending=".uint8")
    with pytest.raises(ModelError, match="holds several models"):
        family.graphs(tmp_path)


def test_two_models_in_one_folder_are_refused(tmp_path: Path) -> None:
    tiny.ctc(tmp_path)
    tiny.gigaam_ctc(tmp_path)
    with pytest.raises(ModelError, match=r"several models \(model.onnx; v2_ctc.onnx\)"):
        family.graphs(tmp_path)


def test_files_that_fit_several_types_need_a_word(tmp_path: Path) -> None:
    tiny.transducer(tmp_path)
    (tmp_path / "config.json").unlink()
    assert list(family.graphs(tmp_path)) == ["encoder", "decoder_joint"]
    with pytest.raises(ModelError, match="model: nemo-conformer-rnnt or nemo-conformer-tdt"):
        family.open(tmp_path, start, Params())


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda f: (f / "vocab.txt").unlink(), "holds no model that onnx-asr opens"),
        (lambda f: (f / "encoder-model.onnx").write_bytes(b"no"), "encoder-model.onnx"),
        (lambda f: (f / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json must hold a JSON object"),
        (lambda f: shutil.rmtree(f), "holds no model that onnx-asr opens"),
        (lambda f: tiny.config(f, model_type="nemo-conformer-ctc"), "no complete set of graphs"),
    ],
)
def test_a_folder_that_does_not_fit_is_one_line(
    break_it: Callable[[Path], Any], told: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    tiny.transducer(folder)
    break_it(folder)
    with pytest.raises(ModelError, match=told) as caught:
        family.open(folder, start, Params())
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_opened_as_another_type_is_one_line(tmp_path: Path) -> None:
    tiny.ctc(tmp_path)
    with pytest.raises(ModelError, match="cannot open this folder as vosk: File"):
        family.open(tmp_path, start, Params("vosk"))
    (tmp_path / "vocab.txt").write_text("one two three\n", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot open this folder as nemo-conformer-ctc: ValueErr"):
        family.open(tmp_path, start, Params("nemo-conformer-ctc"))


def test_the_names_are_those_of_the_installed_onnx_asr() -> None:
    from onnx_asr import loader

    assert set(TYPES) == set(get_args(loader.AsrTypeNames))
    # a name with an owner is a repository: here a folder is opened
    assert set(NAMES) == {name for name in get_args(loader.AsrNames) if "/" not in name}


def test_a_wrong_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'nemo-conformer-tdt'"):
        Params(model="nemo-conformer-tdd")


# ---------------------------------------------------------------------------------- what goes wrong
@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.float32), np.zeros((2, 9), np.float32), np.full(RATE, np.nan, np.float32)],
)
def test_samples_that_are_no_audio_are_refused(samples: np.ndarray, tmp_path: Path) -> None:
    tiny.ctc(tmp_path)
    model = family.open(tmp_path, start, Params("nemo-conformer-ctc"))
    with pytest.raises(AudioError):
        model.prepare("pipeline", samples)


def test_scores_that_are_no_numbers_become_an_error(tmp_path: Path) -> None:
    tiny.ctc(tmp_path)
    broken = onnx.load(tmp_path / "model.onnx")
    weight = next(w for w in broken.graph.initializer if w.name == "w")
    nan = np.full_like(numpy_helper.to_array(weight), np.nan)
    weight.CopyFrom(numpy_helper.from_array(nan, "w"))
    onnx.save(broken, tmp_path / "model.onnx")
    call = family.open(tmp_path, start, Params("nemo-conformer-ctc")).prepare("pipeline", CLIP)
    with pytest.raises(OutputError, match="the model gave what is not a number"):
        call()


def test_a_decoder_that_never_ends_is_noted(tmp_path: Path) -> None:
    tiny.canary(tmp_path, said=(tiny.HOLA,) * 50)
    said = family.open(tmp_path, start, Params()).prepare("pipeline", CLIP)()
    # max_sequence_length 20, less the prompt of 10
    assert said.text == " ".join(["hola"] * 10)
    assert said.notes == "budget_spent tokens=10"


def test_an_unknown_language_is_told_when_the_model_opens(tmp_path: Path) -> None:
    tiny.canary(tmp_path)
    with pytest.raises(SpecError, match="no 'xx'"):
        family.open(tmp_path, start, Params(language="xx"))


# ------------------------------------------------------------------------------ Whisper base itself
@pytest.fixture(scope="module")
def whisper_export(whisper_source: Path) -> Path:
    """Whisper base in the layout of the usual export, with onnx-asr's vocabulary."""
    import material

    return Path(material.export().folder)


@pytest.mark.model
def test_whisper_base_says_what_onnx_asr_says_by_itself(whisper_export: Path) -> None:
    import material
    import onnx_asr

    clip = material.clips(1)[0]
    model: Any = family.open(whisper_export, start, Params())  # its config.json tells no type
    theirs = onnx_asr.load_model("whisper", whisper_export, providers=["CPUExecutionProvider"])
    said = model.prepare("pipeline", clip.samples)()
    assert said.text == theirs.recognize(clip.samples, language="es").strip()
    assert len(said.text) > 10
    given = list(model.feeds(clip.samples))
    assert [role for role, _ in given] == ["encoder", *["decoder"] * int(said.tokens)]
    assert given[0][1]["input_features"].shape == (1, 80, 3000)
    assert [feeds["input_ids"].shape for _, feeds in given[1:3]] == [(1, 4), (1, 1)]
    assert [feeds["use_cache_branch"].tolist() for _, feeds in given[1:3]] == [[False], [True]]
    with pytest.raises(AudioError, match="hears the first 30 s only"):
        model.prepare("pipeline", np.zeros(31 * RATE, np.float32))


@pytest.mark.model
def test_a_language_that_whisper_lacks_is_told_when_it_opens(whisper_export: Path) -> None:
    with pytest.raises(SpecError, match="no 'xx'"):
        family.open(whisper_export, start, Params(language="xx"))
