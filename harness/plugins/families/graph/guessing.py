"""What an input is given where the experiment does not say: by its name, type and shape, as the
usual exports have them, and by the metadata of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.plugins.families.graph.params import Input
from harness.plugins.families.graph.signatures import FLOATS, WHOLES, GraphSignature, Slot

TIME = "_time"  # of a `dim`: the length of the audio, in whatever the graph hears it
USUAL_MELS = (40, 64, 80, 96, 100, 120, 128)
LEAST_SAMPLES = 80  # 5 ms at 16 kHz: what is shorter is no sound
SAMPLES = re.compile(r"input|(input_?)?(values|samples|audio|wav|wave|waveform|speech|pcm|signal)")
MEL = re.compile(r"input_features|features?|feats?|.*mel.*|audio_signal|fbank")
LENGTH = re.compile(r"(.*_)?(lengths?|lens?)")
RATE = re.compile(r"sr|(sample|sampling)_?rate")
MASK = re.compile(r"(.*_)?(attention|padding|audio)?_?mask")
_RATES, _MELS = ("sample_rate", "sampling_rate"), ("n_mels", "num_mels", "feat_dim", "mels")


def guess(slot: Slot, signature: GraphSignature, sample_rate: int, alone: bool) -> Input | None:
    """None where nothing tells. `alone`: of the first graph no other input takes floats of which
    nothing is said, so that these are what it hears, whatever they are called."""
    name, rank = slot.name.lower(), None if slot.shape is None else len(slot.shape)
    if slot.type in FLOATS:
        return _heard(slot, signature, alone)
    if RATE.fullmatch(name) and slot.type in WHOLES:
        return Input("value", value=sample_rate)
    if LENGTH.fullmatch(name) and slot.type in WHOLES and rank is not None and rank <= 1:
        return Input("dim", of=TIME)
    if MASK.fullmatch(name) and rank == 2:
        return Input("value", value=1)
    return None


def _heard(slot: Slot, signature: GraphSignature, alone: bool) -> Input | None:
    """Samples of one or two dimensions, features of three."""
    name, shape = slot.name.lower(), slot.shape or ()
    if len(shape) == 3:
        usual = bool(mels(signature.metadata)) or bool(set(shape[1:]) & set(USUAL_MELS))
        return Input("log_mel") if MEL.fullmatch(name) or (alone and usual) else None
    if len(shape) in (1, 2):
        last = shape[-1]
        long = isinstance(last, str) or last >= LEAST_SAMPLES
        return Input("samples") if SAMPLES.fullmatch(name) or (alone and long) else None
    return None


def rate(metadata: Mapping[str, str]) -> int:
    """The sample rate that a file says it hears, 0 where it says none."""
    return _number(metadata, _RATES)


def mels(metadata: Mapping[str, str]) -> int:
    """The mel bins that a file says it takes, 0 where it says none."""
    return _number(metadata, _MELS)


def _number(metadata: Mapping[str, str], names: tuple[str, ...]) -> int:
    found = (str(metadata.get(name, "")) for name in names)
    return next((int(text) for text in found if re.fullmatch(r"[0-9]{1,6}", text)), 0)
