"""English words that are written in two ways: contractions and titles, British and American."""

from __future__ import annotations

import re
from functools import lru_cache

_WHOLE = {
    "won't": "will not", "can't": "can not", "let's": "let us", "ain't": "aint", "y'all": "you all",
    "wanna": "want to", "gotta": "got to", "gonna": "going to", "imma": "i am going to",
    "i'ma": "i am going to", "woulda": "would have", "coulda": "could have",
    "shoulda": "should have", "ma'am": "madam", "o'clock": "oclock",
    "mr": "mister", "mrs": "missus", "st": "saint", "dr": "doctor", "prof": "professor",
    "capt": "captain", "gov": "governor", "gen": "general", "sen": "senator",
    "rep": "representative", "rev": "reverend", "hon": "honorable", "asst": "assistant",
    "assoc": "associate", "lt": "lieutenant", "col": "colonel", "jr": "junior", "sr": "senior",
}  # fmt: skip
# a title of two letters is no ending of digits (1 st) and no part of a name (st's)
_WORD = re.compile(r"(?<![\w'])(?<![0-9] )(" + "|".join(_WHOLE) + r")(?![\w'])")
# (what is found, what is said), in this order: 's and 'd are has and had before a participle
CONTRACTED = (
    (re.compile("|".join(rf"\b{word}\b" for word in ("won't", "can't", "let's"))),
     lambda found: _WHOLE[found[0]]),
    (_WORD, lambda found: _WHOLE[found[0]]),
    (re.compile(r"'d (?=(?:been|gone)\b)"), " had "),
    (re.compile(r"'s (?=(?:been|gone|done|got)\b)"), " has "),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'s\b"), " is"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'t\b"), " not"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'m\b"), " am"),
)  # fmt: skip
# letters that Unicode does not decompose
LETTERS = {"œ": "oe", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ð": "d", "þ": "th", "ł": "l"}

_OUR = (
    "arb|arm|behavi|cand|clam|col|demean|endeav|fav|flav|harb|hon|hum|lab|neighb|od|parl|ranc|rig|"
    "rum|savi|sav|splend|tum|val|vap|vig"
)
_ISE = (
    "agon|antagon|apolog|author|brutal|capital|categor|central|character|civil|colon|commercial|"
    "computer|critic|crystall|custom|democrat|digit|econom|emphas|energ|equal|familiar|fertil|"
    "final|formal|global|harmon|hospital|hypnot|ideal|immun|individual|industrial|initial|item|"
    "jeopard|legal|liberal|local|material|maxim|mechan|memor|minim|mobil|modern|monopol|moral|"
    "motor|national|natural|neutral|normal|optim|organ|patron|penal|personal|polar|popular|"
    "priorit|privat|public|random|rational|real|recogn|revolution|scrutin|serial|social|special|"
    "stabil|standard|steril|stigmat|subsid|summar|symbol|sympath|synchron|synthes|terror|theor|"
    "tranquil|trivial|urban|util|vandal|victim|visual|vocal"
)
_DOUBLE = (
    "cancel|channel|counsel|dial|fuel|jewel|label|level|marvel|model|panel|quarrel|rival|signal|"
    "spiral|total|travel|tunnel"
)
_RULES = (
    (re.compile(rf"((?:dis|mis)?(?:{_OUR}))our(.*)"), r"\1or\2"),
    (re.compile(rf"((?:re|de|dis|im|over|un)?(?:{_ISE}))is(e[ds]?|ers?|ing|ations?|ational|able)"),
     r"\1iz\2"),
    (re.compile(r"(anal|paral|catal)ys(e[ds]?|ers?|ing)"), r"\1yz\2"),
    (re.compile(rf"({_DOUBLE})l(ed|ers?|ing|ous)"), r"\1\2"),
    (re.compile(r"((?:kilo|centi|milli)?(?:cent|met|lit|fib|theat|calib|lust|meag|somb|spect))re(d?s?)"),
     r"\1er\2"),
    (re.compile(r"(cata|dia|mono|ana|epi|pro)logue(s?)"), r"\1log\2"),
    (re.compile(r"(def|off|pret|lic)ence(s?)"), r"\1ense\2"),
    (re.compile(r"(judg|acknowledg)ement(s?)"), r"\1ment\2"),
    (re.compile(r"(an|h|leuk|isch)aem(\w+)"), r"\1em\2"),
    (re.compile(r"(an)aesth(\w+)"), r"\1esth\2"),
    (re.compile(r"(p|orthop)aed(\w+)"), r"\1ed\2"),
)  # fmt: skip
_ALONE = {
    "aeroplane": "airplane", "aeroplanes": "airplanes", "ageing": "aging", "aluminium": "aluminum",
    "cancelation": "cancellation", "cheque": "check", "cheques": "checks", "cosy": "cozy",
    "enrol": "enroll", "enrolment": "enrollment", "foetus": "fetus", "fulfil": "fulfill",
    "grey": "gray", "greys": "grays", "instalment": "installment", "jewellery": "jewelry",
    "kerb": "curb", "manoeuvre": "maneuver", "manoeuvres": "maneuvers", "mould": "mold",
    "moustache": "mustache", "mum": "mom", "plough": "plow",
    "practise": "practice", "practised": "practiced", "practising": "practicing",
    "programme": "program", "programmes": "programs", "pyjamas": "pajamas", "sceptic": "skeptic",
    "sceptical": "skeptical", "skilful": "skillful", "storey": "story", "tyre": "tire",
    "tyres": "tires", "wilful": "willful", "woollen": "woolen",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def american(word: str) -> str:
    """The word as it is spelt in American English."""
    if word in _ALONE:
        return _ALONE[word]
    for found, said in _RULES:
        if match := found.fullmatch(word):
            return match.expand(said)
    return word
