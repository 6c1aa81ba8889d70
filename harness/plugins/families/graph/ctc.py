"""Frames of a CTC graph to text: the most likely token of each, repetitions joined, blanks out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import ModelError, limits
from harness.errors.nearest import nearest
from harness.io.places import content
from harness.plugins.families.graph.params import Ctc
from harness.plugins.families.graph.signatures import FLOATS, GraphSignature

BLANKS = ("<blk>", "<blank>", "<pad>", "[PAD]", "<eps>", "<ctc>", "[blank]", "<b>")
SPECIAL = re.compile(r"<[^<>\s]{1,30}>|\[[A-Z]{2,10}\]")  # <s>, </s>, <unk>, [UNK]: not spoken
MOST_TOKENS = 1_000_000


@dataclass(frozen=True)
class Vocabulary:
    """Id -> token; `blank`: None until the graph's width tells it (the last id)."""

    tokens: tuple[str, ...]
    blank: int | None


class CtcReader:
    """Output of the graph to text."""

    def __init__(self, how: Ctc, folder: Path, last: GraphSignature) -> None:
        self.vocabulary = read(how, folder)
        self.output = output_of(how, last)
        self._how, self._last = how, last

    def text(self, outputs: Mapping[str, np.ndarray]) -> str:
        """`outputs` by name; of the one that is read (1, frames, tokens) or (frames, tokens).

        Raises: ModelError for another shape, or a width that the vocabulary does not have.
        """
        scores = outputs[self.output]
        if scores.ndim == 3 and scores.shape[0] == 1:
            scores = scores[0]
        if scores.ndim != 2 or not scores.shape[1]:
            raise ModelError(
                f"{self._last.file}: ctc reads (1, frames, tokens); the output {self.output!r} is "
                f"{list(scores.shape)}: name another by `output`."
            )
        blank = self._blank(scores.shape[1])
        ids = scores.argmax(axis=1)
        first = np.ones(len(ids), bool)
        first[1:] = ids[1:] != ids[:-1]
        said = [self._token(int(one)) for one in ids[first & (ids != blank)]]
        return " ".join("".join(said).split())

    def _token(self, number: int) -> str:
        token = self.vocabulary.tokens[number] if number < len(self.vocabulary.tokens) else ""
        for mark in self._how.space:
            token = token.replace(mark, " ")
        return "" if SPECIAL.fullmatch(token) else token

    def _blank(self, width: int) -> int:
        known = len(self.vocabulary.tokens)
        if width not in (known, known + 1):
            raise ModelError(
                f"{self._last.file}: the output {self.output!r} has {width} tokens, the vocabulary "
                f"{known}: it is of another model."
            )
        if self.vocabulary.blank is not None:
            return self.vocabulary.blank
        if width == known + 1:  # NeMo: after the tokens
            return known
        raise ModelError(
            "ctc: no token of the vocabulary is known as a blank: write `blank:` with its token or "
            "its id (0, or the last)."
        )


def output_of(how: Ctc, last: GraphSignature) -> str:
    """The output that is read. Raises: ModelError."""
    names = [slot.name for slot in last.outputs]
    if how.output:
        if how.output not in names:
            raise ModelError(
                f"ctc: {last.file} has no output {how.output!r}.{nearest(how.output, names)}"
            )
        return how.output
    fit = [s.name for s in last.outputs if s.type in FLOATS and len(s.shape or (0, 0, 0)) in (2, 3)]
    usual = [name for name in fit if name.lower() in ("logits", "logprobs", "log_probs")]
    if len(usual or fit) != 1:
        raise ModelError(
            f"ctc: {last.file} gives {', '.join(names)}: write `output:`, the one of (1, frames, "
            "tokens)."
        )
    return (usual or fit)[0]


def read(how: Ctc, folder: Path) -> Vocabulary:
    """Raises: ModelError for a file that is missing or holds no tokens, a blank that is none."""
    tokens = _tokens(how, folder)
    if not 0 < len(tokens) <= MOST_TOKENS:
        raise ModelError(f"ctc: the vocabulary holds {len(tokens):,} tokens.")
    if how.blank is None:
        return Vocabulary(tokens, next((i for i, t in enumerate(tokens) if t in BLANKS), None))
    if isinstance(how.blank, int):
        if not 0 <= how.blank <= len(tokens):
            raise ModelError(f"ctc: blank {how.blank} is no id; there are {len(tokens)} tokens.")
        return Vocabulary(tokens, how.blank)
    if how.blank not in tokens:
        raise ModelError(f"ctc: the vocabulary has no token {how.blank[:40]!r} for the blank.")
    return Vocabulary(tokens, tokens.index(how.blank))


def _tokens(how: Ctc, folder: Path) -> tuple[str, ...]:
    if isinstance(how.vocabulary, tuple):
        return how.vocabulary
    path, name = folder / how.vocabulary, how.vocabulary[:80]
    try:
        text = content(path, limits.JSON_BYTES).decode("utf-8-sig")
        return _of_json(json.loads(text)) if path.suffix == ".json" else _of_lines(text)
    except FileNotFoundError as error:
        raise ModelError(
            f"ctc: the model's folder has no {name!r}: put the vocabulary there, or list the "
            "tokens."
        ) from error
    except OSError as error:
        raise ModelError(f"ctc: {name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError, TypeError) as error:
        raise ModelError(f"ctc: {name} is no vocabulary: {str(error)[:100]}.") from error


def _of_json(found: Any) -> tuple[str, ...]:
    if isinstance(found, list):
        return tuple(map(str, found))
    if not isinstance(found, dict) or not all(type(one) is int for one in found.values()):
        raise ValueError("it must be {token: id} or [tokens]")
    return _placed((str(token), number) for token, number in found.items())


def _of_lines(text: str) -> tuple[str, ...]:
    """A token a line, or a token and its id."""
    lines = [line for line in text.splitlines() if line]
    numbered = [re.fullmatch(r"(.*)[ \t]([0-9]{1,7})", line) for line in lines]
    if numbered and all(numbered):
        return _placed((match[1], int(match[2])) for match in numbered if match)
    return tuple(lines)


def _placed(pairs: Any) -> tuple[str, ...]:
    found: Sequence[tuple[str, int]] = list(pairs)
    most = max((number for _, number in found), default=-1) + 1
    if most > MOST_TOKENS or min((number for _, number in found), default=0) < 0:
        raise ValueError(f"it has the id {most - 1}")
    out = [""] * most
    for token, number in found:
        out[number] = token
    return tuple(out)
