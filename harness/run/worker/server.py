"""The child's side: answers requests about one opened model or judge, until its input ends."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from harness.contracts import Output, notes
from harness.errors import AudioError, HarnessError, OutputError, SpecError, StoreError, faults
from harness.run.worker import comparing, keeping, leaving, opening
from harness.runtime.garbage import uncollected

Clock = Callable[[], float]
Row = dict[str, Any]
SILENCE = notes.written("silence")
KEPT = 8  # prepared inputs at once
OUT_OF_MEMORY = "out of memory"
NOT_ASKED = {"seconds": None, "error": "not asked: the calls before it failed for too long."}


class Server:
    """Holds the opened model and its prepared clips, or the opened judge."""

    def __init__(
        self, clock: Clock = time.perf_counter, cpu_clock: Clock = time.process_time
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._opened: Any = None
        self._judge: Any = None
        self._prepared: dict[tuple[str, str], Callable[[], Any]] = {}
        self.tell: Callable[[Row], None] = lambda row: None  # of a request that goes on

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One of open, block, utterances, reference, nearness, probe, open_judge, judge, as
        {kind: body} -> its reply."""
        kind, body = next(iter(request.items()))
        handle = {
            "open": self._open,
            "block": self._block,
            "utterances": self._utterances,
            "reference": self._reference,
            "nearness": self._nearness,
            "probe": self._probe,
            "open_judge": self._open_judge,
            "judge": self._judged,
        }[kind]
        return handle(body)

    def _open(self, body: Mapping[str, Any]) -> dict[str, Any]:
        from harness.runtime.session import SessionConfig

        started = self._clock()
        self._opened = opening.open_model(body, SessionConfig.from_json(body["session"]))
        return {"seconds": self._clock() - started, "rss_bytes": _peak()}

    def _block(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`calls` timed calls of one operation, walking over the clips in turn from `first`; with
        `told`, each is told of when it is over, which no call that counts is kept waiting by."""
        from harness.runtime import environment

        clips: list[str] = body["clips"]
        ready = [self._prepare(body["operation"], clip) for clip in clips]
        before = environment.read_steal()
        with uncollected():
            rows = []
            for k in range(body["calls"]):
                rows.append(self._timed(ready[(body["first"] + k) % len(ready)])[0])
                if body.get("told"):
                    self.tell(rows[-1])
        return {
            "calls": rows,
            "steal": environment.read_steal().share_since(before),
            "load": environment.load_average(),
            "rss_bytes": _peak(),
        }

    def _utterances(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """One timed call of the pipeline for each item; the next is read while the model computes.

        An item: {path} or {bytes} of audio, or {text}; with `keep`, the audio that comes out is
        written there. One that fails is a row with its error, and the others go on, unless those
        that failed on end have taken `failing_seconds`.
        """
        items: list[Mapping[str, Any]] = body["items"]
        if getattr(self._opened.model, "together", 1) > 1:
            return {"calls": self._together(items, body.get("failing_seconds", math.inf))}
        rows: list[Row] = []
        most, failing, began = body.get("failing_seconds", math.inf), 0.0, self._clock()
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, items[0])
            for place, item in enumerate(items):
                ready = ahead
                if place + 1 < len(items):
                    ready.exception()  # waits: what is timed next must not wait for the reader
                    ahead = reader.submit(self._read, items[place + 1])
                row = self._utterance(item, ready) if failing <= most else dict(NOT_ASKED)
                failing, began = _failing(failing, row, self._clock() - began), self._clock()
                rows.append(row)
                self.tell(row)
        return {"calls": rows}

    def _together(self, items: list[Mapping[str, Any]], most: float) -> list[Row]:
        """The same with several calls under way at once, for a model that allows it (`together`):
        their times are of a model under load, and nothing is asked of them."""
        rows: list[Row] = []
        failing, began = 0.0, self._clock()
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(self._opened.model.together) as by:
            begun = [by.submit(self._utterance, item, reader.submit(self._read, item))
                     for item in items]  # fmt: skip
            for one in begun:
                for later in begun if failing > most else ():
                    later.cancel()  # those that are under way go on
                row = dict(NOT_ASKED) if one.cancelled() else one.result()
                failing, began = _failing(failing, row, self._clock() - began), self._clock()
                rows.append(row)
                self.tell(row)
        return rows

    def _read(self, item: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What the model takes, and what is known of it. Raises: AudioError."""
        from harness.speech import audio

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
        note = notes.joined(heard.note, SILENCE if silent else "")
        return heard.samples, {"source_rate": heard.source_rate, "note": note}

    def _utterance(self, item: Mapping[str, Any], ready: Future[Any]) -> Row:
        try:
            return self._heard(item, *ready.result())
        except (SpecError, StoreError):
            raise  # the experiment's or the disk's fault, not the item's
        except Exception as error:  # noqa: BLE001  a model may be anybody's: it must become a row
            return {"seconds": None, "error": _said(error)}

    def _heard(self, item: Mapping[str, Any], given: Any, known: dict[str, Any]) -> Row:
        from harness.runtime import environment
        from harness.speech.audio import copies

        call = self._opened.model.prepare("pipeline", given)
        before = environment.read_steal()
        row, output = self._timed(call)
        share = environment.read_steal().share_since(before)
        machine = {"steal": share, "load": environment.load_average(), "rss_bytes": _peak()}
        length = None
        if self._opened.takes == "audio":
            length = len(given) / self._opened.sample_rate
            row["note"] = "; ".join(filter(None, (row.get("note"), known.pop("note"))))
        rate = self._opened.sample_rate
        same = copies.wording(given) if length is None else copies.recording(given, rate)
        row = {**row, "audio_seconds": length, "recording": same, **known, **machine}
        if output is None or output.audio is None:
            return row
        try:
            kept = keeping.keep(output, Path(item["keep"]) if "keep" in item else None)
        except OutputError as error:
            return {**row, "seconds": None, "error": str(error)}
        figures = _text({**output.figures, **kept.figures})
        said = kept.figures["spoken_seconds"]
        own = {"audio": kept.name, "audio_sha256": kept.sha256, "figures": figures}
        return {**row, **own, "audio_seconds": said if length is None else length}

    def _reference(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps the outputs `names` of each item at its `outputs`, to be compared with."""

        def keep(given: Any, item: Mapping[str, Any]) -> Row:
            comparing.keep(self._opened.model, given, body["names"], Path(item["outputs"]))
            return {}

        return {"calls": [self._untimed(keep, item) for item in body["items"]]}

    def _nearness(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Compares the model's outputs of each item with those kept at its `outputs`."""

        def compare(given: Any, item: Mapping[str, Any]) -> Row:
            kept = Path(item["outputs"])
            return {"figures": _text(comparing.compare(self._opened.model, given, kept, compares))}

        compares = body["compares"]
        return {"calls": [self._untimed(compare, item) for item in body["items"]]}

    def _untimed(
        self, act: Callable[[Any, Mapping[str, Any]], Row], item: Mapping[str, Any]
    ) -> Row:
        """The row of an item: what `act` gives, and the seconds that it took."""
        started = self._clock()
        try:
            row = act(self._read(item)[0], item)
            row = {"seconds": self._clock() - started, **row}
        except (SpecError, StoreError):
            raise  # the experiment's or the disk's fault, not the item's
        except Exception as error:  # noqa: BLE001  a model may be anybody's: it must become a row
            row = {"seconds": None, "error": _said(error)}
        self.tell(row)
        return row

    def _probe(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What onnxruntime makes of a configuration, for each graph of a folder."""
        from harness import plugins
        from harness.runtime.session import SessionConfig
        from harness.runtime.session.probing import probe

        family = plugins.load("families", body["family"])
        graphs = plugins.shaped(family, body.get("params", {})).graphs(Path(body["folder"]))
        config = SessionConfig.from_json(body["session"])
        return {"graphs": {role: probe(path, config).to_json() for role, path in graphs.items()}}

    def _open_judge(self, body: Mapping[str, Any]) -> dict[str, Any]:
        started = self._clock()
        self._judge = opening.open_judge(body)
        return {"seconds": self._clock() - started}

    def _judged(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the judge says of the audio at `path`, read as whoever listens reads it."""
        from harness.speech import audio

        judge, rate = self._judge
        found = judge(audio.decode(Path(body["path"]), rate))
        return {"figures": _text(found.figures), "text": found.text}

    def _prepare(self, operation: str, clip: str) -> Callable[[], Any]:
        import numpy as np

        key = (operation, clip)
        if key not in self._prepared:
            if len(self._prepared) >= KEPT:  # hundreds of clips would be in the peak of memory
                self._prepared.pop(next(iter(self._prepared)))
            self._prepared[key] = self._opened.model.prepare(operation, np.load(clip))
        return self._prepared[key]

    def _timed(self, call: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
        """(the call's row, its output); None for the output of one that failed."""
        cpu = self._cpu_clock()
        started = self._clock()
        try:
            output = call()
            seconds, cpu_seconds = self._clock() - started, self._cpu_clock() - cpu
            said = _checked(output)
        except SpecError:
            raise  # the experiment's fault: it ends the run
        except Exception as error:  # noqa: BLE001  a model may be anybody's: it must become a row
            return {"seconds": None, "cpu_seconds": None, "error": _said(error)}, None
        return {"seconds": seconds, "cpu_seconds": cpu_seconds, **said}, output


def _checked(output: Output) -> Row:
    """What a row has of an output. Raises: OutputError for what is none."""
    if not isinstance(output, Output) or not isinstance(output.text, str):
        raise OutputError(f"the model gave {type(output).__name__}, not an Output with a text.")
    return {
        "tokens": output.tokens if output.tokens == output.tokens else None,
        "text": output.text,
        "note": output.notes,
        "figures": _text(output.figures),
    }


def _failing(before: float, row: Mapping[str, Any], seconds: float) -> float:
    """Seconds that calls on end have failed for."""
    return before + seconds if row.get("error") else 0.0


def _said(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY
    return str(error) if isinstance(error, HarnessError) else faults.brief(error)


def _text(figures: Mapping[str, float]) -> str:
    """Figures as the tables have them: JSON without what is not a number, "" for none."""
    known = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
    return json.dumps(known, sort_keys=True) if known else ""


def _peak() -> float:
    from harness.runtime import environment

    return environment.peak_rss_bytes()


def serve(lines: Iterable[str], answers: IO[str], server: Server) -> None:
    """Answer each JSON line with one JSON line until the input ends."""
    for line in lines:
        turn = None

        def tell(row: Mapping[str, Any]) -> None:
            answers.write(json.dumps({"row": row, "turn": turn}) + "\n")  # noqa: B023  of this turn
            answers.flush()

        try:
            request = json.loads(line)
            turn = request.pop("turn", None)
            server.tell = tell
            said = json.dumps({**server.answer(request), "turn": turn})
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  the edge of the process: it must become a row
            said = json.dumps({**_failure(error), "turn": turn})
        answers.write(said + "\n")
        answers.flush()


def _failure(error: BaseException) -> dict[str, str]:
    if isinstance(error, HarnessError):
        return {"error": str(error), "kind": type(error).__name__}
    said = _said(error) if isinstance(error, Exception) else faults.brief(error)
    return {"error": said, "kind": "WorkerError"}


def main() -> None:
    """Entry point of the child: keeps the pipes for itself. What it or a library of its prints goes
    to stderr, what one reads from its input finds nothing."""
    leaving.with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(leaving.requests(asked), answers, Server())
