"""A model that nobody knows, told in YAML: what its inputs are fed, against numpy, and each fault
of an experiment as the one line that says what to write."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import own_graphs as own
import pytest
from own_graphs import VOCABULARY, WIDTH

from harness import plugins, spec
from harness.app import cli
from harness.errors import AudioError, HarnessError, ModelError, OutputError
from harness.plugins.families import whisper
from harness.plugins.families.graph import Ctc, Input, Params, Part, family, files
from harness.plugins.families.graph.arithmetic import ExpressionError, parse
from harness.plugins.families.graph.model import OpenGraphs
from harness.runtime.session import SessionConfig, open_session
from harness.runtime.session.refusals import plainly

RATE = 16_000
CLIP = np.random.default_rng(1).normal(size=RATE).astype(np.float32) / 10
PLAIN = SessionConfig("plain")

Made = onnx.ModelProto
NOTHING = Params()


def opened(folder: Path, made: Made | None, params: Params = NOTHING) -> OpenGraphs:
    if made is not None:
        own.saved(made, folder)
    return OpenGraphs(folder, lambda path: open_session(path, PLAIN), params)


def given(model: OpenGraphs, name: str, samples: np.ndarray = CLIP) -> list[np.ndarray]:
    """The pieces of an output."""
    return [piece for _, piece in model.outputs(samples, [name], {})]


# ------------------------------------------------------------------------------------- arithmetic
NAMES = {"seconds": Fraction(11, 10), "samples": Fraction(17_600), "n": Fraction(3)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("-n + 10 - 2", 5),
        ("samples // 160 + 1", 111),
        ("samples % 1000", 600),
        ("ceil(seconds * 100)", 110),  # 1.1 * 100 is 110.00000000000001 of floats
        ("floor(7 / 2)", 3),
        ("round(5 / 2)", 3),
        ("min(n, 2, 9)", 2),
        ("max(1500, ceil(seconds * 100))", 1500),
        ("0.5", Fraction(1, 2)),
        ("--n", 3),
        ("7 - 2 - 1", 4),
        ("8 / 2 / 2", 2),
    ],
)
def test_an_expression_has_the_value_of_exact_arithmetic(text: str, value: int | Fraction) -> None:
    assert parse(text)(NAMES) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "a.b", "9**9**9", "2 ** 2", "lambda: 1", "[1]", "n[0]", "'a'", "1 if n",
        "open(n)", "eval(n)", "n = 2", "", "(", "1 +", "1 2", "ceil()", "ceil(1, 2)", "min(1)",
        "1e9", "0x10", "n; n", "9" * 16, "1+" * 150 + "1", "(" * 40 + "1" + ")" * 40, "٣ + 1", "n!",
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 / (n - 3)", "divides by zero"),
        ("n // 0", "divides by zero"),
        ("n % 0", "divides by zero"),
        ("99999999 * 99999999 * 99999999", "beyond"),
        ("m + 1", "'m' has no value"),
    ],
)
def test_an_expression_without_a_value_says_why(text: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(told)):
        parse(text)(NAMES)


def test_a_long_product_ends_at_its_bound_at_once() -> None:
    started = time.perf_counter()
    with pytest.raises(ExpressionError, match="beyond"):
        parse("*".join(["999999999999999"] * 12))({})
    assert time.perf_counter() - started < 5  # a guard against hanging


@pytest.mark.parametrize("text", ["n / 2", "0 - n"])
def test_a_size_is_a_whole_number_from_zero_up(text: str) -> None:
    with pytest.raises(ExpressionError, match="ceil"):
        parse(text).size(NAMES)


# ------------------------------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"dims": {"frames": "ceil(second * 100)"}}, "dims.frames: .* names 'second'.*seconds"),
        ({"dims": {"frames": "__import__('os')"}}, "calls '__import__'"),
        ({"dims": {"n": "9**9**9"}}, r"cannot be read at '\*\*'"),
        ({"dims": {"n": "1 / 0"}}, "divides by zero"),
        ({"dims": {"n": "m", "m": "n"}}, "n, m need each other"),
        ({"dims": {"n": "k + 1", "m": 3}}, "names 'k', unknown"),
        ({"dims": {"samples": 3}}, "a name of ours"),
        ({"dims": {"a b": 3}}, "is no name"),
        ({"inputs": {"x": Input("zeros", shape=("batch", 3))}}, "inputs.x.shape: .*'batch'"),
        ({"state": {"h": "hN"}}, "write `hop:`"),
        ({"context": 64}, "write `hop:`"),
        ({"hop": -1}, "hop must be"),
        ({"sample_rate": 10}, "sample_rate must be"),
        ({"graphs": (Part("a", "x"), Part("a", "y"))}, "two are called 'a'"),
    ],
)
def test_a_wrong_parameter_says_what_is_wrong(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        Params(**wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Input("value"), "from: value needs `value`"),
        (lambda: Input("dim"), "needs `of`"),
        (lambda: Input("dim", of="a.b"), "cannot be read"),
        (lambda: Input("npz"), "needs `file`"),
        (lambda: Input("ids"), "needs `ids`"),
        (lambda: Input("log_mel", mels=5000), "mels must be"),
        (lambda: Input("log_mel", hop=0), "hop from 1"),
        (lambda: Input("samples", shape=("f(1)",)), "calls 'f'"),
        (lambda: Part("pipeline", "x.onnx"), "none of pipeline"),
        (lambda: Part("a-b", "x.onnx"), "letters, digits"),
        (lambda: Ctc(""), "vocabulary is empty"),
    ],
)
def test_a_wrong_part_of_them_too(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


# ------------------------------------------------------------------------------------- features
@pytest.mark.parametrize("seconds", [0.3, 1.0, 4.7])
@pytest.mark.parametrize("mels", [80, 128])
def test_the_log_mel_is_that_of_whisper(seconds: float, mels: int) -> None:
    """Against the family `whisper`, whose features are held against openai's in its own test."""
    from harness.plugins.families.graph.features import log_mel
    from harness.plugins.families.whisper import features as theirs

    samples = np.random.default_rng(2).normal(size=int(seconds * RATE)).astype(np.float32) / 20
    frames = -(-samples.size // 160)
    mine = log_mel(samples, Input("log_mel", mels=mels), frames, RATE)
    samples = np.pad(samples, (0, frames * 160 - samples.size))
    np.testing.assert_allclose(mine, theirs.log_mel(samples, mels, frames)[0], atol=1e-4)
    assert whisper.family.sample_rate == RATE


def test_a_clip_is_padded_to_the_frames_that_the_shape_asks_for() -> None:
    from harness.plugins.families.graph.features import log_mel

    how = Input("log_mel", mels=80)
    padded = np.concatenate([CLIP, np.zeros(RATE, np.float32)])
    np.testing.assert_allclose(
        log_mel(CLIP, how, 200, RATE), log_mel(padded, how, 200, RATE), atol=1e-6
    )


SCALES: tuple[Literal["log10", "ln", "db"], ...] = ("log10", "ln", "db")


def test_other_scales_are_their_formulas() -> None:
    """Of one frame of a known power: 10 log10 is db, ln is log10 times ln 10."""
    from harness.plugins.families.graph.features import log_mel

    found = {
        scale: log_mel(CLIP, Input("log_mel", mels=40, window=512, scale=scale), 100, RATE)
        for scale in SCALES
    }
    np.testing.assert_allclose(found["db"], 10 * found["log10"], rtol=1e-5)
    np.testing.assert_allclose(found["ln"], np.log(10) * found["log10"], rtol=1e-4, atol=1e-4)
    each = log_mel(CLIP, Input("log_mel", mels=40, scale="ln", per_bin=True), 100, RATE)
    np.testing.assert_allclose(each.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(each.std(axis=1, ddof=1), 1, atol=1e-2)


# ------------------------------------------------------------------------------------- what is fed
def convolved(features: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(bins, frames) by (out, bins, 3), stride 2, one frame of zeros on both sides."""
    padded = np.pad(features, ((0, 0), (1, 1)))
    at = range(0, padded.shape[1] - 2, 2)
    return np.stack([(padded[:, i : i + 3] * kernel).sum(axis=(1, 2)) for i in at], axis=1)


@pytest.mark.parametrize("mels", [80, 128, 100])
def test_an_encoder_of_log_mel_needs_no_word(tmp_path: Path, mels: int) -> None:
    (found,) = given(opened(tmp_path, own.encoder(mels)), "last_hidden_state")
    from harness.plugins.families.whisper.features import log_mel

    expected = convolved(log_mel(CLIP, mels, 100)[0], own.kernel(mels))
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-4)


def test_half_precision_gets_half_precision(tmp_path: Path) -> None:
    (found,) = given(opened(tmp_path, own.encoder(kind=own.HALF)), "last_hidden_state")
    (whole,) = given(opened(tmp_path / "32", own.encoder()), "last_hidden_state")
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, whole, rtol=0.02, atol=0.02)


STREAM = Params(hop=400, context=100, state={"state": "stateN"})


def test_a_state_goes_from_hop_to_hop(tmp_path: Path) -> None:
    samples = CLIP[:1000]  # three hops, the last half of zeros
    padded = np.concatenate([np.zeros(100), samples, np.zeros(200)]).astype(np.float32)
    state, expected = np.zeros(3), []
    for at in range(3):
        mean = padded[at * 400 : at * 400 + 500].mean()
        expected.append(mean + state.sum())
        state = state / 2 + mean
    pieces = given(opened(tmp_path, own.stateful(), STREAM), "output", samples)
    np.testing.assert_allclose([float(piece[0, 0]) for piece in pieces], expected, rtol=1e-4)


def test_a_chain_feeds_one_graph_with_what_another_gives(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second(), tmp_path, "b.onnx")
    params = Params(
        graphs=(Part("front", "a.onnx"), Part("back", "b.onnx")),
        inputs={"ids": Input("ids", ids=(3, 4))},
    )
    (found,) = given(opened(tmp_path, None, params), "logits")
    weights = np.random.default_rng(7).normal(size=(WIDTH, WIDTH)).astype(np.float32)
    expected = (CLIP.reshape(-1, WIDTH) + 7) @ weights
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-4)
    assert files.comparable(tmp_path, params) == [("logits", True), ("front.hidden", None)]


def test_ids_of_32_bits_and_a_size_as_a_value(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second(ids=own.INT32), tmp_path, "b.onnx")
    params = Params(
        dims={"frames": "samples // 4"},
        graphs=(
            Part("front", "a.onnx"),
            Part("back", "b.onnx", {"ids": Input("dim", of="frames", shape=(1, 2))}),
        ),
    )
    model = opened(tmp_path, None, params)
    fed = dict(model.feeds(CLIP))
    assert fed["back"]["ids"].dtype == np.int32
    assert fed["back"]["ids"].tolist() == [[4000, 4000]]


def test_weights_among_the_inputs_need_not_be_fed(tmp_path: Path) -> None:
    """IR 3, as older exports are."""
    model = opened(tmp_path, own.old_ir(), Params(ctc=Ctc(VOCABULARY)))
    tokens = [2, 0, 3]
    turned = [WIDTH - 1 - token for token in tokens]  # its layer turns the classes round
    assert model.prepare("pipeline", own.spoken(turned))().text == "ab"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([2, 2, 3], "ab"),
        ([2, 0, 2], "aa"),
        ([2, 1, 1, 3, 0], "a b"),
        ([0, 0], ""),
        ([1, 2, 1], "a"),
    ],
)
def test_a_vocabulary_makes_a_recogniser(tmp_path: Path, tokens: list[int], text: str) -> None:
    """Graves et al. (2006), equation (3): repetitions first, then blanks."""
    model = opened(tmp_path, own.ctc(), Params(ctc=Ctc(VOCABULARY)))
    assert model.prepare("pipeline", own.spoken(tokens))().text == text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.json", '{"<pad>": 0, "|": 1, "a": 2, "b": 3}'),
        ("vocab.json", '["<pad>", "|", "a", "b"]'),
        ("tokens.txt", "<blk> 0\n| 1\na 2\nb 3\n"),
        ("tokens.txt", "<blank>\n▁\na\nb\n"),
    ],
)
def test_a_vocabulary_may_be_a_file(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    model = opened(tmp_path, own.ctc(), Params(ctc=Ctc(name)))
    assert model.prepare("pipeline", own.spoken([2, 1, 3]))().text == "a b"


def test_a_blank_behind_the_tokens_is_found(tmp_path: Path) -> None:
    """As NeMo has it: one class more than tokens."""
    model = opened(tmp_path, own.ctc(), Params(ctc=Ctc(("a", "b", "▁c"))))
    assert model.prepare("pipeline", own.spoken([0, 3, 0, 2]))().text == "aa c"


def test_an_array_of_a_file_and_a_value_for_each_place(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second(), tmp_path, "b.onnx")
    np.savez(tmp_path / "voice.npz", speaker=np.array([[5, 6, 7]]), other=np.zeros(2))
    parts = (Part("front", "a.onnx"), Part("back", "b.onnx"))
    ways = {
        "npz": Input("npz", file="voice.npz", key="speaker"),
        "list": Input("value", value=(5, 6, 7), shape=(1, 3)),
        "one": Input("value", value=9, shape=(1, "samples // 8000")),
    }
    fed = {
        key: dict(opened(tmp_path, None, Params(graphs=parts, inputs={"ids": how})).feeds(CLIP))
        for key, how in ways.items()
    }
    assert fed["npz"]["back"]["ids"].tolist() == fed["list"]["back"]["ids"].tolist() == [[5, 6, 7]]
    assert fed["one"]["back"]["ids"].tolist() == [[9, 9]]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Input("samples"), np.concatenate([CLIP, np.zeros(4000, np.float32)])),
        (Input("samples", shorter="repeat"), np.concatenate([CLIP, CLIP[:4000]])),
    ],
)
def test_a_clip_is_made_as_long_as_the_graph_hears(
    tmp_path: Path, how: Input, expected: np.ndarray
) -> None:
    model = opened(tmp_path, own.fixed(20_000), Params(inputs={"input_1": how}))
    (found,) = given(model, "same")
    assert np.array_equal(found[0], expected)


def test_a_longer_clip_is_refused_or_cut_where_the_experiment_says_so(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"lasts 1\.00 s, the graph hears 0\.50 s.*longer: cut"):
        opened(tmp_path, own.fixed(8000)).prepare("pipeline", CLIP)
    params = Params(inputs={"input_1": Input("samples", longer="cut")})
    (found,) = given(opened(tmp_path, None, params), "same")
    assert np.array_equal(found[0], CLIP[:8000])


# ------------------------------------------------------------------------------------- operations
def test_a_chain_and_a_stream_name_what_can_be_timed(tmp_path: Path) -> None:
    def operations(params: Params) -> tuple[str, ...]:
        made = plugins.shaped(family, dataclasses.asdict(params))
        names: tuple[str, ...] = made.operations
        return names

    parts = (Part("front", "a.onnx"), Part("back", "b.onnx"))
    assert operations(Params()) == ("pipeline",)
    assert operations(Params(hop=160)) == ("pipeline", "hop")
    assert operations(Params(graphs=parts)) == ("pipeline", "front", "back")
    assert operations(Params(graphs=parts, hop=160)) == ("pipeline", "front", "back", "hop")
    assert plugins.shaped(family, {"ctc": {"vocabulary": ["a"]}}).gives == ("text",)
    assert plugins.shaped(family, {"family": "graph", "hop": 3}).gives == ()


def test_every_operation_runs(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second(), tmp_path, "b.onnx")
    params = Params(
        graphs=(Part("front", "a.onnx"), Part("back", "b.onnx")),
        inputs={"ids": Input("ids", ids=(3, 4))},
        hop=4000,
    )
    model = opened(tmp_path, None, params)
    for name in ("pipeline", "front", "back", "hop"):
        assert model.prepare(name, CLIP)().text == ""
    assert len(given(model, "logits")) == 4


def test_nan_is_an_error_in_words(tmp_path: Path) -> None:
    model = opened(tmp_path, own.not_a_number())
    with pytest.raises(OutputError, match=r"own\.onnx: the output 'out' is NaN"):
        model.prepare("pipeline", CLIP)()


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 9), np.float32), np.zeros(0, np.float32), np.array([np.nan])]
)
def test_samples_that_are_no_audio_are_refused(tmp_path: Path, samples: np.ndarray) -> None:
    with pytest.raises(AudioError):
        opened(tmp_path, own.fixed(90)).prepare("pipeline", samples)


def test_a_stream_is_calibrated_on_hops_spread_over_the_clip(tmp_path: Path) -> None:
    params = dataclasses.replace(STREAM, hop=100)
    fed = [one for _, one in opened(tmp_path, own.stateful(), params).feeds(CLIP)]
    assert 16 <= len(fed) <= 32
    assert any(one["state"].any() for one in fed)
    assert {name: one.shape for name, one in fed[1].items()} == {
        "input": (1, 200), "state": (1, 3), "sr": (),
    }  # fmt: skip


# ------------------------------------------------------------------------------------- bad input
def with_metadata(made: Made, **told: str) -> Made:
    onnx.helper.set_model_props(made, told)
    return made


def state(how: Input) -> Params:
    return dataclasses.replace(STREAM, inputs={"state": how})


def graph_of(kind: int, shape: own.Shape, name: str = "x") -> Made:
    made = own.fixed(90)
    del made.graph.input[:]
    made.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, shape))
    made.graph.node[0].input[0] = name
    return made


BAD: list[tuple[Made, Params, str]] = [
    (own.second(), Params(), "nothing says what the input 'hidden' .*or 'ids'|write `inputs:"),
    (graph_of(own.FLOAT, ("batch", "past", "x", 4)), Params(inputs={"x": Input("zeros")}),
     r"nothing gives the dimension 'past' a value; write `dims: \{past"),
    (graph_of(own.FLOAT, (1, "")), Params(inputs={"x": Input("zeros")}), "dimension 1 has no name"),
    (graph_of(own.INT64, (1, 80, "t")), Params(inputs={"x": Input("log_mel")}),
     "log_mel are floats, which do not fit"),
    (graph_of(own.INT64, (1, "t")), Params(inputs={"x": Input("samples")}), "samples are floats"),
    (graph_of(own.FLOAT, (1, "t")), Params(inputs={"x": Input("ids", ids=(1,))}), "whole numbers"),
    (graph_of(own.INT64, (1,)), Params(inputs={"x": Input("value", value=0.5)}), "no whole number"),
    (graph_of(8, (1,)), Params(inputs={"x": Input("zeros")}), "only numbers can be fed"),
    (graph_of(own.FLOAT, (1, "a", "b"), "fbank"), Params(), "write `mels: 80`"),
    (graph_of(own.FLOAT, None), Params(inputs={"x": Input("samples")}), "write its `shape`"),
    (graph_of(own.FLOAT, (2, "t")), Params(), "not .2, None.: write its `shape`"),
    (own.fixed(90), Params(inputs={"input_1": Input("samples", shape=(1, "samples"))}),
     "samples is 80000"),
    (own.fixed(90), Params(inputs={"input_1": Input("samples", shape=(90,))}), "1 sizes, not 2"),
    (own.fixed(90), Params(inputs={"input_1": Input("zeros", shape=(1, "seconds / 2"))}), "ceil"),
    (own.encoder(), Params(inputs={"input_feature": Input("log_mel")}), "Did you mean 'input_feat"),
    (own.encoder(), Params(inputs={"input_features": Input("log_mel", mels=100)}), "100, the mel"),
    (own.stateful(), dataclasses.replace(STREAM, state={"stat": "stateN"}), "no input 'stat'"),
    (own.stateful(), dataclasses.replace(STREAM, state={"state": "state_n"}), "output 'state_n'"),
    (own.stateful(), dataclasses.replace(STREAM, state={"state": "output"}), "1 is not 3"),
    (own.stateful(), dataclasses.replace(STREAM, state={"sr": "stateN", "state": "stateN"}),
     "another type"),
    (own.stateful(), state(Input("samples")), "begins with zeros, value or npz"),
    (own.stateful(), state(Input("npz", file="no.npz")), "folder has no 'no.npz'"),
    (own.stateful(), state(Input("npz", file="../x.npz")), "in the model's folder"),
    (with_metadata(own.ctc(), sample_rate="8000"), Params(), "write `sample_rate: 8000`"),
    (own.ctc(), Params(ctc=Ctc("vocab.json")), "folder has no 'vocab.json'"),
    (own.ctc(), Params(ctc=Ctc(VOCABULARY, blank="<b>")), "no token '<b>'"),
    (own.ctc(), Params(ctc=Ctc(VOCABULARY, output="logit")), "Did you mean 'logits'"),
    (own.stateful(), dataclasses.replace(STREAM, ctc=Ctc(VOCABULARY)), "write `output:`"),
    (own.fixed(90), Params(graphs=(Part("a", "b.onnx"),)), "has no 'b.onnx'"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "params", "told"), BAD, ids=[told[:30] for _, _, told in BAD])
def test_what_does_not_fit_is_known_without_a_session(
    tmp_path: Path, made: Made, params: Params, told: str
) -> None:
    own.saved(made, tmp_path)
    with pytest.raises(ModelError, match=told) as caught:
        files.looked_at(tmp_path, params)
    assert "\n" not in str(caught.value)


def test_a_chain_whose_names_do_not_fit_says_what_the_graphs_give(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second("encoder_out"), tmp_path, "b.onnx")
    parts = (Part("front", "a.onnx"), Part("back", "b.onnx"))
    inputs = {"ids": Input("ids", ids=(1,))}
    with pytest.raises(ModelError, match=r"'encoder_out'.*they give hidden.*write `inputs"):
        files.looked_at(tmp_path, Params(graphs=parts, inputs=inputs))
    inputs |= {"encoder_out": Input("output", of="hiden")}
    with pytest.raises(ModelError, match=r"gives 'hiden'\. Did you mean 'hidden'"):
        files.looked_at(tmp_path, Params(graphs=parts, inputs=inputs))
    inputs |= {"encoder_out": Input("output", of="hidden")}
    assert len(files.looked_at(tmp_path, Params(graphs=parts, inputs=inputs))) == 2
    own.saved(own.first(("batch", "frames", 5)), tmp_path, "a.onnx")
    with pytest.raises(ModelError, match="5 is not 4"):
        files.looked_at(tmp_path, Params(graphs=parts, inputs=inputs))


def test_two_graphs_without_a_word_are_refused(tmp_path: Path) -> None:
    own.saved(own.first(), tmp_path, "a.onnx")
    own.saved(own.second(), tmp_path, "b.onnx")
    with pytest.raises(ModelError, match=r"holds 2 graphs .*`graphs:"):
        files.looked_at(tmp_path, Params())


def test_missing_weights_beside_a_graph_are_one_line(tmp_path: Path) -> None:
    made = own.encoder()
    onnx.save(made, tmp_path / "own.onnx", save_as_external_data=True, location="own.data",
              size_threshold=0)  # fmt: skip
    assert files.looked_at(tmp_path, Params())
    (tmp_path / "own.data").unlink()
    with pytest.raises(ModelError, match="external data is missing"):
        files.looked_at(tmp_path, Params())


def test_a_state_that_changes_its_shape_is_told_when_it_is_run(tmp_path: Path) -> None:
    """Open sizes say nothing before."""
    made = own.stateful()
    for value in (made.graph.input[1], made.graph.output[1]):
        value.type.tensor_type.shape.dim[1].ClearField("dim_value")
        value.type.tensor_type.shape.dim[1].dim_param = "width"
    made.graph.node[7].input[1] = "wide"
    made.graph.node.insert(7, onnx.helper.make_node("Concat", ["mean", "mean"], ["wide"], axis=1))
    params = dataclasses.replace(STREAM, dims={"width": 1})
    with pytest.raises(ModelError, match=r"began as \[1, 1\], the output 'stateN' is \[1, 2\]"):
        opened(tmp_path, made, params).prepare("pipeline", CLIP)()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (own.newer(ir=99), r"IR version 99 is newer .*\(\d+ at most\)"),
        (own.newer(opset=99), r"opset 99 of ai.onnx is newer .*\(\d+ at most\)"),
        (own.newer(domain="com.acme"), "no operator com.acme:Fancy: a custom operator needs"),
    ],
)
def test_what_this_onnxruntime_lacks_is_said_in_words(
    tmp_path: Path, made: Made, told: str
) -> None:
    path = own.saved(made, tmp_path)
    with pytest.raises(ModelError, match=told):
        open_session(path, PLAIN)
    assert plainly("anything else") == "anything else"


def test_outputs_of_other_names_or_shapes_cannot_be_compared(tmp_path: Path) -> None:
    start, other = tmp_path / "a", tmp_path / "b"
    own.saved(own.fixed(90), start)
    made = own.fixed(90)
    made.graph.output[0].name = made.graph.node[0].output[0] = "other"
    own.saved(made, other)
    stages = [files.looked_at(folder, Params()) for folder in (start, other)]
    with pytest.raises(ModelError, match=r"gives other, the baseline's own\.onnx gives same"):
        files.alike(*stages)
    made = own.ctc()
    own.saved(made, start)
    made.graph.output[0].type.tensor_type.shape.dim[2].dim_value = WIDTH + 1
    own.saved(made, other)
    stages = [files.looked_at(folder, Params()) for folder in (start, other)]
    with pytest.raises(ModelError, match="cannot be compared"):
        files.alike(*stages)


@pytest.mark.parametrize("given", [{"hop": "a"}, {"dims": 3}, {"inputs": {"x": {"from": "y"}}}])
def test_parameters_that_a_result_invents_are_one_line(given: Mapping[str, Any]) -> None:
    with pytest.raises(HarnessError, match="no parameters of a graph"):
        plugins.shaped(family, given)


# ------------------------------------------------------------------------------------- the YAML
YAML = """name: own
model:
  family: graph
  source: {path: m}
MODEL
variants:
  - {name: fp32}
  - {name: int8, quantize: {use: dynamic_int8, op_types: [MatMul]}}
baseline: fp32
latency: {audio_seconds: [1]}
gates: [{metric: size_mb, max: 10}]
purpose: size
QUALITY
"""
SILENCE = "quality: [{dataset: {use: no_speech}, metrics: [METRIC], name: quiet}]"


def written(folder: Path, model: str = "", quality: str = "") -> Path:
    text = YAML.replace("MODEL", "\n".join(f"  {line}" for line in model.splitlines()))
    path = folder / "own.yaml"
    path.write_text(text.replace("QUALITY", quality), encoding="utf-8")
    return path


def test_the_yaml_says_all_of_it(tmp_path: Path) -> None:
    own.saved(own.stateful(), tmp_path / "m")
    path = written(
        tmp_path,
        "dims: {half: ceil(samples / 2)}\nhop: 512\ncontext: 64\nstate: {state: stateN}\n"
        "inputs: {state: {from: zeros, shape: [1, 3]}, sr: {from: value, value: 16000}}",
    )
    experiment = spec.load(path)
    assert experiment.latency is not None
    assert experiment.latency.operations == ("pipeline", "hop")
    stored = spec.to_json(experiment)
    assert spec.from_json(stored, spec.locator(path)) == experiment


@pytest.mark.parametrize(
    ("model", "quality", "told"),
    [
        ("dims: {n: \"__import__('os')\"}", "", "calls '__import__'"),
        ("dims: {n: 9**9**9}", "", "cannot be read"),
        ("inputs: {x: {from: sample}}", "", "from: should be one of"),
        ("inputs: {x: {form: samples}}", "", "form: is not a known key"),
        ("inputs: {x: {shape: [1]}}", "", "from: is missing"),
        ("hops: 3", "", "Did you mean 'hop'"),
        ("", SILENCE.replace("METRIC", "wer"), "gives arrays; a graph of CTC becomes a recogniser"),
        ("", SILENCE.replace("METRIC", "dnsmos_p808"), "of synthesised speech"),
        (
            "",
            "quality: [{dataset: {use: sentences, path: t.txt}, metrics: [rtf]}]",
            "texts and no audio",
        ),
    ],
)
def test_a_fault_of_the_file_is_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, quality: str, told: str
) -> None:
    own.saved(own.ctc(), tmp_path / "m")
    (tmp_path / "t.txt").write_text("hola\n")
    assert cli.main(["check", str(written(tmp_path, model, quality))]) == 2
    assert told in capsys.readouterr().err


def test_a_data_set_of_sounds_needs_no_transcripts(tmp_path: Path) -> None:
    own.saved(own.ctc(), tmp_path / "m")
    experiment = spec.load(written(tmp_path, "", SILENCE.replace("METRIC", "rtf")))
    assert experiment.quality[0].metrics == ("rtf",)


def test_check_looks_at_the_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.saved(own.stateful(), tmp_path / "m")
    assert cli.main(["check", str(written(tmp_path, "hop: 512"))]) == 2
    assert "nothing says what the input 'state'" in capsys.readouterr().err


def test_a_file_may_stand_for_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else lies beside it is not read."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    own.saved(own.second(), tmp_path, "m")  # no graph of this experiment
    own.saved(own.second(), tmp_path, "other.onnx")
    own.saved(own.stateful(), tmp_path, "one.onnx")
    path = written(tmp_path, "hop: 512\nstate: {state: stateN}")
    text = path.read_text().replace("path: m", "path: one.onnx")
    path.write_text(text)
    assert cli.main(["check", str(path)]) == 0, capsys.readouterr().err
    path.write_text(text.replace("path: one.onnx", "path: one.onnx, files: [voc.txt]"))
    assert cli.main(["check", str(path)]) == 2
    assert "no 'voc.txt' beside one.onnx" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- the page
def shown() -> str:
    """The experiment of docs/your-own-model.md."""
    page = (Path(__file__).parents[1] / "docs" / "your-own-model.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return next(block for block in found if "family: graph" in block)


def placed(folder: Path) -> Path:
    """It with a graph of its kind, and little to measure."""
    own.saved(own.tower(), folder / "models", "audio_encoder.onnx")
    (folder / "data").symlink_to(Path(__file__).parents[1] / "data")
    text = shown().replace("[1, 5, 10]", "[1, 2]").replace("audio_seconds: 5", "audio_seconds: 2")
    path = folder / "encoder.yaml"
    path.write_text(text.replace("limit: 100", "limit: 4") + "budget: {minutes: 0.2}\n")
    return path


def test_the_experiment_of_the_page_feeds_its_graph(tmp_path: Path) -> None:
    params = spec.load(placed(tmp_path)).model.params
    model = opened(tmp_path / "models", None, params)
    ((_, fed),) = model.feeds(CLIP)
    assert fed["input_features"].shape == (1, 128, 100)
    assert fed["feature_lens"].tolist() == [100]
    assert model.prepare("pipeline", CLIP)().text == ""


@pytest.mark.slow
def test_the_experiment_of_the_page_runs_from_yaml_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    assert cli.main(["run", str(placed(tmp_path))]) in (0, 1, 3)
    from harness import load

    result = load(tmp_path / "reports" / "encoder")
    assert set(result.variants["error"]) == {""}
    assert set(result.calls["error"]) == {""}
    nodes = {str(row["variant"]): str(row["operators"]) for _, row in result.variants.iterrows()}
    assert "MatMul" in nodes["int8"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "told"),
    [
        (own.newer(ir=99), "IR version 99 is newer"),
        (own.newer(domain="com.acme"), "no operator com.acme:Fancy"),
    ],
)
def test_a_graph_that_cannot_be_opened_ends_a_run_before_it_measures(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    made: Made,
    told: str,
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    own.saved(made, tmp_path / "m")
    text = written(tmp_path, "inputs: {input_1: {from: samples, longer: cut}}").read_text()
    path = tmp_path / "own.yaml"
    path.write_text(re.sub(r"  - .name: int8.*\n", "", text))
    assert cli.main(["run", str(path)]) == 2
    assert told in capsys.readouterr().err
