"""Spanish number words: digits as they are read, and one form for the ways to write a word.

Masculine and in full, since digits do not say which: 21 is `veintiuno` before any noun, 200 is
`doscientos`. Words after RAE, Ortografía de la lengua española (2010), VIII 3.
"""

from __future__ import annotations

import re

SMALL = [
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez",
    "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho",
    "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco",
    "veintiséis", "veintisiete", "veintiocho", "veintinueve",
]  # fmt: skip
TENS = [
    "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa",
]  # fmt: skip
HUNDREDS = [
    "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos",
    "setecientos", "ochocientos", "novecientos",
]  # fmt: skip
SCALES = ("millón", "billón", "millones", "billones")
AMOUNTS = frozenset([*SMALL, *TENS, *HUNDREDS, *SCALES, "cien", "mil"])

_FIRST = [
    "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno",
]  # fmt: skip
_TENTH = [
    "décimo", "vigésimo", "trigésimo", "cuadragésimo", "quincuagésimo", "sexagésimo",
    "septuagésimo", "octogésimo", "nonagésimo",
]  # fmt: skip
_HUNDREDTH = [
    "centésimo", "ducentésimo", "tricentésimo", "cuadringentésimo", "quingentésimo",
    "sexcentésimo", "septingentésimo", "octingentésimo", "noningentésimo",
]  # fmt: skip
_SHORT = {"primero": "primer", "tercero": "tercer"}

ROMAN = re.compile("[ivx]+")
CENTURY = re.compile(r"x{1,2}(?:ix|iv|vi{0,3}|i{1,3})|xx|xxx")  # from XI
_ROMAN_VALUES = {"x": 10, "v": 5, "i": 1}

LONGEST_AMOUNT = 15  # digits; below a thousand billones (10^15), beyond which it is a code
LONGEST_WITHOUT_DOTS = 6  # digits; beyond it is a code unless it ends in three zeros
LONGEST_FRACTION = 3  # digits that are read as one number

_DOTS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?")
_COMMAS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+|(?<=,...,...))")
_DECIMAL = re.compile(r"([0-9]+)([.,])([0-9]+)")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4])[.:]([0-5][0-9])")


def cardinal(number: int) -> list[str]:
    """How many: 0 <= number < 10^15, in the masculine and in full (`veintiuno mil`)."""
    millions, rest = divmod(number, 10**6)
    words = _below_million(rest)
    if not millions:
        return words or ["cero"]
    billions, millions = divmod(millions, 10**6)
    return _scaled(billions, "billón") + _scaled(millions, "millón") + words


def _scaled(number: int, scale: str) -> list[str]:
    if number == 1:
        return ["un", scale]
    return [*_below_million(number), scale[:-2] + "ones"] if number else []


def _below_million(number: int) -> list[str]:
    thousands, rest = divmod(number, 1000)
    words = ([*_below_thousand(thousands)] if thousands > 1 else []) + ["mil"] * bool(thousands)
    return words + _below_thousand(rest)


def _below_thousand(number: int) -> list[str]:
    if number == 100:
        return ["cien"]
    hundreds, rest = divmod(number, 100)
    words = [HUNDREDS[hundreds - 1]] if hundreds else []
    if rest < len(SMALL):
        return words + ([SMALL[rest]] if rest else [])
    tens, ones = divmod(rest, 10)
    return [*words, TENS[tens - 3], *(["y", SMALL[ones]] if ones else [])]


def ordinal(number: int, ending: str) -> list[str] | None:
    """`primero`, `primer`, `primeras` ... of 1 to 999 by the letters that follow the digits.

    None for a number out of reach and for letters with which no such word ends.
    """
    if not 0 < number < 1000:
        return None
    if ending[-1] == "s":
        return [f"{word}s" for word in ordinal(number, ending[:-1]) or ()] or None
    words = _ordinal(number)
    if ending[-1] in "aª":
        words = [word[:-1] + "a" for word in words]
    elif ending == "er":
        words[-1] = _SHORT.get(words[-1], words[-1])
    return words if ending in "ºª" or words[-1].endswith(ending) else None


