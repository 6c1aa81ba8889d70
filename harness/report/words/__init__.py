"""Words are data: a language of the report is one file, `<code>.yaml` here or the user's own.

`language:` is its head: `name`, `locale` (a CLDR locale, which tells how numbers, shares, lists and
dates are written) and `quotes`; where its readers expect another thousands sign than CLDR tells,
`thousands`, and from which figure on it stands, `thousands_from`. Every other part is named after
the module whose words it holds, and en.yaml has them all. A file may have `titles` (section ->
heading), `captions` (figure -> what is seen), `metrics` (metric -> name), `families` (family.key ->
text), `about` (judge -> what its figures are valid for) and `versions` (judge -> what it is) as
well, which otherwise come from the plugin's own file.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.contracts import Locate
from harness.errors import SpecError
from harness.errors.limits import SHOWN_WORDS, YAML_BYTES
from harness.io.escaping.signs import cut
from harness.spec.naming import WORDS as FOLDER
from harness.spec.naming import languages

if TYPE_CHECKING:
    from babel import Locale

__all__ = [
    "ENDING",
    "ENGLISH",
    "FOLDER",
    "HEAD",
    "Content",
    "Language",
    "Translations",
    "about",
    "caption",
    "check",
    "languages",
    "metric",
    "of",
    "of_family",
    "own",
    "read",
    "speaking",
    "table",
    "title",
    "version",
]

ENGLISH = "en"
ENDING = ".yaml"
HEAD = "language"
NEEDED = ("name", "locale", "quotes")
KINDS = {"name": str, "locale": str, "quotes": list, "thousands": str, "thousands_from": int}
# parts that a plugin's own file holds where the language does not
OPTIONAL = ("titles", "captions", "metrics", "families", "about", "versions")

Words = Mapping[str, str]
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Language:
    """How one language is written, and its words by part and table."""

    name: str
    words: Mapping[str, Mapping[str, Words]]
    locale: Locale
    quotes: Sequence[str]
    decimal: str
    thousands: str
    thousands_from: float
    percent: str
    """What stands behind a share: "%", or a space that does not break and "%"."""

    def figure(self, digits: str, value: float) -> str:
        """ "12,345.6" with the language's own signs."""
        whole, _, decimals = digits.partition(".")
        whole = whole.replace(",", self.thousands if abs(value) >= self.thousands_from else "")
        return f"{whole}{self.decimal}{decimals}" if decimals else whole

    def point(self, text: str) -> str:
        """A figure that is text already (2.5) with the language's decimal sign."""
        return text.replace(".", self.decimal)

    @property
    def between(self) -> str:
        """What stands between two figures."""
        return "; " if self.decimal == "," else ", "


_NONE: Mapping[str, Language] = MappingProxyType({})
_OWN: ContextVar[Mapping[str, Language]] = ContextVar("own_languages", default=_NONE)


class Translations(Mapping[str, Words]):
    """Language -> words, of one table of one module; read when they are asked for."""

    def __init__(self, place: str, name: str) -> None:
        self._place, self._name = place, name

    def __getitem__(self, language: str) -> Words:
        return of(language).words[self._place][self._name]

    def __iter__(self) -> Iterator[str]:
        return iter(languages())

    def __len__(self) -> int:
        return len(languages())


def table(place: str, name: str = "texts") -> Translations:
    """The words of a table in every language; `place` as the language files name its module."""
    return Translations(place, name)


def of(language: str) -> Language:
    """The language by its code, or by the path under which `speaking` gave it.

    Raises: SpecError for one that there is not.
    """
    return _OWN.get().get(language) or _shipped(language)


def own(language: str, locate: Locate) -> Content | None:
    """The content of the user's own file that an experiment names; None for a language of ours.

    Raises: SpecError, as `read`.
    """
    return read(locate(language), language) if language.endswith(ENDING) else None


@contextlib.contextmanager
def speaking(language: str, content: Content | None = None) -> Iterator[None]:
    """While it lasts, `language` has these words; no content: those of the file that it names, or
    the shipped ones.

    Raises: SpecError for words that are not those of a language.
    """
    if content is None and language.endswith(ENDING):
        content = read(Path(language))
    if content is None:
        of(language)
        yield
        return
    check(content, language)
    token = _OWN.set({**_OWN.get(), language: _built(content)})
    try:
        yield
    finally:
        _OWN.reset(token)


def read(path: Path, named: str = "") -> Content:
    """The content of a language file of the user's own.

    Raises: SpecError, one line: what cannot be read, or which words are missing.
    """
    from harness.io import strict_yaml
    from harness.io.places import content

    where = named or path.as_posix()
    try:
        document = strict_yaml.read(content(path, YAML_BYTES).decode("utf-8-sig"), where)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise SpecError(f"{where}: a language cannot be read from it: {why}.") from error
    if document.problems:
        first = document.problems[0]
        raise SpecError(f"{where}:{first.line}: {first.path}: {first.text}.")
    check(document.data, where)
    return dict(document.data)


