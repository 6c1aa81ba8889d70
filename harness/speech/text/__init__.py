"""Makes transcripts comparable: normalisers by name, and the edit distance between two texts.

The normaliser `spanish` writes what one would say: digits, signs and abbreviations become words.
Words and not digits, for a number then weighs as many words as were spoken, as it does in
references such as Common Voice's; nobody has to guess where one number ends and the next begins
("treinta y dos"); and a normalised text holds no digits, so that a second pass changes nothing.
Where a spelling can be said in several ways the table takes one, and what was said otherwise
counts as an error: a right transcript may be called wrong, a wrong one never right. Each example
is a test.

what                    rule, and what it makes of
----------------------- ---------------------------------------------------------------------------
letters                 NFC, lower case; accents, ñ and ü make other words and stay
                          `AÑO` → `año`; `n\u0303u` → `ñu`; `¿Qué? ¡Sí!` → `qué sí`
punctuation             spaces, hyphens and slashes too; brackets lose nothing
                          `«Sí… (no)»` → `sí no`; `ex-jefe y/o` → `ex jefe y o`
apostrophes, invisible  vanish (soft hyphen, BOM, joiners)
                          `O'Higgins` → `ohiggins`; `con\u00adtrol` → `control`
fillers                 eh, ehm, em, hm, mm, mmm: deleted from both sides
                          `eh, sí, mmm` → `sí`; `ah, este` → `ah este`
digits                  a cardinal, masculine, in full
                          `21` → `veintiuno`; `1998` → `mil novecientos noventa y ocho`
point before thousands  groups of three digits; so do thin and no-break spaces
                          `1.234` → `mil doscientos treinta y cuatro`;
                          `10\u202f200` → `diez mil doscientos`
other spaces            never join digits
                          `5 y 10, 200` → `cinco y diez doscientos`; `10 200` → `diez doscientos`
comma                   decimal, said `coma`; two of them before thousands, or with a point behind:
                        thousands
                          `3,5` → `tres coma cinco`; `10,200` → `diez coma doscientos`;
                          `1,234.5` → `mil doscientos treinta y cuatro punto cinco`
other points            decimal, said `punto`: 3.5 is not what 3,5 says
                          `3.5` → `tres punto cinco`; `2.5.1` → `dos punto cinco punto uno`
decimals                one number, up to three digits; zeros in front one by one
                          `3,14` → `tres coma catorce`; `3,05` → `tres coma cero cinco`;
                          `0,1416` → `cero coma uno cuatro uno seis`
codes                   0 in front, or over 6 digits that do not end in 000: one by one
                          `007` → `cero cero siete`;
                          `6001234` → `seis cero cero uno dos tres cuatro`;
                          `1000000` → `un millón`
un, una, uno            three words; 1 is `uno`, `un` before millón, un/una before a unit
                          `1 una un` → `uno una un`; `1 millón` → `un millón`; `1 h` → `una hora`
gender in numbers       after treinta y, ciento ... and mil; -cientas, veintiún: digits do not tell
                          `treinta y una` → `treinta y uno`; `doscientas` → `doscientos`;
                          `veintiún mil` → `veintiuno mil`
numbers in one word     as in several
                          `treintaicinco` → `treinta y cinco`; `decimotercera` → `décima tercera`
ordinals                º ª er or the last letters behind digits to 999; º is never o, and ° with
                        a point before it is º; os and as want that point
                          `1.º` → `primero`; `1ª` → `primera`; `3.er` → `tercer`;
                          `2do` → `segundo`; `21º` → `vigésimo primero`; `1000º` → `mil º`;
                          `2.° piso` → `segundo piso`; `2.as` → `segundas`; `1ros` → `primeros`
hours                   hour and minutes, 00 unsaid; with a point after las, la or before h
                          `3:30` → `tres treinta`; `las 15:00` → `las quince`;
                          `la 1:05` → `la una cero cinco`; `a las 3.30` → `a las tres treinta`;
                          `9 h` → `nueve horas`
minus, plus             `-` at the front of a number; a hyphen between digits is a space
                          `-5` → `menos cinco`; `5-10` → `cinco diez`;
                          `+34` → `más treinta y cuatro`
% ‰ & @ × = °           said
                          `50 %` → `cincuenta por ciento`; `4x4` → `cuatro por cuatro`;
                          `20 ºC` → `veinte grados celsius`;
                          `2 + 2=4` → `dos más dos igual a cuatro`
< > ≤ ≥                 said before a number that they bound or compare; elsewhere spaces
                          `3 < 5` → `tres menor que cinco`; `<unk> ok` → `unk ok`
addresses               their signs are said, where www, a scheme, a mailbox or an ending that is no
                        word (com org net edu gob gov) shows that it is one
                          `www.x.es` → `www punto x punto es`;
                          `ana@rae.es` → `ana arroba rae punto es`;
                          `Ya.es tarde` → `ya es tarde`
€ $ £ ¥ R$              behind their number, with `de` after millón; $ is a dólar; codes too
                          `20€` → `veinte euros`; `US$ 1` → `un dólar`;
                          `$3 millones` → `tres millones de dólares`;
                          `1.000.000 €` → `un millón de euros`; `R$ 5` → `cinco reales`;
                          `5 USD` → `cinco dólares`
units                   behind a number, with `de` after millón; m g l behind digits and a space
                          `120 km/h` → `ciento veinte kilómetros por hora`;
                          `un kg` → `un kilogramo`; `5 m` → `cinco metros`; `5G` → `cinco g`;
                          `9 m²` → `nueve metros cuadrados`; `5 kgs` → `cinco kilogramos`
abbreviations           those that stand for one thing; UD. that ends a text with small letters
                        is no usted; a. C. and d. C. after a number but un, or after siglo's
                          `Sr. Sra. Dr. Ud.` → `señor señora doctor usted`;
                          `EE. UU.` → `estados unidos`; `n.º 5` → `número cinco`;
                          `p. ej.` → `por ejemplo`; `D. Juan` → `d juan`;
                          `Es de la UD.` → `es de la ud`; `¿Y Ud.?` → `y usted`;
                          `Mª Luisa` → `maría luisa`; `C/ Mayor` → `calle mayor`;
                          `50 a. C.` → `cincuenta antes de cristo`; `un AC Milan` → `un ac milan`
acronyms, letters       words; letters one by one make one, but a e o u y only with dots; a letter
                        without dots is no part of initials with them
                          `PBX` → `pbx`; `I V R` → `ivr`; `P.B.X.` → `pbx`; `3 p. m.` → `tres pm`;
                          `vitamina A y B` → `vitamina a y b`
names of letters        words: be, de, te, ese are
                          `pe be equis` → `pe be equis`
letters beside digits   apart
                          `COVID-19` → `covid diecinueve`; `G20` → `g veinte`
roman numerals          after siglo, from XI
                          `siglos XIX y XX` → `siglos diecinueve y veinte`; `siglo V` → `siglo v`;
                          `siglo V a. C.` → `siglo v antes de cristo`
words                   never joined, cut or corrected
                          `si no` → `si no`; `sino` → `sino`; `a ver` → `a ver`
dates, fractions, ½     number by number
                          `12/05/2024` → `doce cero cinco dos mil veinticuatro`;
                          `3/4` → `tres cuatro`; `½` → `½`

What two texts may differ in and still count as equal is thus: how they are written, fillers, and
the gender of a number that digits do not show. `tres y media` is not `3:30`, `kilos` not `kg`.

No library: text2num 3.1 (MIT, wheels) goes from words to digits, leaves "uno" and "veintiún mil"
and turns "el cuarto de baño" into "el 4º de baño"; num2words 0.5.14 (LGPL, with the abandoned
docopt) writes "veintiún mil" wrong, "quadragésimo", and has no gender. What remains is a closed
list of words; the tests compare it with num2words where that is right.

`english` is the rule that Whisper's English figures are stated under (english.py). `generic` is for
other languages: the rows letters, punctuation and apostrophes alone. `basic` is
the generic rule of OpenAI's Whisper (BasicTextNormalizer, whisper/normalizers/basic.py), for
comparing with published figures; beware: it deletes what stands in brackets. `none` leaves the
text alone but for white space. References: RAE and ASALE, Ortografía de la lengua española (2010),
V (abbreviations, symbols) and VIII (numbers); Diccionario panhispánico de dudas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.errors import UnknownNameError
from harness.errors.nearest import nearest
from harness.speech.text.edits import character_edits, word_edits
from harness.speech.text.english import english
from harness.speech.text.reading import spanish
from harness.speech.text.signs import basic, fold_spaces, generic, strip_accents

__all__ = [
    "LANGUAGES", "NORMALISERS", "Normaliser", "basic", "character_edits", "english", "fold_spaces",
    "generic", "normaliser", "spanish", "strip_accents", "word_edits",
]  # fmt: skip

Normaliser = Callable[[str], str]

NORMALISERS: Mapping[str, Normaliser] = {
    "spanish": spanish,
    "english": english,
    "generic": generic,
    "basic": basic,
    "none": fold_spaces,
}
# the language that a normaliser is for, by its ISO 639-1 code; the others are for any
LANGUAGES: Mapping[str, str] = {"spanish": "es", "english": "en"}


def normaliser(name: str) -> Normaliser:
    """The normaliser of that name. Raises: UnknownNameError that names the nearest."""
    if name in NORMALISERS:
        return NORMALISERS[name]
    raise UnknownNameError(f"no normaliser {name!r}.{nearest(name, list(NORMALISERS))}")