def _ordinal(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_HUNDREDTH[hundreds - 1]] if hundreds else []
    if rest in (11, 12):
        return [*words, ("undécimo", "duodécimo")[rest - 11]]
    tens, ones = divmod(rest, 10)
    return words + [_TENTH[tens - 1]] * bool(tens) + ([_FIRST[ones - 1]] if ones else [])


def said(run: str) -> list[str]:
    """The words of digits with . , : between them, such as 1.234 or 3,5 or 15:30."""
    if run.isdigit():
        return _whole(run)
    if _DOTS.fullmatch(run):
        return _amount(run.replace(".", ""), ",")
    if _COMMAS.fullmatch(run):
        return _amount(run.replace(",", ""), ".")
    decimal = _DECIMAL.fullmatch(run)
    if decimal:
        return [*_whole(decimal[1]), _POINTS[decimal[2]], *_fraction(decimal[3])]
    return (":" in run and clock(run)) or _mixed(run)


_POINTS = {",": "coma", ".": "punto"}


def clock(run: str) -> list[str] | None:
    """15:30 or 15.30 as an hour, the minutes unsaid where they are 00; None if it is none."""
    match = _CLOCK.fullmatch(run)
    if not match:
        return None
    hour, minutes = int(match[1]), match[2]
    words = ["una"] if hour == 1 else cardinal(hour)
    return words if minutes == "00" else words + _whole(minutes)


def _amount(digits: str, point: str) -> list[str]:
    whole, _, fraction = digits.partition(point)
    words = cardinal(int(whole)) if len(whole) <= LONGEST_AMOUNT else _one_by_one(whole)
    return [*words, _POINTS[point], *_fraction(fraction)] if fraction else words


def _whole(digits: str) -> list[str]:
    code = len(digits) > LONGEST_WITHOUT_DOTS and not digits.endswith("000")
    if code or len(digits) > LONGEST_AMOUNT or (digits[0] == "0" and digits != "0"):
        return _one_by_one(digits)
    return cardinal(int(digits))


def _fraction(digits: str) -> list[str]:
    """3,14: coma catorce; 3,05: coma cero cinco; 3,1416: digit by digit."""
    rest = digits.lstrip("0")
    if not rest or len(digits) > LONGEST_FRACTION:
        return _one_by_one(digits)
    return ["cero"] * (len(digits) - len(rest)) + cardinal(int(rest))


def _mixed(run: str) -> list[str]:
    """2.5.1, 1,2,3, 10:15:20: each number, with `punto` where there is a point."""
    words: list[str] = []
    for part in re.findall(r"[0-9]+|\.", run):
        words += ["punto"] if part == "." else _whole(part)
    return words


def _one_by_one(digits: str) -> list[str]:
    return [SMALL[int(digit)] for digit in digits]


def roman(letters: str) -> int:
    """A century from XI to XXX."""
    values = [_ROMAN_VALUES[letter] for letter in letters]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _forms() -> dict[str, str]:
    """Word -> the words that count for it: gender, shortening, one word or several."""
    forms = {word[:-2] + "as": word for word in HUNDREDS[1:]}
    forms |= {"veintiún": "veintiuno", "veintiuna": "veintiuno"}
    ones = dict(zip(_ACCENTED_ONES, SMALL[1:10], strict=True))
    for tens in TENS:  # treintaicinco, also right since 2010
        forms |= {f"{tens}i{one}": f"{tens} y {full}" for one, full in ones.items()}
        forms |= {f"{tens}i{one}": f"{tens} y uno" for one in ("ún", "una")}
    for tenth in _TENTH:  # decimotercero, vigesimoprimera; the accent of the first part falls
        bare = tenth.translate(str.maketrans("éí", "ei"))
        for first in _FIRST:
            for end in ("o", "a", "os", "as"):
                forms[bare + first[:-1] + end] = f"{tenth[:-1]}{end} {first[:-1]}{end}"
        forms |= {bare + short: f"{tenth} {short}" for short in _SHORT.values()}
    return forms


# as the second part of treintai-, where the accent rule of long words holds
_ACCENTED_ONES = [
    "uno", "dós", "trés", "cuatro", "cinco", "séis", "siete", "ocho", "nueve",
]  # fmt: skip
FORMS = _forms()
