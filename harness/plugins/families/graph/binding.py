"""What each input of each graph is given: as the experiment says, else read off the graph.

All that can be known without running it is checked here, each fault in one line that says what to
write: inputs that nothing gives, dimensions without a value, types and shapes that do not fit,
names that no graph has, a state unlike its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from harness.errors import ModelError
from harness.errors.nearest import nearest
from harness.plugins.families.graph import guessing, shapes
from harness.plugins.families.graph.params import TRIED_SECONDS, Input, Params, names_of
from harness.plugins.families.graph.signatures import FLOATS, WHOLES, GraphSignature, Slot

TAKES: Mapping[str, Sequence[str]] = {"samples": FLOATS, "log_mel": FLOATS, "ids": WHOLES}
ORDER = ("samples", "log_mel", "output", "state", "npz", "ids", "value", "zeros", "dim")


@dataclass(frozen=True)
class Bound:
    """An input of a graph with what it is given. `axes` as `shapes.Axes`."""

    slot: Slot
    how: Input
    axes: shapes.Axes
    source: str = ""  # output: the graph and output that it is, "encoder.hidden"
    state: str = ""  # the output that it is given in the next hop

    @property
    def kind(self) -> Literal["audio", "output", "rest"]:
        if self.how.from_ in ("samples", "log_mel"):
            return "audio"
        return "output" if self.source else "rest"


@dataclass(frozen=True)
class GraphStage:
    """One graph of the chain; `inputs` in the order in which they are made."""

    name: str
    signature: GraphSignature
    inputs: tuple[Bound, ...]


def bind(params: Params, signatures: Mapping[str, GraphSignature]) -> tuple[GraphStage, ...]:
    """The chain. `signatures`: name of each graph -> what it takes and gives, in order.

    Raises: ModelError, one line.
    """
    chain = _Chain(params, signatures)
    return tuple(chain.stage(name, one) for name, one in signatures.items())


class _Chain:
    """The graphs so far: what they give, and which sizes have a value."""

    def __init__(self, params: Params, signatures: Mapping[str, GraphSignature]) -> None:
        self.params, self.signatures = params, signatures
        self.given: dict[str, tuple[str, Slot]] = {}  # output -> (graph, slot), the latest
        self.time: shapes.Time | None = None  # the time axis of the audio, once it is bound
        heard = params.hop + params.context or TRIED_SECONDS * params.sample_rate
        self.names: dict[str, Fraction] = names_of(heard, params.sample_rate)
        for name, size in params.sizes:
            self.names[name] = size(self.names)
        self._check_names()
        self._check_rate()

    def _check_names(self) -> None:
        """Inputs and state that the experiment names are there."""
        known = [slot.name for one in self.signatures.values() for slot in one.inputs]
        outputs = [slot.name for one in self.signatures.values() for slot in one.outputs]
        files = ", ".join(one.file for one in self.signatures.values())
        for key, names in (("inputs", self.params.inputs), ("state", self.params.state)):
            for name in names:
                if name not in known:
                    raise ModelError(f"{key}: {files} has no input {name!r}.{nearest(name, known)}")
        self._check_parts()
        for name in self.params.state.values():
            if name not in outputs:
                raise ModelError(f"state: {files} has no output {name!r}.{nearest(name, outputs)}")

    def _check_parts(self) -> None:
        for part in self.params.graphs:
            own = [slot.name for slot in self.signatures[part.name].inputs]
            for name in part.inputs:
                if name not in own:
                    raise ModelError(f"graphs: {part.name}: no input {name!r}.{nearest(name, own)}")

    def _check_rate(self) -> None:
        """What the file says of itself must not be contradicted."""
        for one in self.signatures.values():
            told = guessing.rate(one.metadata)
            if told and told != self.params.sample_rate:
                raise ModelError(
                    f"{one.file}: its metadata says that it hears {told} Hz: write "
                    f"`sample_rate: {told}`."
                )

    def stage(self, name: str, signature: GraphSignature) -> GraphStage:
        own = next((dict(p.inputs) for p in self.params.graphs if p.name == name), {})
        said = {**self.params.inputs, **own}
        todo = [(slot, said.get(slot.name)) for slot in signature.inputs]
        found = [self._kind(signature, slot, how) for slot, how in todo]
        found.sort(key=lambda one: ORDER.index("state" if one.state else one.how.from_))
        bound = tuple(self._bound(signature, one) for one in found)
        self.given |= {slot.name: (name, slot) for slot in signature.outputs}
        self.given |= {f"{name}.{slot.name}": (name, slot) for slot in signature.outputs}
        return GraphStage(name, signature, bound)

    def _kind(self, signature: GraphSignature, slot: Slot, how: Input | None) -> Bound:
        """What the input is given, without its shape."""
        state = self.params.state.get(slot.name, "")
        if state:
            return self._state(signature, slot, how or Input("zeros"), state)
        if how is None and slot.name in self.given:
            how = Input("output", of=slot.name)
        how = how or guessing.guess(
            slot, signature, self.params.sample_rate, self._alone(signature)
        )
        if how is None:
            raise ModelError(self._unbound(signature, slot))
        return Bound(slot, how, ())

    def _alone(self, signature: GraphSignature) -> bool:
        said = {*self.params.inputs, *self.params.state}
        open_ = [one for one in signature.inputs if one.type in FLOATS and one.name not in said]
        return not self.given and len(open_) == 1

    def _unbound(self, signature: GraphSignature, slot: Slot) -> str:
        said = (
            f"{signature.file}: nothing says what the input {slot.name!r} ({slot.plain}) is given"
        )
        before = ", ".join(name for name in self.given if "." not in name)
        if before:
            said += f", and no graph before it has an output of that name (they give {before})"
        return (
            f"{said}: write `inputs: {{{slot.name}: {{from: ...}}}}` with samples, log_mel, ids, "
            "zeros, value, dim, output or npz."
        )

    def _state(self, signature: GraphSignature, slot: Slot, how: Input, output: str) -> Bound:
        """A state must fit the output that it is given in the next hop."""
        given = next(s for one in self.signatures.values() if (s := one.output(output)))
        wrong = shapes.unlike(given.shape, slot.shape)
        if wrong or not _castable(given.type, slot.type):
            raise ModelError(
                f"{signature.file}: the state {slot.name!r} is {slot.plain}, the output {output!r} "
                f"that it is given in the next hop is {given.plain}: {wrong or 'another type'}."
            )
        if how.from_ not in ("zeros", "value", "npz"):
            raise ModelError(
                f"inputs: {slot.name}: a state begins with zeros, value or npz, not {how.from_}."
            )
        return Bound(slot, how, (), state=output)

    # --------------------------------------------------------------------------- with its shape
    def _bound(self, signature: GraphSignature, one: Bound) -> Bound:
        where = f"{signature.file}: input {one.slot.name!r}"
        _check_type(one, where)
        if one.how.from_ == "output":
            return self._from_output(one, where)
        how = self._completed(signature, one, where)
        axes = shapes.axes(one.slot, how, self.names, where)
        if how.from_ in ("samples", "log_mel"):
            time = shapes.time_of(axes, how, where, self.names)
            self.time = self.time or time
            self._learn(one.slot, axes, time)
        return replace(one, how=how, axes=axes)

    def _completed(self, signature: GraphSignature, one: Bound, where: str) -> Input:
        how = one.how
        if how.from_ == "log_mel" and not how.mels:
            mels = shapes.mels_of(one.slot, how, guessing.mels(signature.metadata))
            if not mels:
                raise ModelError(
                    f"{where} is {one.slot.plain}, which does not tell how many mel bins it takes: "
                    "write `mels: 80`, and `shape: [1, 80, ceil(samples / 160)]` in its order."
                )
            return replace(how, mels=mels)
        if how.from_ == "dim" and how.of == guessing.TIME:
            if self.time is None:
                raise ModelError(
                    f"{where} seems to be a length, and nothing before it hears audio: write "
                    f"`inputs: {{{one.slot.name}: {{from: dim, of: ...}}}}`."
                )
            return replace(how, of=self.time.text)
        return how

    def _from_output(self, one: Bound, where: str) -> Bound:
        name = one.how.of
        if name not in self.given:
            known = [key for key in self.given if "." not in key]
            raise ModelError(f"{where}: no graph before it gives {name!r}.{nearest(name, known)}")
        source, slot = self.given[name]
        wrong = shapes.unlike(slot.shape, one.slot.shape)
        if wrong or not _castable(slot.type, one.slot.type):
            raise ModelError(
                f"{where} is {one.slot.plain}, the output {slot.name!r} of {source} is "
                f"{slot.plain}: {wrong or 'another type'}."
            )
        for size in one.slot.shape or ():
            if isinstance(size, str) and size:  # known when it is run
                self.names.setdefault(size, Fraction(1))
        return replace(one, source=f"{source}.{slot.name}")

    def _learn(self, slot: Slot, axes: shapes.Axes, time: shapes.Time) -> None:
        """Names of open sizes that the clip gives a value: other inputs may have them too."""
        for size, given in zip(slot.shape or (), axes, strict=False):
            if isinstance(size, str) and size:
                value = Fraction(time.tried) if given is None else given(self.names)
                self.names.setdefault(size, value)


def _check_type(one: Bound, where: str) -> None:
    wanted = TAKES.get(one.how.from_)
    if wanted and one.slot.type not in wanted and not one.state:
        kinds = "floats" if wanted is FLOATS else "whole numbers"
        raise ModelError(
            f"{where} is {one.slot.plain}: {one.how.from_} are {kinds}, which do not fit; say "
            "what else it is given."
        )
    if one.slot.type not in (*FLOATS, *WHOLES, "tensor(bool)"):
        raise ModelError(f"{where} is {one.slot.plain}: only numbers can be fed.")
    _check_numbers(one, where)


def _check_numbers(one: Bound, where: str) -> None:
    value = one.how.value
    listed = value if isinstance(value, tuple) else () if value is None else (value,)
    if one.slot.type in WHOLES and any(float(number) % 1 for number in listed):
        raise ModelError(f"{where} is {one.slot.plain}: {value} is no whole number.")


def _castable(one: str, other: str) -> bool:
    return one == other or any(one in kinds and other in kinds for kinds in (FLOATS, WHOLES))


def of_kind(stages: Sequence[GraphStage], kind: str) -> Iterator[Bound]:
    """The inputs of all graphs that are of a kind ("audio")."""
    return (one for stage in stages for one in stage.inputs if one.kind == kind)
