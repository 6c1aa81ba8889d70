"""Spanish text -> the words that one would say: the steps of the table in `harness.speech.text`.

Each piece between white space becomes atoms, which is remembered, since most of a corpus is the
same few thousand words; a text with an atom that depends on its neighbours is then read in one
pass from left to right, which looks at most a few atoms back or ahead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, groupby
from typing import NamedTuple

from harness.speech.text import abbreviations, numerals
from harness.speech.text.abbreviations import Noun
from harness.speech.text.addresses import spelt
from harness.speech.text.signs import APOSTROPHES, SignTable, WordTable

_UNBROKEN = "\u00a0\u2009\u202f"
_SPACES = re.compile(f"[{_UNBROKEN}]")
_THOUSANDS = re.compile(rf"(?<![0-9.,:])[1-9][0-9]{{0,2}}(?:[{_UNBROKEN}][0-9]{{3}})+(?![0-9])")
_CLUB = re.compile(r"(?<!\w)([UV]D)\.(?=\W*\Z)")
_MEANT = frozenset(".,:%‰€$£¥°&@+-−×/=")
_LETTER = r"[^\s0-9.,:%‰€$£¥°&@+\-−×/=]"
_INITIAL = r"[a-zà-öø-ɏ]"
_START = rf"(?: (?<!{_LETTER}) | (?<=u\$s) )"  # of a word
_ENDING = r"[ºª] | (?<=\.)(?:°|[oa]s) | er(?:[oa]s?)? | [rdtmvn][oa]s?"
_ATOMS = re.compile(
    rf"""
      (?<![0-9.,:]) (?P<number>[0-9]{{1,3}}) \.? (?P<ending>{_ENDING}) (?!{_LETTER})
    | (?P<minus> (?<!\S)-(?=[0-9]) | −(?=[0-9]) )
    | (?P<money> (?<!{_LETTER})(?:us|r|mx|mex)\$ | (?<!{_LETTER})u\$s | [€$£¥] )
    | (?P<digits> [0-9]+ (?:[.,:][0-9]+)* )
    | {_START} (?P<unit> km/h | m/s | [kc]?m(?:[²³]|[23](?![0-9])) ) (?!{_LETTER})
    | [º°] (?P<degree>[cf]) (?!{_LETTER})
    | (?P<degrees> ° )
    | {_START} (?P<numero> n\.?[º°] ) (?!{_LETTER})
    | {_START} (?P<named> [dm]\.?ª | p\.?º ) (?!{_LETTER})
    | {_START} (?P<initials> (?:{_INITIAL}\.)+ {_INITIAL}? ) (?!{_LETTER})
    | (?P<word> {_LETTER}+ ) (?P<dot> \. )?
    | (?P<sign> [%‰&@+×] | =(?![\s=]) )
    """,
    re.VERBOSE,
)
_ALONE = frozenset("aeouy")  # letters that are words
_CENTURIES = ("siglo", "siglos")


class Digits(NamedTuple):
    """A number in digits, as it is read; `hour`: as it would be read after `las` or before `h`."""

    words: tuple[str, ...]
    hour: tuple[str, ...] = ()


class Money(NamedTuple):
    noun: Noun
    before: bool  # the number stands right behind it


class Letter(NamedTuple):
    """A single letter with its dot, or (`stuck`) right beside digits: G20, 5m."""

    letter: str
    stuck: bool = False


Atom = str | Digits | Money | Letter | Noun
_JOINING = frozenset(c for c in map(chr, range(0x250)) if re.fullmatch(_INITIAL, c)) - _ALONE
_DEPENDENT = _JOINING.union(
    numerals.TENS, numerals.HUNDREDS, ["mil"], _CENTURIES,
    abbreviations.UNITS, abbreviations.ERAS, *abbreviations.PAIRS,
)  # fmt: skip
_LOOKED_AT = _DEPENDENT | {"un", "una"}


def spanish(text: str) -> str:
    """The text by the table of `speech/text`; the same for NFC and NFD, and for its result."""
    if not text.isascii() and _SPACES.search(text):  # 1 234 as RAE wants it
        text = _THOUSANDS.sub(lambda found: _SPACES.sub(".", found[0]), text)
    if "D." in text and text != text.upper():
        text = _CLUB.sub(r"\1", text)
    pieces = spelt(text).split()
    plain = [*map(_PLAIN.__getitem__, pieces)]
    if None not in plain:
        return " ".join(filter(None, plain))
    atoms = _joined(chain.from_iterable(map(_atoms, pieces)))
    return " ".join(_Reading(atoms).words)


def _plain(piece: str) -> str | None:
    """What a piece becomes beside any neighbours; None if that depends on them."""
    words = [atom for atom in _atoms(piece) if isinstance(atom, str) and atom not in _DEPENDENT]
    return " ".join(words) if len(words) == len(_atoms(piece)) else None


_PLAIN = WordTable(_plain)


@lru_cache(maxsize=1 << 16)
def _atoms(piece: str) -> tuple[Atom, ...]:
    """The atoms of a text without white space."""
    text = unicodedata.normalize("NFC", piece).lower().translate(_SIGNS)
    # a sign that vanished may have kept a letter from its accent
    text = unicodedata.normalize("NFC", text)
    return tuple(atom for found in _ATOMS.finditer(text) for atom in _found(found))


def _sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in APOSTROPHES or category == "Cf":
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    return sign if sign in _MEANT or category[0] in "LMN" else " "


_SIGNS = SignTable(_sign)


def _found(found: re.Match[str]) -> Iterable[Atom]:
    """The atoms of one match; its last named group says which rule found it."""
    kind = str(found.lastgroup)
    if kind == "ending":
        ending = found["ending"].replace("°", "º")
        return numerals.ordinal(int(found["number"]), ending) or [
            *_digits(found["number"]),
            *_meaning(ending, dot=False),
        ]
    if kind in ("word", "dot"):
        return _word(found)
    return _RULES[kind](found)


def _digits(run: str) -> list[Atom]:
    hour = numerals.clock(run) if "." in run else None
    return [Digits(tuple(numerals.said(run)), tuple(hour or ()))]


def _word(found: re.Match[str]) -> list[Atom]:
    word = found["word"]
    around = found.string[max(found.start() - 1, 0) : found.end() + 1]
    if word in _JOINING and re.search("[0-9]", around):
        return [Letter(word, stuck=True)]
    return [*_meaning(word, dot=found.lastgroup == "dot")]


def _meaning(word: str, dot: bool) -> list[str]:
    """The words that count for this one: none for a filler, several for some numerals."""
    if abbreviations.FILLER.fullmatch(word):
        return []
    known = abbreviations.ALWAYS.get(word) or numerals.FORMS.get(word)
    return (known or (abbreviations.DOTTED.get(word, word) if dot else word)).split()


def _before_digit(found: re.Match[str]) -> bool:
    return found.string[found.end() : found.end() + 1].isdigit()


_RULES: dict[str, Callable[[re.Match[str]], list[Atom]]] = {
    "minus": lambda found: ["menos"],
    "money": lambda found: [Money(abbreviations.MONEY[found["money"]], _before_digit(found))],
    "digits": lambda found: _digits(found["digits"]),
    "unit": lambda found: [abbreviations.COMPOUND_UNITS[found["unit"]]],
    "degree": lambda found: [abbreviations.COMPOUND_UNITS[found["degree"]]],
    "degrees": lambda found: [abbreviations.COMPOUND_UNITS["°"]],
    "numero": lambda found: ["número"],
    "named": lambda found: [abbreviations.NAMED[found["named"]]],
    "initials": lambda found: [Letter(c) for c in found["initials"] if c != "."],
    "sign": lambda found: [*abbreviations.SIGNS[found["sign"]].split()],
}


def _joined(atoms: Iterable[Atom]) -> list[Atom]:
    """Letters one by one make one word: I V R, P.B.X., a. m."""
    out: list[Atom] = []
    run: list[Atom] = []
    for atom in atoms:
        if atom in _JOINING or isinstance(atom, Letter):
            run.append(atom)
        elif atom != "mm" or (out and not run and _may_count(out[-1])):  # else a filler
            if run:
                out += _run(run)
                run = []
            out.append(atom)
    return out + _run(run)


def _run(letters: list[Atom]) -> list[Atom]:
    """Initials with dots (a. C.) are a word of their own beside letters without (V)."""
    out: list[Atom] = []
    rest: list[Atom] = []
    for dotted, some in groupby(letters, lambda one: isinstance(one, Letter) and not one.stuck):
        part = [*some]
        said = _one_word(part)
        # a filler would leave its neighbours side by side, to be joined the next time
        if dotted and len(part) > 1 and said and said != ["mm"]:
            out += _one_word(rest) + said
            rest = []
        else:
            rest += part
    return out + _one_word(rest)


def _one_word(letters: list[Atom]) -> list[Atom]:
    if len(letters) < 2:
        return letters
    return [*_meaning("".join(map(_letter, letters)), dot=False)]


def _may_count(atom: Atom) -> bool:
    return isinstance(atom, Digits) or atom in numerals.AMOUNTS or atom in ("un", "una")


def _letter(atom: Atom) -> str:
    return atom.letter if isinstance(atom, Letter) else atom if isinstance(atom, str) else ""


class _Reading:
    """Atoms -> words, from left to right."""

    def __init__(self, atoms: list[Atom]) -> None:
        self.words: list[str] = []
        self._atoms = atoms
        self._century = False
        place = 0
        while place < len(atoms):
            atom = atoms[place]
            if isinstance(atom, str) and atom not in _LOOKED_AT and not self._century:
                self.words.append(atom)
                place += 1
            else:
                place = self._read(place, atom)

    def _next(self, place: int) -> Atom:
        return self._atoms[place] if place < len(self._atoms) else ""

    def _read(self, place: int, atom: Atom) -> int:
        """Says the atom at that place, and what belongs to it; where to go on."""
        if isinstance(atom, str | Letter):
            self._word(_letter(atom))
        elif isinstance(atom, Digits):
            return self._number(place, atom)
        elif isinstance(atom, Money):
            return self._money(place, atom)
        elif isinstance(atom, Noun):
            self._name(atom)
        return place + 1

    def _number(self, place: int, digits: Digits) -> int:
        after = self._next(place + 1)
        following = _letter(after)
        if digits.hour and (following == "h" or self.words[-1:] in (["las"], ["la"])):
            self._say(*digits.hour)
        else:
            self._amount(digits, after)
        unit = abbreviations.LETTER_UNITS.get(following)
        if unit and (following == "h" or not (isinstance(after, Letter) and after.stuck)):
            self._name(unit)
            return place + 2
        if following == "x" and isinstance(self._next(place + 2), Digits):
            self._say("por")
            return place + 2
        return place + 1

    def _amount(self, digits: Digits, following: Atom) -> None:
        one = digits.words == ("uno",) and following in numerals.SCALES
        self._say(*(("un",) if one else digits.words))

    def _money(self, place: int, money: Money) -> int:
        """The sign may stand before its number ($5) or behind it (5 $)."""
        digits = self._next(place + 1)
        place += 1
        if isinstance(digits, Digits) and (money.before or not self._after_number()):
            place += 1
            self._amount(digits, self._next(place))
            while (scale := self._next(place)) == "mil" or scale in numerals.SCALES:
                self._say(str(scale))
                place += 1
        self._name(money.noun)
        return place

    def _word(self, word: str) -> None:
        pair = abbreviations.PAIRS.get((self.words[-1], word)) if self.words else None
        century = self._century and numerals.CENTURY.fullmatch(word)
        if word in abbreviations.UNITS and self._after_number():
            self._name(abbreviations.UNITS[word])
        elif word in abbreviations.ERAS and self._dated():
            self._say(*abbreviations.ERAS[word].split())
        elif word == "mm":
            return
        elif pair:
            self.words.pop()
            self._say(*pair.split())
        elif century:
            self._say(*numerals.cardinal(numerals.roman(word)))
            self._century = True
        else:
            self._say(word)

    def _say(self, *words: str) -> None:
        for word in words:
            shortened = word in ("un", "una") and self._within_number(len(self.words))
            self.words.append("uno" if shortened else word)
        self._century = words[-1] in _CENTURIES or (self._century and words[-1] in ("y", "a", "al"))

    def _name(self, noun: Noun) -> None:
        """The noun after its number: un kilómetro, dos kilómetros, un millón de kilómetros."""
        if self.words and self.words[-1] in numerals.SCALES:
            self._say("de")
        if not self._is_one():
            self._say(*noun.many.split())
            return
        if self.words[-1] == "uno":
            self.words[-1] = "una" if noun.feminine else "un"
        self._say(*noun.one.split())

    def _after_number(self) -> bool:
        if self.words[-2:] == ["por", "ciento"] or not self.words:
            return False
        return self.words[-1] in numerals.AMOUNTS or self._is_one()

    def _dated(self) -> bool:
        """Whether a year or the numeral of a century was said: 50 a. C., siglos V y IV a. C."""
        if numerals.ROMAN.fullmatch("".join(self.words[-1:])):
            before = self.words[-4:-1]
            listed = before[:1] if before[-1:] in (["y"], ["a"], ["al"]) else before[-1:]
            return len(listed) > 0 and listed[0] in _CENTURIES
        return self._after_number() and self.words[-1] not in ("un", "una")

    def _is_one(self) -> bool:
        if self.words[-1:] not in (["uno"], ["un"], ["una"]):
            return False
        before = self.words[-2:-1]
        counted = before and (before[0] in numerals.AMOUNTS or before[0] in ("coma", "punto"))
        return not counted and not self._within_number(len(self.words) - 1)

    def _within_number(self, end: int) -> bool:
        """Whether the words before that place want a last figure: mil, ciento, treinta y."""
        last = self.words[max(end - 2, 0) : end]
        if last[-1:] == ["y"]:
            return last[0] in numerals.TENS
        if last == ["por", "ciento"] or not last:
            return False
        return last[-1] == "mil" or last[-1] in numerals.HUNDREDS
