"""The child's side: answers requests about one opened model or judge, until its input ends."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from harness.errors import AudioError, HarnessError, SpecError
from harness.garbage import uncollected
from harness.worker import keeping, opening, sounding

Clock = Callable[[], float]
SILENCE = "the clip is silence"


class Server:
    """Holds the opened model and its prepared clips, or the opened judge."""

    def __init__(
        self, clock: Clock = time.perf_counter, cpu_clock: Clock = time.process_time
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._opened: Any = None
        self._judge: Any = None
        self._prepared: dict[tuple[str, str], Callable[[], Any]] = {}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One of open, block, utterances, probe, open_judge, judge: {kind: body} -> its reply."""
        kind, body = next(iter(request.items()))
        handle = {
            "open": self._open,
            "block": self._block,
            "utterances": self._utterances,
            "probe": self._probe,
            "open_judge": self._open_judge,
            "judge": self._judged,
        }[kind]
        return handle(body)

    def _open(self, body: Mapping[str, Any]) -> dict[str, Any]:
        from harness.session import SessionConfig

        started = self._clock()
        self._opened = opening.open_model(body, SessionConfig.from_json(body["session"]))
        return {"seconds": self._clock() - started, "rss_bytes": _peak()}

    def _block(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`calls` timed calls of one operation, walking over the clips in turn from `first`."""
        from harness import environment

        clips: list[str] = body["clips"]
        ready = [self._prepare(body["operation"], clip) for clip in clips]
        before = environment.read_steal()
        with uncollected():
            rows = [
                self._timed(ready[(body["first"] + k) % len(ready)])[0]
                for k in range(body["calls"])
            ]
        return {
            "calls": rows,
            "steal": environment.read_steal().share_since(before),
            "load": environment.load_average(),
            "rss_bytes": _peak(),
        }

    def _utterances(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One timed call of the pipeline for each item; the next is read while the model computes.

        An item: {path} or {bytes} of audio, or {text}; with `keep`, the audio that comes out is
        written there. One that fails is a row with its error, and the others go on.
        """
        items: list[Mapping[str, Any]] = body["items"]
        rows = []
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, items[0])
            for place, item in enumerate(items):
                ready = ahead
                if place + 1 < len(items):
                    ready.exception()  # waits: what is timed next must not wait for the reader
                    ahead = reader.submit(self._read, items[place + 1])
                rows.append(self._utterance(item, ready))
        return {"calls": rows}

    def _read(self, item: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What the model takes, and what is known of it. Raises: AudioError."""
        from harness import audio

        if self._opened.takes == "text":
            return item["text"], {}
        if not {"bytes", "path"} & set(item):
            raise AudioError("has no audio; a recogniser needs some.")
        source = base64.b64decode(item["bytes"]) if "bytes" in item else Path(item["path"])
        part, told = item.get("part"), item.get("seconds")
        heard = audio.hear(
            source,
            self._opened.sample_rate,
            part and (part[0], math.inf if part[1] is None else part[1]),
            math.nan if told is None else told,
        )
        silent = audio.is_silent(heard.samples)
        if silent and item.get("text", "").strip():
            raise AudioError("the clip is silent (nothing above -80 dB), its transcript is not.")
        note = "; ".join(filter(None, (heard.note, SILENCE if silent else "")))
        return heard.samples, {"source_rate": heard.source_rate, "note": note}

    def _utterance(
        self, item: Mapping[str, Any], ready: Future[tuple[Any, dict[str, Any]]]
    ) -> dict[str, Any]:
        from harness import environment

        try:
            given, known = ready.result()
            call = self._opened.model.prepare("pipeline", given)
        except SpecError:
            raise  # the experiment's fault, not the item's
        except HarnessError as error:
            return {"seconds": None, "error": str(error)}
        before = environment.read_steal()
        row, output = self._timed(call)
        share = environment.read_steal().share_since(before)
        machine = {"steal": share, "load": environment.load_average(), "rss_bytes": _peak()}
        length = None
        if self._opened.takes == "audio":
            length = len(given) / self._opened.sample_rate
            row["note"] = "; ".join(filter(None, (row.get("note"), known.pop("note"))))
        same = sounding.wording(given) if length is None else sounding.recording(given)
        row = {**row, "audio_seconds": length, "recording": same, **known, **machine}
        if output is None or output.audio is None:
            return row
        try:
            kept = keeping.keep(output, Path(item["keep"]) if "keep" in item else None)
        except HarnessError as error:
            return {**row, "seconds": None, "error": str(error)}
        figures = _text({**output.figures, **kept.figures})
        said = kept.figures["spoken_seconds"]
        own = {"audio": kept.name, "audio_sha256": kept.sha256, "figures": figures}
        return {**row, **own, "audio_seconds": said if length is None else length}

    def _probe(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What onnxruntime makes of a configuration, for each graph of a folder."""
        from harness import plugins
        from harness.session import SessionConfig
        from harness.session.probing import probe

        graphs = plugins.load("families", body["family"]).graphs(Path(body["folder"]))
        config = SessionConfig.from_json(body["session"])
        return {"graphs": {role: probe(path, config).to_json() for role, path in graphs.items()}}

    def _open_judge(self, body: Mapping[str, Any]) -> dict[str, Any]:
        started = self._clock()
        self._judge = opening.open_judge(body)
        return {"seconds": self._clock() - started}

    def _judged(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the judge says of the audio at `path`, read as whoever listens reads it."""
        from harness import audio

        judge, rate = self._judge
        found = judge(audio.decode(Path(body["path"]), rate))
        return {"figures": _text(found.figures), "text": found.text}

    def _prepare(self, operation: str, clip: str) -> Callable[[], Any]:
        import numpy as np

        key = (operation, clip)
        if key not in self._prepared:
            self._prepared[key] = self._opened.model.prepare(operation, np.load(clip))
        return self._prepared[key]

    def _timed(self, call: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
        """(the call's row, its output); None for the output of one that failed."""
        cpu = self._cpu_clock()
        started = self._clock()
        try:
            output = call()
        except SpecError:
            raise  # the experiment's fault: it ends the run
        except HarnessError as error:
            return {"seconds": None, "cpu_seconds": None, "error": str(error)}, None
        seconds = self._clock() - started
        tokens = output.tokens if output.tokens == output.tokens else None
        row = {
            "seconds": seconds,
            "cpu_seconds": self._cpu_clock() - cpu,
            "tokens": tokens,
            "text": output.text,
            "note": output.notes,
            "figures": _text(output.figures),
        }
        return row, output


def _text(figures: Mapping[str, float]) -> str:
    """Figures as the tables have them: JSON without what is not a number, "" for none."""
    known = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
    return json.dumps(known, sort_keys=True) if known else ""


def _peak() -> float:
    from harness import environment

    return environment.peak_rss_bytes()


def serve(lines: IO[str], answers: IO[str], server: Server) -> None:
    """Answer each JSON line with one JSON line until the input ends."""
    for line in lines:
        try:
            reply = server.answer(json.loads(line))
        except HarnessError as error:
            reply = {"error": str(error), "kind": type(error).__name__}
        except MemoryError:
            reply = {"error": "out of memory", "kind": "WorkerError"}
        except Exception as error:  # noqa: BLE001  the edge of the process: it must become a row
            text = " ".join(str(error).split())[:500]
            reply = {"error": f"{type(error).__name__}: {text}", "kind": "WorkerError"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def main() -> None:
    """Entry point of the child: keeps the pipe for itself, sends stray prints to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin, answers, Server())
