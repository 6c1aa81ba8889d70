"""What a Whisper is told before it writes: which languages its tokenizer has, or English alone.

An English-only Whisper (`.en`) was never shown a language or a task: its prompt is
`<|startoftranscript|><|notimestamps|>` (openai/whisper, tokenizer.py, `sot_sequence`: language and
task are added for multilingual models only). Its tokenizer may list languages all the same, since
all of them share one list of special tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError, SpecError
from harness.plugins.families.whisper.params import Params

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ENGLISH = "en"
GPT2_END = 50256  # <|endoftext|> of GPT-2's vocabulary, which the English-only models kept
GPT2_SIZE = 51864  # with Whisper's special tokens; multilingual models have 51865 or more
_SIGN = re.compile(r"<\|.*\|>")
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")
# what other models' vocabularies call so, and fine-tunings add
_NO_LANGUAGES = frozenset({"bos", "cls", "end", "eos", "eot", "pad", "sep", "sot", "unk"})


def languages(tokenizer: Tokenizer) -> list[str]:
    """The codes that the tokenizer has a token for."""
    found = (_LANGUAGE.fullmatch(token) for token in tokenizer.get_vocab(with_added_tokens=True))
    return sorted({match[1] for match in found if match} - _NO_LANGUAGES)


def signs(tokenizer: Tokenizer) -> frozenset[int]:
    """The ids of what is no text: the end, languages, time stamps. Wherever they stand: words that
    a fine-tuning added come behind them."""
    known = tokenizer.get_vocab(with_added_tokens=True).items()
    return frozenset(number for token, number in known if _SIGN.fullmatch(token))


def told_english_only(*configs: dict[str, Any]) -> bool | None:
    """Whether the model's JSON files say that it is (`is_multilingual`, `vocab_size`); None where
    they do not say."""
    for config in configs:
        if isinstance(told := config.get("is_multilingual"), bool):
            return not told
    return True if any(one.get("vocab_size") == GPT2_SIZE for one in configs) else None


def english_only(tokenizer: Tokenizer, told: bool | None) -> bool:
    """Whether the model knows English alone: as its files say, else by its tokenizer."""
    if told is not None:
        return told
    end = tokenizer.token_to_id("<|endoftext|>")
    return end == GPT2_END or not set(languages(tokenizer)) - {ENGLISH}


def prompt(tokenizer: Tokenizer, params: Params, told: bool | None) -> tuple[int, ...]:
    """The tokens before the first one that is said.

    Raises: SpecError for a language or task that the model does not have, ModelError for a
    tokenizer that is not Whisper's.
    """
    if english_only(tokenizer, told):
        if params.language != ENGLISH:
            raise SpecError(
                f"language: this Whisper is English-only: write `language: en`, not "
                f"{params.language!r}, or take a multilingual one."
            )
        if params.task != "transcribe":
            raise SpecError(f"task: this Whisper is English-only and cannot {params.task}.")
        return ids(tokenizer, "startoftranscript", "notimestamps")
    known = languages(tokenizer)
    if params.language not in known:
        raise SpecError(
            f"language: this Whisper has no {params.language!r}. There is: {', '.join(known)}."
        )
    return ids(tokenizer, "startoftranscript", params.language, params.task, "notimestamps")


def ids(tokenizer: Tokenizer, *names: str) -> tuple[int, ...]:
    """Ids of special tokens. Raises: ModelError for one that the tokenizer does not have."""
    found = [tokenizer.token_to_id(f"<|{name}|>") for name in names]
    missing = [name for name, one in zip(names, found, strict=True) if one is None]
    if missing:
        raise ModelError(f"tokenizer.json has no token {', '.join(missing)}: it is not Whisper's.")
    return tuple(int(one) for one in found if one is not None)
