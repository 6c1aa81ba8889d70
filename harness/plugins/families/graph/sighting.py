"""What `harness init` writes of any graph: each input with what it is given, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from harness.contracts.sightings import Sighting
from harness.errors import ModelError
from harness.plugins.families.graph import binding, ctc, guessing, shapes
from harness.plugins.families.graph.binding import Bound
from harness.plugins.families.graph.files import ROLE
from harness.plugins.families.graph.params import Ctc, Input, Params
from harness.plugins.families.graph.signatures import FLOATS, GraphSignature, Slot, of_file
from harness.runtime import graph

# what an output is called that is the input X of the next hop
NEXT = (
    "{}N",
    "{}_n",
    "{}_out",
    "{}_next",
    "new_{}",
    "next_{}",
    "out_{}",
    "output_{}",
    "present_{}",
)
VOCABULARIES = ("vocab.json", "vocab.txt", "tokens.txt", "vocabulary.txt", "labels.json")
SCORES = ("logits", "logprobs", "log_probs")
NEMO = Input("log_mel", scale="ln", per_bin=True)  # of an input called audio_signal


@dataclass(frozen=True)
class KnownStream:
    """A published model whose hop its graph does not tell; `sizes` of the input `state`."""

    sizes: tuple[int, int]
    hop: int
    context: int
    what: str


# snakers4/silero-vad, utils_vad.py, OnnxWrapper: 512 samples at 16 kHz after 64 of the hop before
SILERO = KnownStream((2, 128), 512, 64, "Silero VAD")


def sight(path: Path, language: str) -> Sighting | None:
    """A graph, or the only one of a folder; what nothing tells is `lacking`.

    Raises: ModelError for a file that is no graph.
    """
    found = [path] if path.is_file() else sorted(path.rglob("*.onnx"))
    if len(found) != 1 or found[0].suffix != ".onnx":
        return None
    signature = of_file(found[0])
    graph.external_files(found[0])
    try:
        return _sighting(path, found[0], signature)
    except ValueError as error:  # of parameters: what the file says of itself cannot be
        raise ModelError(f"{found[0].name}: {error}.") from error


def _sighting(path: Path, one: Path, signature: GraphSignature) -> Sighting:
    start, stream, lacking = _start(signature)
    reader = _vocabulary(one, signature)
    params = replace(start, ctc=reader)
    if not lacking:
        try:
            (stage,) = binding.bind(params, {ROLE: signature})
        except ModelError as error:
            lacking = f"{error}{_also(signature, params)}"
        else:
            return _told(path, one, params, stage.inputs, stream)
    plain = ", ".join(f"{slot.name}: {slot.plain}" for slot in signature.inputs)
    return Sighting(
        f"a graph that takes {plain}", path, params=_given(params, {}), graphs=(one,),
        lacking=lacking, distance=2,
    )  # fmt: skip


def _also(signature: GraphSignature, params: Params) -> str:
    """The inputs that nothing tells, where they are several."""
    given = {*params.inputs, *params.state}
    todo = [slot for slot in signature.inputs if slot.name not in given]
    alone = sum(slot.type in FLOATS for slot in todo) == 1
    rate = params.sample_rate
    open_ = [s for s in todo if guessing.guess(s, signature, rate, alone) is None]
    if len(open_) < 2:
        return ""
    return " Nothing tells either: " + "; ".join(f"{s.name} ({s.plain})" for s in open_[1:]) + "."


def _told(
    path: Path, one: Path, params: Params, inputs: Sequence[Bound], stream: KnownStream | None
) -> Sighting:
    longest, fed, why = float("inf"), {}, {}
    for bound in (bound for bound in inputs if not bound.state):
        how, seconds = _fixed(bound, params)
        longest = min(longest, seconds)
        fed[bound.slot.name] = how
        why[bound.slot.name] = _why(bound, how, seconds)
    files = (str(params.ctc.vocabulary),) if params.ctc and path.is_file() else ()
    said = "CTC recogniser" if params.ctc else stream.what if stream else "graph"
    return Sighting(
        f"{said}, {'; '.join(f'{b.slot.name}: {b.slot.plain}' for b in inputs)}",
        path,
        files=files,
        params=_given(params, fed),
        why={
            "inputs": "each as its name, type and shape tell; look whether the features are those "
            "of the training",
            "state": "an output that is given back in the next hop, by its name and shape",
            "hop": f"samples, as {stream.what} is used" if stream else "samples, as the shape says",
            "context": "samples before each hop that are heard again",
            "ctc": "makes a recogniser of it: the most likely token of each frame, repetitions "
            "joined",
            **{f"inputs.{name}": text for name, text in why.items()},
        },
        graphs=(one,),
        longest=longest,
        distance=2,
    )


def _start(signature: GraphSignature) -> tuple[Params, KnownStream | None, str]:
    """What is known before the inputs are bound: rate, state, hop; or the line that is lacking."""
    rate = guessing.rate(signature.metadata) or Params.sample_rate
    own = {slot.name: NEMO for slot in signature.inputs if slot.name == "audio_signal"}
    params = Params(sample_rate=rate, inputs=own)
    state = {
        slot.name: output for slot in signature.inputs if (output := _next_of(slot, signature))
    }
    if not state:
        return params, None, ""
    told = signature.inputs
    sizes = next(((s.shape or ()) for s in told if s.name == "state"), ())
    if sizes[:1] + sizes[2:] == SILERO.sizes and rate == Params.sample_rate:
        hop, context, stream = SILERO.hop, SILERO.context, SILERO
    else:
        hop, context, stream = _hop(signature, state), 0, None
    if not hop:
        name = next(iter(state))
        return (
            params,
            None,
            (
                f"{signature.file}: the input {name!r} is the output {state[name]!r} of the step "
                "before, and nothing tells how much it hears in one: write `hop:`, in samples, and "
                f"`state: {{{name}: {state[name]}}}`."
            ),
        )
    return replace(params, state=state, hop=hop, context=context), stream, ""


def _next_of(slot: Slot, signature: GraphSignature) -> str:
    """The output that this input is in the next hop, "" for none."""
    names = [form.format(slot.name) for form in NEXT]
    if slot.name.endswith("_in"):
        names.append(f"{slot.name[:-3]}_out")
    found = (signature.output(name) for name in names)
    return next((one.name for one in found if one and not shapes.unlike(slot.shape, one.shape)), "")


def _hop(signature: GraphSignature, state: Mapping[str, str]) -> int:
    """The fixed length of the samples that it takes, 0 where there is none."""
    for slot in signature.inputs:
        sizes = slot.shape or ()
        if slot.name not in state and slot.type in FLOATS and len(sizes) in (1, 2):
            return sizes[-1] if isinstance(sizes[-1], int) else 0
    return 0


def _vocabulary(path: Path, signature: GraphSignature) -> Ctc | None:
    """Where a file of tokens lies beside a graph whose scores are as many."""
    for name in VOCABULARIES:
        if not (path.parent / name).is_file():
            continue
        for slot in signature.outputs:
            width = (slot.shape or ("",))[-1]
            named = slot.name.lower() in SCORES and isinstance(width, str)
            if slot.type not in FLOATS or len(slot.shape or ()) not in (2, 3):
                continue
            try:
                how = Ctc(name, output=slot.name)
                reader = ctc.CtcReader(how, path.parent, signature)
            except ModelError:
                continue
            known = len(reader.vocabulary.tokens)
            if named or (width == known and reader.vocabulary.blank is not None):
                return how
            if width == known + 1:  # NeMo: the blank is the last
                return how
    return None


def _fixed(bound: Bound, params: Params) -> tuple[Input, float]:
    """(how, seconds that it hears): where a graph hears one length alone, longer clips are cut."""
    how = bound.how
    if bound.kind != "audio" or params.hop:
        return how, float("inf")
    sizes = [size for size in bound.slot.shape or () if isinstance(size, int)]
    bins = how.from_ == "log_mel"
    if bins and how.mels in sizes:
        sizes.remove(how.mels)
    length = max(sizes, default=1) * (how.hop if bins else 1)
    if max(sizes, default=1) == 1:
        return how, float("inf")
    return replace(how, shorter="repeat", longer="cut"), length / params.sample_rate


def _why(bound: Bound, how: Input, seconds: float) -> str:
    text = bound.slot.plain
    if how.longer == "cut":
        text += f": it hears {seconds:.2f} s, no more; shorter clips are repeated, longer ones cut"
    if how.from_ == "log_mel":
        text += "; `scale` and `per_bin` are as in " + ("NeMo" if how.per_bin else "Whisper")
        text += ": nothing in the file tells"
    return text


def _given(params: Params, fed: Mapping[str, Input]) -> dict[str, Any]:
    """As in YAML, without what is so anyway."""
    found: dict[str, Any] = {}
    if params.sample_rate != Params.sample_rate:
        found["sample_rate"] = params.sample_rate
    if fed:
        found["inputs"] = {name: _plain(how) for name, how in fed.items()}
    for name in ("state", "hop", "context"):
        if getattr(params, name):
            found[name] = getattr(params, name)
    if params.ctc:
        found["ctc"] = {"vocabulary": params.ctc.vocabulary, "output": params.ctc.output}
    return found


def _plain(how: Input) -> dict[str, Any]:
    own = {f.name: getattr(how, f.name) for f in fields(how) if f.name != "from_"}
    usual = Input("samples")
    given = {name: value for name, value in own.items() if value != getattr(usual, name)}
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}
    return {"from": how.from_, **plain}
