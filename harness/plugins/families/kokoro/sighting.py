"""What `harness init` writes of a Kokoro folder: a voice of it, and eSpeak NG's language."""

from __future__ import annotations

from pathlib import Path

from harness.contracts.sightings import Sighting
from harness.errors import ModelError
from harness.plugins.families import _modelfiles, _synthesis
from harness.plugins.families.kokoro import files
from harness.plugins.families.kokoro.params import Params

OWN_INPUTS = {"style", "speed"}
# first letter of a voice's name -> language that it was made for (VOICES.md of the published model)
MADE_FOR = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt",
            "z": "zh"}  # fmt: skip
# eSpeak NG's name of a language, where it is not the language's own code
ESPEAK = dict(pair.split() for pair in ("es es-419", "en en-us", "fr fr-fr", "pt pt-br"))


def sight(path: Path, language: str) -> Sighting | None:
    """A graph with Kokoro's inputs. Raises: ModelError for one without voices, or several."""
    folder = path if path.is_dir() else path.parent
    found = [one for one in ([path] if path.is_file() else _synthesis.every(path)) if _is_one(one)]
    if not found:
        return None
    if len(found) > 1:
        raise _modelfiles.which(path, [[one] for one in found])
    (one,) = found
    files.require_inputs(one, *_synthesis.signature(one))
    files.vocabulary(folder)
    known = files.voices(folder)
    if not known:
        raise ModelError(f"{folder.name} has no voices: the file of them is empty.")
    said = language or Params.language.partition("-")[0]
    fit = [name for name in known if MADE_FOR.get(name[:1]) == said]
    voice = [*fit, *(name for name in known if name == Params.voice), *known][0]
    beside = [*files.voice_files(folder), *files.vocabulary_files(folder)]
    made_for = MADE_FOR.get(voice[:1], "another language")
    return Sighting(
        f"Kokoro, {len(known)} voices",
        path,
        files=tuple(p.relative_to(folder).as_posix() for p in beside) if path.is_file() else (),
        params={"voice": voice, "language": ESPEAK.get(said, said)},
        why={
            "voice": f"made for {said}"
            if fit
            else f"no voice was made for {said}; this one was for {made_for}",
            "language": "eSpeak NG's name of what is said",
        },
        language=said,
        graphs=(one,),
        otherwise={"pieces": "sentences"},
    )


def _is_one(path: Path) -> bool:
    try:
        inputs, _ = _synthesis.signature(path)
    except ModelError:
        return False
    return inputs >= OWN_INPUTS
