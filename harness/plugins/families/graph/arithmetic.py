"""Small arithmetic over names, as an experiment writes sizes: `ceil(seconds * 100)`.

Parsed by this file and never by Python: numbers, names, + - * / // %, parentheses and the functions
ceil, floor, round, min, max. No power, no attribute, no other call. Values are exact fractions, so
that `ceil(seconds * 100)` of 1.1 s is 110 and not 111.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

CHARACTERS = 200  # of one expression
DEPTH = 16  # brackets one in another
LARGEST = 2**48  # of a value, and of its numerator and denominator on the way there
FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "ceil": lambda value: Fraction(math.ceil(value)),
    "floor": lambda value: Fraction(math.floor(value)),
    "round": lambda value: Fraction(math.floor(value + Fraction(1, 2))),
    "min": min,
    "max": max,
}
TAKES_ONE = ("ceil", "floor", "round")
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[^\W\d]\w*|//|\*\*|\S)")
_DIGITS = 15
KNOWN = "numbers, names, + - * / // %, brackets, ceil, floor, round, min and max"

Names = Mapping[str, Fraction]
Value = Callable[[Names], Fraction]


class ExpressionError(ValueError):
    """An expression that cannot be read, or has no value."""


@dataclass(frozen=True)
class Expression:
    """An expression as it was written, the names that it needs, and its value for given names."""

    text: str
    names: frozenset[str]
    value: Value

    def __call__(self, names: Names) -> Fraction:
        """Raises: ExpressionError for a name without a value, a division by zero, a huge value."""
        return self.value(names)

    def size(self, names: Names) -> int:
        """The value as the size of a dimension. Raises: ExpressionError where it is none."""
        found = self.value(names)
        if found.denominator != 1 or found < 0:
            raise ExpressionError(
                f"{self.text!r} is {float(found):g}, which is no size: round it by ceil() or "
                "floor(), from 0 up"
            )
        return int(found)


def parse(text: str | int | float) -> Expression:
    """Raises: ExpressionError with what is wrong and what an expression may hold."""
    written = str(text)
    if len(written) > CHARACTERS:
        raise ExpressionError(
            f"an expression of {len(written)} characters; at most {CHARACTERS} are read"
        )
    parser = _Parser(written)
    value = parser.whole()
    return Expression(written, frozenset(parser.names), value)


class _Parser:
    """Recursive descent: a sum of products of signed atoms."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _TOKEN.findall(text)
        self.at, self.depth = 0, 0
        self.names: set[str] = set()

    def whole(self) -> Value:
        value = self._sum()
        if self.at < len(self.tokens):
            raise self._wrong(self.tokens[self.at])
        return value

    def _wrong(self, what: str) -> ExpressionError:
        told = f"at {what[:20]!r}" if what else "at its end"
        return ExpressionError(
            f"{self.text[:60]!r} cannot be read {told}: an expression holds {KNOWN}"
        )

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _sum(self) -> Value:
        self.depth += 1
        if self.depth > DEPTH:
            raise ExpressionError(f"{self.text[:60]!r} has brackets over {DEPTH} deep")
        left = self._product()
        while self._peek() in ("+", "-"):
            left = self._joined(self._take(), left, self._product())
        self.depth -= 1
        return left

    def _product(self) -> Value:
        left = self._signed()
        while self._peek() in ("*", "/", "//", "%"):
            left = self._joined(self._take(), left, self._signed())
        return left

    def _signed(self) -> Value:
        minus = False
        while self._peek() in ("+", "-"):
            minus ^= self._take() == "-"
        atom = self._atom()
        return (lambda names: -atom(names)) if minus else atom

    def _atom(self) -> Value:
        token = self._take()
        if token[:1].isdecimal():
            return self._number(token)
        if token == "(":
            value = self._sum()
            self._close()
            return value
        if not token or not (token[0].isalpha() or token[0] == "_"):
            raise self._wrong(token)
        return self._call(token) if self._peek() == "(" else self._name(token)

    def _number(self, token: str) -> Value:
        if len(token.replace(".", "")) > _DIGITS or not token.isascii():
            raise ExpressionError(f"{token[:20]}... has over {_DIGITS} digits")
        number = Fraction(token)
        return lambda names: number

    def _name(self, name: str) -> Value:
        self.names.add(name)

        def value(names: Names) -> Fraction:
            if name not in names:
                raise ExpressionError(f"{name!r} has no value")
            return names[name]

        return value

    def _call(self, name: str) -> Value:
        if name not in FUNCTIONS:
            raise ExpressionError(
                f"{self.text[:60]!r} calls {name[:40]!r}; the functions are {', '.join(FUNCTIONS)}"
            )
        self._take()
        arguments = [self._sum()]
        while self._peek() == ",":
            self._take()
            arguments.append(self._sum())
        self._close()
        if (len(arguments) == 1) != (name in TAKES_ONE):
            wanted = "one value" if name in TAKES_ONE else "two values or more"
            raise ExpressionError(f"{self.text[:60]!r}: {name} takes {wanted}")
        function = FUNCTIONS[name]
        return lambda names: function(*(argument(names) for argument in arguments))

    def _close(self) -> None:
        if self._peek() != ")":
            raise self._wrong(self._peek())
        self._take()

    def _joined(self, sign: str, left: Value, right: Value) -> Value:
        text = self.text

        def value(names: Names) -> Fraction:
            one, other = left(names), right(names)
            if sign in ("/", "//", "%") and not other:
                raise ExpressionError(f"{text[:60]!r} divides by zero")
            return _bounded(_OPERATORS[sign](one, other), text)

        return value


_OPERATORS: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one / other,
    "//": lambda one, other: Fraction(one // other),
    "%": lambda one, other: one % other,
}


def _bounded(value: Fraction, text: str) -> Fraction:
    if max(abs(value.numerator), value.denominator) > LARGEST:
        raise ExpressionError(f"{text[:60]!r} is beyond {LARGEST:,}: no size of a model's input")
    return value