def check(content: Any, where: str) -> None:
    """Raises: SpecError with the first of what is missing, unknown or unlike the English words."""
    english = _flat(_content(ENGLISH))
    head = content.get(HEAD) if isinstance(content, Mapping) else None
    if not isinstance(head, Mapping):
        raise SpecError(
            f"{where}: is no language: `language:` with {', '.join(NEEDED)} is missing."
        )
    _check_head(head, where)
    found = _flat(content)
    missing = [key for key in english if key not in found]
    unknown = [key for key in found if key not in english and key.split(":")[0] not in OPTIONAL]
    unlike = [key for key in found if key in english and not _fits(found[key], english[key])]
    told = [key for key in found if key.split(":")[0] in OPTIONAL]
    unlike += [key for key in told if not _plain(found[key])]
    for keys, what in (
        (missing, "lacks the words"),
        (unknown, "has words that nothing asks for"),
        (unlike, "should have texts with the same {places} as in English:"),
    ):
        if keys:
            more = f" and {len(keys) - SHOWN_WORDS} more" if len(keys) > SHOWN_WORDS else ""
            raise SpecError(f"{where}: {what} {', '.join(keys[:SHOWN_WORDS])}{more}.")


def title(section: str, titles: Words, language: str) -> str:
    """A section's heading: of the language's file, else of the section's own, else its English."""
    return _beside("titles", section, titles, language) or section


def caption(figure: str, titles: Words, language: str) -> str:
    """What is seen in a figure, found as `title` finds a heading."""
    return _beside("captions", figure, titles, language) or figure


def metric(name: str, titles: Words, language: str) -> str:
    """What a metric is called, found as `title` finds a heading."""
    return _beside("metrics", name, titles, language) or name


def of_family(family: str, key: str, said: Mapping[str, Words], language: str) -> str:
    """A text of a family's, found as `title` finds a heading; "" where it says nothing."""
    own = {spoken: texts[key] for spoken, texts in said.items() if key in texts}
    return _beside("families", f"{family}.{key}", own, language)


def about(judge: str, said: Words, language: str) -> str:
    """What a judge's figures are valid for, found as `title` finds a heading."""
    return _beside("about", judge, said, language)


def version(judge: str, named: Words, language: str) -> str:
    """What a judge is, found as `title` finds a heading; "" where only its version says it."""
    return _beside("versions", judge, named, language)


def _beside(part: str, name: str, own: Words, language: str) -> str:
    told = of(language).words.get(part, {}).get(name)
    return str(told or own.get(language) or own.get(ENGLISH) or "")


# ---------------------------------------- files
@functools.cache
def _shipped(language: str) -> Language:
    if language not in languages():
        there = f"There is: {', '.join(languages())}, or a file of your own (./ca.yaml)."
        raise SpecError(f"report.language: no {cut(language, 60)!r}. {there}")
    return _built(_content(language))


@functools.cache
def _content(language: str) -> dict[str, Any]:
    """A file of ours, as fast as there is a way to read it."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / f"{language}.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, loader))


def _built(content: Content) -> Language:
    from babel import Locale

    head = content[HEAD]
    locale = Locale.parse(head["locale"])
    signs = locale.number_symbols["latn"]
    return Language(
        name=head["name"],
        words={place: tables for place, tables in content.items() if place != HEAD},
        locale=locale,
        quotes=head["quotes"],
        decimal=signs["decimal"],
        thousands=head.get("thousands", signs["group"]),
        thousands_from=head.get("thousands_from", 0),
        percent=locale.percent_formats[None].suffix[0],
    )


def _check_head(head: Mapping[str, Any], where: str) -> None:
    """Raises: SpecError for a head that does not tell how the language is written."""
    for key in (*NEEDED, *head):
        if not isinstance(head.get(key), KINDS.get(key, ())):
            known = ", ".join(f"{name} ({kind.__name__})" for name, kind in KINDS.items())
            raise SpecError(f"{where}: {HEAD}.{key}: is missing or not one of {known}.")
    if [type(sign) for sign in head["quotes"]] != [str, str]:
        raise SpecError(f"{where}: {HEAD}.quotes: should be a list of two signs.")
    if not _written_in_figures(head["locale"]):
        raise SpecError(f"{where}: {HEAD}.locale: should be a CLDR locale such as pt or ca_ES.")


def _written_in_figures(locale: str) -> bool:
    """Whether CLDR knows the locale, and its figures are 0 to 9."""
    from babel import Locale, UnknownLocaleError

    try:
        return "latn" in Locale.parse(locale).number_symbols
    except (ValueError, TypeError, UnknownLocaleError):
        return False


def _flat(content: Content) -> dict[str, Any]:
    """ "place:table.key" -> text, of all parts but the head; what is no table, as it is."""
    out: dict[str, Any] = {}
    for place, tables in content.items():
        if place == HEAD:
            continue
        for name, words in tables.items() if isinstance(tables, Mapping) else [("", tables)]:
            if place in OPTIONAL or not isinstance(words, Mapping):
                out[f"{place}:{name}"] = words
            else:
                out |= {f"{place}:{name}.{key}": text for key, text in words.items()}
    return out


def _plain(text: Any) -> bool:
    return isinstance(text, str) and bool(text)


def _fits(text: Any, english: str) -> bool:
    """Whether it is a text that is filled in as the English one is, and in no other way."""
    if not _plain(text):
        return False
    try:  # a text of several, as the headers of a table, has | between them
        return places(text) == places(english) and text.count("|") == english.count("|")
    except ValueError:  # a brace without its other
        return False


def places(text: str) -> Mapping[tuple[str, str, str], int]:
    """The {places} of a text that something is put into; unnamed ones are counted."""
    found = Counter(
        (name, how or "", way or "")
        for _, name, how, way in Formatter().parse(text)
        if name is not None
    )
    return {key: n if not key[0] else 1 for key, n in found.items()}
