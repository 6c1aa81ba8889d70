"""`harness init`: an experiment is written only if it could be checked and opened."""

from __future__ import annotations

import os
from pathlib import Path

from harness import plugins, spec
from harness.errors import SpecError, StoreError
from harness.preflight import feasibility, starting
from harness.preflight.starting import Draft, Wish
from harness.run import variants
from harness.store import write_atomic


def init(model: Path, wish: Wish, out: Path | None = None, force: bool = False) -> Draft:
    """Look at a model, write an experiment for it, say what was found.

    One that lacks what only the user knows is written with the place marked, and is for the caller
    to tell. Raises: HarnessError, one line; nothing is written then.
    """
    with plugins.answering():
        draft = starting.draft(model, wish, out)
        if not draft.lacking:
            _checked(draft)
    put(draft.out, draft.text, force)
    return draft


def _checked(draft: Draft) -> None:
    """As `harness check` would. Raises: SpecError."""
    experiment, locate = spec.parse(draft.text, draft.out), spec.locator(draft.out)
    wrong = [*variants.wrong(experiment, locate), *feasibility.missing(experiment, locate)]
    if wrong:
        raise SpecError("\n".join(wrong))


def put(out: Path, text: str, force: bool) -> None:
    """Write the file, whole or not at all. One that is there is replaced only by `force`, and a
    folder or a link never.

    Raises: StoreError.
    """
    if out.is_symlink() or (out.exists() and not out.is_file()):
        raise StoreError(f"{out}: is no plain file; give another --out.")
    if force:
        write_atomic(out, text)
        return
    if out.exists():
        raise StoreError(f"{out}: is there already; give another --out, or --force to replace it.")
    beside = out.with_name(f".{out.name}.{os.getpid()}.new")
    write_atomic(beside, text)
    try:
        os.link(beside, out)  # unlike a rename, refuses what somebody else wrote meanwhile
    except FileExistsError as error:
        raise StoreError(f"{out}: is there already; give another --out.") from error
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)
