"""English numbers that were said, in digits: "two hundred million dollars" -> "$200000000".

Read from left to right as one says them: a word adds to what is there where it can (thirty, one),
multiplies it (hundred, thousand), or stands behind it as the next group (nineteen, ninety nine).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
CARDINALS = {name: value for value, name in enumerate(_ONES)}
CARDINALS |= {name: 10 * place for place, name in enumerate(_TENS, 2)}
_POWERS = ("thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
SCALES = {"hundred": 100, **{name: 1000**place for place, name in enumerate(_POWERS, 1)}}
_IRREGULAR = {"first": (1, "st"), "second": (2, "nd"), "third": (3, "rd"), "fifth": (5, "th"),
              "eighth": (8, "th"), "ninth": (9, "th"), "twelfth": (12, "th")}  # fmt: skip
# word -> (its value, what is written behind the digits); it ends a number
ENDINGS = {
    **{f"{name}th": (value, "th") for name, value in CARDINALS.items() if value in range(4, 20)},
    **{f"{name[:-1]}ieth": (value, "th") for name, value in CARDINALS.items() if value >= 20},
    **{f"{name[:-1]}ies": (value, "s") for name, value in CARDINALS.items() if value >= 20},
    **_IRREGULAR,
}
SCALE_ENDINGS = {
    **{f"{name}th": (value, "th") for name, value in SCALES.items()},
    **{f"{name}s": (value, "s") for name, value in SCALES.items()},
}
ZEROS = frozenset({"zero", "oh", "o"})
TIMES = {"double": 2, "triple": 3}
PREFIXES = {"minus": "-", "negative": "-", "plus": "+", "positive": "+"}
COINS = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "pound": "£", "pounds": "£"}
CENTS = frozenset({"cent", "cents"})
# longer ones are codes, which nobody scales
_LITERAL = re.compile(r"([$€£¢]?)([0-9]{1,15}(?:\.[0-9]{1,15})?)(%?)")
_PART_OF_ONE = re.compile(r"0\.([0-9]{2})")


def in_digits(words: Sequence[str]) -> list[str]:
    """The words with every number in digits, its sign or currency before and its ending behind."""
    out: list[str] = []
    place = 0
    while place < len(words):
        sign = PREFIXES.get(words[place], "")
        read = _Number(words, place + bool(sign))
        if read.read():
            out.append(sign + read.said())
            place = read.place
        else:
            out.append(words[place])
            place += 1
    return out


@dataclass
class _Number:
    """A number under way: `groups` said before it, the `value` that words still add to, `place` of
    the word after it."""

    words: Sequence[str]
    place: int
    groups: str = ""
    value: Decimal | None = None
    literal: str = ""  # the digits as they were written, while nothing was added to them
    prefix: str = ""
    ending: str = ""

    def read(self) -> bool:
        """Take all words that belong to it; whether there were any."""
        while self.place < len(self.words) and not self.ending:
            taken = self._take(self.words[self.place])
            if not taken:
                break
            self.place += taken
        return bool(self.groups) or self.value is not None

    def said(self) -> str:
        """In digits, with the words behind that belong to it: percent, a currency."""
        digits = self.groups + self._shown()
        if self.ending:
            return f"{self.prefix}{digits}{self.ending}"
        after, then = self._word(0), self._word(1)
        if after == "percent" or (after, then) == ("per", "cent"):
            self.place += 1 if after == "percent" else 2
            return f"{self.prefix}{digits}%"
        if self.prefix:
            small = _PART_OF_ONE.fullmatch(digits)
            return f"¢{int(small[1])}" if small else f"{self.prefix}{digits}"
        if after in CENTS:
            self.place += 1
            return f"¢{digits}"
        if after in COINS:
            self.place += 1
            return f"{COINS[after]}{digits}{self._cents() if '.' not in digits else ''}"
        return digits

    def _cents(self) -> str:
        """What `and seventy cents` adds behind a currency."""
        other = _Number(self.words, self.place + (self._word(0) == "and"))
        if not other.read() or other.ending or other._word(0) not in CENTS:
            return ""
        cents = other.groups + other._shown()
        if not (cents.isdigit() and len(cents) <= 2):
            return ""
        self.place = other.place + 1
        return f".{int(cents):02d}"

    def _word(self, ahead: int) -> str:
        place = self.place + ahead
        return self.words[place] if place < len(self.words) else ""

    def _shown(self) -> str:
        if self.value is None or self.literal:
            return self.literal
        text = f"{self.value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    # -------------------------------------------------------------------- one word after another
    def _take(self, word: str) -> int:
        """How many words were taken, this one the first; 0 where it belongs to no number."""
        if written := _LITERAL.fullmatch(word):
            return self._written(written)
        if word in ZEROS and word not in CARDINALS:
            return self._zero()
        if word in CARDINALS:
            return self._cardinal(CARDINALS[word])
        if word in SCALES:
            return self._scale(SCALES[word])
        if word in ENDINGS:
            return self._last(*ENDINGS[word])
        if word in SCALE_ENDINGS:
            value, ending = SCALE_ENDINGS[word]
            taken = self._scale(value)
            self.ending = ending if taken else ""
            return taken
        joining = {"point": self._point, "and": self._and, "double": self._times,
                   "triple": self._times}  # fmt: skip
        return joining[word]() if word in joining else 0

    def _written(self, found: re.Match[str]) -> int:
        if self.groups or self.value is not None:
            return 0
        self.prefix, self.literal, self.ending = found[1], found[2], found[3]
        self.value = Decimal(found[2])
        return 1

    def _cardinal(self, value: int) -> int:
        if self.literal:
            return 0
        if value == 0 or (self.value is not None and not self._adds(value)):
            self._group()
        if value == 0:
            self.groups += "0"
        else:
            self.value = (self.value or Decimal(0)) + value
        return 1

    def _zero(self) -> int:
        """`oh` and `o`: beside digits alone."""
        beside = self._word(1) in CARDINALS or self._word(1) in ZEROS
        under_way = bool(self.groups) or self.value is not None
        return self._cardinal(0) if beside or under_way else 0

    def _adds(self, value: int) -> bool:
        """Whether what is there wants such a figure: thirty, one; two hundred, sixty."""
        there = self.value
        if there is None or there == 0 or there % 1 or self.literal:
            return False
        tens = there % 100
        return tens == 0 or (value < 10 and tens >= 20 and tens % 10 == 0)

    def _group(self) -> None:
        """What is there stands as it is, and the next group begins behind it."""
        self.groups += self._shown()
        self.value, self.literal = None, ""

    def _scale(self, scale: int) -> int:
        there = self.value
        if there is None:
            if self.groups:
                return 0
            self.value = Decimal(scale)
            return 1
        part = there % (1000 if scale == 100 else scale * 1000)
        if part == 0 or (scale == 100 and part >= 100):
            return 0
        self.value, self.literal = there + part * (scale - 1), ""
        return 1

    def _last(self, value: int, ending: str) -> int:
        """Thirty first; nineteen fifties; third."""
        if self.literal or self.groups:
            return 0
        if self.value is None or self._adds(value):
            self.value = (self.value or Decimal(0)) + value
        elif ending == "s" and self.value < 100:
            self._group()
            self.value = Decimal(value)
        else:
            return 0
        self.ending = ending
        return 1

    def _point(self) -> int:
        """Point, and the decimals: one by one, or one number."""
        if self.value is None and not self.groups:
            return 0
        whole = self.groups + self._shown()
        if not whole.isdigit() or len(whole) > 15:
            return 0
        decimals, taken = "", 1
        while (word := self._word(taken)) in CARDINALS or word in ZEROS:
            decimals += str(CARDINALS.get(word, 0))
            taken += 1
        if not decimals and word.isdigit() and word.isascii() and len(word) <= 15:
            decimals, taken = word, 2
        if not decimals or len(decimals) > 15:
            return 0
        self.groups, self.literal = "", ""
        self.value = Decimal(f"{whole}.{decimals}")
        return taken

    def _and(self) -> int:
        """Two hundred and sixty; three and a half."""
        if self.value is None:
            return 0
        if (self._word(1), self._word(2)) == ("a", "half"):
            self.value, self.literal = self.value + Decimal("0.5"), ""
            return 3
        after = self._word(1)
        follows = CARDINALS.get(after) or (ENDINGS.get(after) or (0,))[0]
        hundreds = self.value >= 100 and self.value % 100 == 0
        return int(bool(follows) and hundreds and self._adds(follows))

    def _times(self) -> int:
        """Double oh, triple one."""
        times, word = TIMES[self._word(0)], self._word(1)
        value = 0 if word in ZEROS else CARDINALS.get(word, 10)
        if value > 9 or self.literal:
            return 0
        self._group()
        self.groups += str(value) * times
        return 2
