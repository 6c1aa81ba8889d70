"""Chat completions that hear: what is sent, a stream read as it comes, what goes wrong in one."""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from asr_server import Asked, Reply, Server, serving

from harness import spec
from harness.contracts import Call
from harness.errors import OutputError, SpecError, limits
from harness.plugins import find_metric
from harness.plugins.families.http import Params, chat, client, family
from harness.plugins.families.http.answers import NoTranscriptError
from harness.plugins.families.http.model import wav
from harness.run.worker import server as worker
from harness.runtime.session import SessionConfig

RATE = 16_000
CLIP = np.random.default_rng(5).integers(-9000, 9000, RATE // 2).astype(np.float32) / 32768
SSE = {"Content-Type": "text/event-stream; charset=utf-8"}

Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connections of a test's clients end with it."""
    made: list[client.Client] = []
    kept = client.Client.__init__

    def init(self: client.Client, params: Params, key: str) -> None:
        kept(self, params, key)
        made.append(self)

    monkeypatch.setattr(client.Client, "__init__", init)
    yield
    for one in made:
        one.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """start(reply, ...): a server that gives them in turn, the last one for ever."""
    running: list[Any] = []

    def begin(*replies: Reply) -> Server:
        left = list(replies)
        server = serving(lambda _: left.pop(0) if len(left) > 1 else left[0])
        running.append(server)
        return server.__enter__()

    yield begin
    for server in running:
        server.__exit__(None, None, None)


def event(content: Any = None, **more: Any) -> bytes:
    """An event as vLLM sends them."""
    finish = more.pop("finish", None)
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return data({"id": "x", "object": "chat.completion.chunk", "choices": [choice], **more})


def data(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def usage(tokens: Any) -> bytes:
    return data({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": tokens}})


DONE = data("[DONE]")
ROLE = data({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
END = event("", finish="stop")
WHOLE = (ROLE, event("Hola,"), event(" mun"), event("do."), END, usage(5), DONE)


def stream(*parts: bytes, **more: Any) -> Reply:
    return Reply(headers=SSE, parts=parts, **more)


def message(content: Any, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, **more}
    return {"choices": [choice], "usage": {"completion_tokens": 4}}


def opened(server: Server, **params: Any) -> Any:
    given = {"url": server.url, "model": "omni", "timeout_seconds": 5.0, "api": "chat", **params}
    return family.open(Path(), lambda path: pytest.fail("no session"), Params(**given))


def call(server: Server, **params: Any) -> Any:
    return opened(server, **params).prepare("pipeline", CLIP)()


# ------------------------------------------------------------------------------------- what is sent
def test_the_server_gets_a_wav_and_the_prompt_as_parts_of_a_message(start: Start) -> None:
    server = start(stream(*WHOLE))
    said = call(server, prompt="Write what you hear in {language}.", max_tokens=99)
    (asked,) = server.asked
    assert (said.text, said.tokens, said.notes) == ("Hola, mundo.", 5.0, "")
    assert set(said.figures) == {"retries", "waited_seconds", "first_token_seconds"}
    heard, rate = soundfile.read(io.BytesIO(asked.audio), dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(heard, CLIP)
    parts = asked.fields["messages"][0].pop("content")
    assert parts[1] == {"type": "text", "text": "Write what you hear in es."}
    assert asked.fields == {
        "model": "omni", "max_tokens": 99, "temperature": 0.0, "messages": [{"role": "user"}],
        "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    assert asked.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("given", "missing"),
    [({"temperature": None}, {"temperature"}), ({"stream": False}, {"stream", "stream_options"})],
)
def test_what_is_not_asked_is_not_sent(
    start: Start, given: dict[str, Any], missing: set[str]
) -> None:
    server = start(stream(*WHOLE) if "stream" not in given else Reply(body=message("Hola.")))
    call(server, **given)
    assert not missing & set(server.asked[0].fields)


@pytest.mark.parametrize(("language", "ends"), [("es", "Its language is es."), ("", "else.")])
def test_unless_said_the_words_are_asked_for(language: str, ends: str) -> None:
    asking = Params("http://h/v1", "m", language=language, api="chat").asking
    assert asking.startswith("Write down what is said")
    assert asking.endswith(ends)


def test_a_whole_endpoint_as_url_is_understood(start: Start) -> None:
    server = start(stream(*WHOLE))
    assert call(server, url=server.url + "/chat/completions").text == "Hola, mundo."


def test_all_calls_share_one_connection(start: Start) -> None:
    server = start(stream(*WHOLE))
    again = opened(server).prepare("pipeline", CLIP)
    assert [again().text for _ in range(3)] == ["Hola, mundo."] * 3
    assert len(server.connections) == 1


# ------------------------------------------------------------------------- a stream as it comes
def test_the_first_words_are_timed_when_they_come(start: Start) -> None:
    found = call(start(stream(*WHOLE, gap=0.15)))
    first = found.figures["first_token_seconds"]
    assert first >= 0.15  # the first part names the role alone
    assert first < 0.15 * len(WHOLE)


def test_first_token_is_a_metric_and_tokens_are_those_of_the_usage(start: Start) -> None:
    found = call(start(stream(*WHOLE)))
    seen = Call("pipeline", 2.0, 1.0, found.tokens, 0.0, "", "", figures=found.figures)
    metric = find_metric("first_token_p90_ms")
    assert metric.metric.measure is not None
    value, weight = metric.metric.measure(seen)
    assert value == 1e3 * found.figures["first_token_seconds"]
    assert (weight, metric.quantile) == (1.0, 0.9)
    measure = find_metric("tokens_per_second").metric.measure
    assert measure is not None
    assert measure(seen) == (5.0, 2.0)


def cuts(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def heard(parts: Iterator[bytes] | list[bytes], **params: Any) -> Any:
    """What a stream says, read in these parts, one a second."""
    made = chat.Events(Params("http://h/v1", "m", api="chat", **params))
    second = 0
    for second, part in enumerate(parts, 1):
        made.feed(part, second)
    return made.said(second)


ACCENTS = b"".join((event("Ñandú "), event("«sí» 🎵"), event("", finish="stop"), DONE))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_a_stream_may_be_cut_anywhere_and_end_its_lines_in_any_way(size: int, ends: bytes) -> None:
    found = heard(cuts(ACCENTS.replace(b"\n", ends), size))
    assert found.text.split() == ["Ñandú", "«sí»"]  # the sign of music is no word


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([event("a"), DONE], "a"),
        ([event("a", finish="stop")], "a"),  # no [DONE], but a reason to end
        ([event("a", finish="stop").rstrip()], "a"),  # nor a line behind the last event
        ([b": ping\n\n", event("a"), b": ping\n\n", DONE], "a"),
        ([b"retry: 5\nid: 3\nevent: message\n", event("a"), DONE], "a"),
        ([b"\xef\xbb\xbf", event("a"), DONE], "a"),
        ([b"data:" + event("a")[6:], DONE], "a"),
        ([b'data: {"choices": [{"delta":\ndata: {"content": "a"}}]}\n\n', DONE], "a"),
        ([event([{"type": "text", "text": "a"}]), event([{"type": "text", "text": "b"}]), DONE],
         "ab"),
        ([event(None), data({"choices": [{"index": 0, "delta": None}]}), event("a"), DONE], "a"),
        ([data({"choices": []}), event("a"), usage(-1), usage("x"), usage(True), DONE], "a"),
        ([DONE], ""),
        ([event("<|es|> a"), DONE], "a"),
    ],
)  # fmt: skip
def test_streams_of_many_kinds_are_read(parts: list[bytes], text: str) -> None:
    found = heard(parts)
    assert found.text.strip() == text
    assert str(found.tokens) == "nan"


def test_an_answer_that_its_tokens_ended_is_noted(start: Start) -> None:
    cut = (event("Hola,"), event("", finish="length"), usage(7), DONE)
    assert call(start(stream(*cut))).notes == "budget_spent tokens=7"
    whole = Reply(body={**message("Hola,", finish_reason="length"), "usage": None})
    found = call(start(whole), max_tokens=3, stream=False)
    assert found.notes == "budget_spent tokens=3"
    assert str(found.tokens) == "nan"


def test_an_answer_without_a_stream_is_read_and_noted(start: Start) -> None:
    found = call(start(Reply(body=message(" Hola, mundo."))))
    assert (found.text, found.tokens, found.notes) == ("Hola, mundo.", 4.0, "not_streamed")
    assert "first_token_seconds" not in found.figures


def test_a_packed_stream_is_unpacked(start: Start) -> None:
    import gzip

    packed = gzip.compress(b"".join(WHOLE))
    reply = Reply(headers={**SSE, "Content-Encoding": "gzip"}, parts=cuts(packed, 20))
    assert call(start(reply)).text == "Hola, mundo."


def test_after_429_it_is_asked_again_and_the_first_words_wait_too(start: Start) -> None:
    busy = Reply(429, headers={"Retry-After": "0"}, hang=0.2)
    found = call(start(busy, stream(*WHOLE)))
    assert found.text == "Hola, mundo."
    assert found.figures["first_token_seconds"] >= 0.2
    assert found.notes.startswith("repeated times=2 why=429")


# ------------------------------------------------------------------------------ what goes wrong
ERROR = {"error": {"message": "no GPU", "code": 500}}
WRONG = [
    (stream(event("Hola")), "its answer broke off: the stream has no end"),
    (stream(event("Hola"), cut=True), "its answer broke off"),
    (stream(b"data: {\n\n"), r"answered a stream whose event is no JSON: \{\.$"),
    (stream(data([1])), "answered a stream whose event is no JSON"),
    (stream(data("[" * 100_000)), "answered a stream whose event is no JSON"),
    (stream(data('{"choices": [], "choices": []}')), "JSON in which a key stands twice"),
    (stream(b"data: \xff\n\n"), "answered a stream that is no UTF-8"),
    (stream(event("Ho"), data(ERROR), DONE), "answered an error: .*no GPU"),
    (stream(b"event: error\ndata: {}\n\n"), "answered an error"),
    (stream(DONE, event("more")), "its stream goes on behind its end"),
    (stream(data({"choices": 5}), DONE), "whose `choices` are no list of objects"),
    (stream(data({"choices": [5]}), DONE), "whose `choices` are no list of objects"),
    (stream(data({"choices": [{"delta": 5}]}), DONE), "whose `delta` is no object"),
    (stream(event({"a": 1}), DONE), "whose `content` is no text"),
    (stream(event([{"type": "text", "text": 5}]), DONE), "whose `content` is no text"),
    (stream(data({"choices": [{"index": 1, "delta": {"content": "b"}}]})), "several choices"),
    (stream(data({"choices": [{}, {}]})), "answered several choices, one was asked for"),
    (stream(event("", finish="content_filter"), DONE), r"withheld its answer \(content_filter\)"),
    (stream(event('{"text": "Hola"}'), DONE), "answered JSON inside of the text"),
    (stream(event("<html><body>"), DONE), "answered a web page inside of the text"),
    (stream(b"<html>no\n\n"), "the stream has no end: <html>no"),
    (stream(b"\n"), "the stream has no end"),
    (Reply(body=b"".join(WHOLE)), "answered no JSON: data: "),  # not said to be a stream
    (Reply(body={"text": "Hola"}), "answered JSON without `choices`"),
    (Reply(body=ERROR), "answered an error"),
    (Reply(body={"choices": []}), "answered JSON without `choices`"),
    (Reply(body={"choices": [{"message": None}]}), "whose message has no text"),
    (Reply(body=message(None, refusal="no")), "whose message has no text"),
    (Reply(body=message(5)), "whose `content` is no text"),
    (Reply(404, body=b"no"), r"has no /v1/chat/completions, or no model 'omni' \(404\): no"),
    (Reply(400, headers=SSE, body=b"no audio"), "answered 400: no audio"),
]


@pytest.mark.parametrize(("reply", "told"), WRONG, ids=[told[:30] for _, told in WRONG])
def test_each_wrong_answer_is_one_line(start: Start, reply: Reply, told: str) -> None:
    server = start(reply, stream(event("never asked again"), DONE))
    with pytest.raises(OutputError, match=told) as caught:
        call(server)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert len(server.asked) == 1


ENDLESS: list[tuple[Callable[[], Iterator[bytes]], str]] = [
    (lambda: itertools.repeat(event("x" * 60_000)), "its answer is over 1 MB"),
    (lambda: itertools.repeat(b"x" * 60_000), "a line that does not end"),
    (lambda: itertools.repeat(b"data: " + b"x" * 60_000 + b"\n"), "its answer is over 16 MB"),
    (lambda: itertools.repeat(b": ping\n\n" * 8_000), "its answer is over 16 MB"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("parts", "told"), ENDLESS, ids=["words", "line", "event", "comments"])
def test_a_stream_without_end_is_left_at_its_bound(
    start: Start, parts: Callable[[], Iterator[bytes]], told: str
) -> None:
    server = start(stream(*itertools.islice(parts(), 400)), stream(*WHOLE))
    model = opened(server, timeout_seconds=60.0)
    with pytest.raises(OutputError, match=told):
        model.prepare("pipeline", CLIP)()
    assert model.prepare("pipeline", CLIP)().text == "Hola, mundo."  # the next is none the worse


@pytest.mark.parametrize("part", [b": ping\n\n", event("a")], ids=["comments", "words"])
def test_a_stream_that_trickles_is_left_after_the_timeout(start: Start, part: bytes) -> None:
    server = start(Reply(headers=SSE, parts=[part] * 500, gap=0.02), stream(*WHOLE))
    model = opened(server, timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(OutputError, match=r"gave no answer within 0\.5 s"):
        model.prepare("pipeline", CLIP)()
    assert time.monotonic() - began < 5
    assert model.prepare("pipeline", CLIP)().text == "Hola, mundo."


def test_many_small_parts_take_time_in_proportion() -> None:
    """Two hundred thousand bytes, each a part of its own: what was looked at is not again."""
    with pytest.raises(NoTranscriptError, match="no end"):
        heard([b"x"] * 200_000)


def test_the_key_shows_nowhere(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "a-key-that-nobody-may-see"
    monkeypatch.setenv("THE_KEY", key)
    server = start(stream(event(f"it is {key}"), DONE), stream(data({"error": key})))
    ask = opened(server, api_key_env="THE_KEY").prepare("pipeline", CLIP)
    for told in ("with the key in it", "answered an error: .*\\*\\*\\*"):
        with pytest.raises(OutputError, match=told) as caught:
            ask()
        assert key not in str(caught.value)
    assert server.asked[0].headers["Authorization"] == f"Bearer {key}"


# ------------------------------------------------------------------------- several at once
class Crowd:
    """Answers by the clip's length, once as many calls are there as were awaited."""

    def __init__(self, awaited: int) -> None:
        self.together = threading.Barrier(awaited, timeout=30)
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def __call__(self, asked: Asked) -> Reply:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.together.wait()
        with self.lock:
            self.now -= 1
        return stream(event(str(len(asked.audio))), DONE)


def clips(folder: Path, count: int) -> list[dict[str, Any]]:
    items = []
    for number in range(count):
        (folder / f"{number}.wav").write_bytes(wav(CLIP[: 4000 + number]))
        items.append({"path": str(folder / f"{number}.wav"), "text": "x"})
    return items


def child(url: str, **params: Any) -> worker.Server:
    made = worker.Server()
    given = {"url": url, "model": "omni", "api": "chat", "timeout_seconds": 60.0, **params}
    body = {"family": "http", "folder": "", "params": given}
    made.answer({"open": {**body, "session": SessionConfig("default").to_json()}})
    return made


@pytest.mark.parametrize("together", [1, 4])
def test_so_many_calls_are_under_way_at_once_and_rows_keep_their_order(
    tmp_path: Path, together: int
) -> None:
    crowd = Crowd(together)
    with serving(crowd) as server:
        told: list[Any] = []
        asked = child(server.url, concurrency=together)
        asked.tell = told.append
        rows = asked.answer({"utterances": {"items": clips(tmp_path, 8)}})["calls"]
        assert [row["text"] for row in rows] == [str(2 * (4000 + n) + 44) for n in range(8)]
        assert crowd.most == together
        assert told == rows
        assert len(server.connections) == together


def test_calls_that_are_timed_go_one_by_one(tmp_path: Path) -> None:
    crowd = Crowd(1)
    np.save(tmp_path / "1s.npy", CLIP)
    with serving(crowd) as server:
        asked = {"operation": "pipeline", "clips": [str(tmp_path / "1s.npy")], "first": 0}
        child(server.url, concurrency=4).answer({"block": {**asked, "calls": 6}})
    assert crowd.most == 1


def test_of_calls_that_fail_on_end_the_rest_are_not_made(tmp_path: Path) -> None:
    with serving(lambda _: Reply(500, hang=0.1)) as server:
        request = {"items": clips(tmp_path, 8), "failing_seconds": 0.0}
        rows = child(server.url, concurrency=2).answer({"utterances": request})["calls"]
        assert len(rows) == 8
        assert all(row["error"] for row in rows)
        assert len(server.asked) < 8


YAML = """name: served
model: {family: http, url: "http://localhost:1/v1", model: omni, api: chat, concurrency: 4}
variants: [{name: one}, {name: two, params: {concurrency: MANY}}]
baseline: one
candidate: two
quality:
  - dataset: {use: no_speech, seconds: [2]}
    name: quiet
    metrics: [METRICS]
    normaliser: generic
gates: [{metric: hallucinations, max: 0.5}]
"""


@pytest.mark.parametrize(
    ("metrics", "many", "told"),
    [
        ("hallucinations, loops", 4, ""),
        ("hallucinations, rtf", 4, "quality[0].metrics[1]: rtf is a time, and one has 4 calls"),
        ("hallucinations, first_token_ms", 8, "first_token_ms is a time, and two has 8 calls"),
        ("hallucinations, latency_p99_ms", 1, "latency_p99_ms is a time, and one has 4 calls"),
    ],
)
def test_no_time_is_asked_of_a_server_under_our_own_load(
    tmp_path: Path, metrics: str, many: int, told: str
) -> None:
    text = YAML.replace("METRICS", metrics).replace("MANY", str(many))
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    if not told:
        assert spec.load(tmp_path / "x.yaml").name == "served"
        return
    with pytest.raises(SpecError) as caught:
        spec.load(tmp_path / "x.yaml")
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_one_call_at_a_time_may_be_timed(tmp_path: Path) -> None:
    text = YAML.replace("METRICS", "hallucinations, rtf, first_token_ms").replace("MANY", "1")
    (tmp_path / "x.yaml").write_text(text.replace("concurrency: 4", "concurrency: 1"))
    assert spec.load(tmp_path / "x.yaml").quality[0].metrics[-1] == "first_token_ms"


# --------------------------------------------------------------------------- our own model, served
@pytest.mark.model
def test_our_whisper_served_by_a_chat_says_what_it_says_here(
    whisper_fp32: Path, root: Path
) -> None:
    from harness.plugins.datasets.common_voice import Params as Release
    from harness.plugins.datasets.common_voice import load
    from harness.plugins.families.whisper import family as whisper
    from harness.runtime.session import open_session
    from harness.speech import audio

    def begin(path: Path) -> Any:
        return open_session(path, SessionConfig("default"))

    model = whisper.open(whisper_fp32, begin, whisper.Params())
    lock = threading.Lock()

    def answer(asked: Asked) -> Reply:
        samples = audio.decode(asked.audio, RATE)
        with lock:
            said = model.prepare("pipeline", samples)()
        words = [event(f"{word} ") for word in said.text.split()]
        return stream(*words, event("", finish="stop"), usage(int(said.tokens)), DONE)

    one = load(Release("data/cv-es-prompts", limit=3), lambda name: root / name).utterances[0]
    assert isinstance(one.audio, Path)
    samples = audio.decode(one.audio, RATE)
    here = model.prepare("pipeline", samples)()
    with serving(answer) as server:
        there = opened(server, timeout_seconds=120.0).prepare("pipeline", samples)()
    assert there.text.split() == here.text.split()
    assert there.tokens == here.tokens
    assert there.figures["first_token_seconds"] > 0


def test_the_bounds_of_a_stream_are_stated() -> None:
    assert limits.STREAM_BYTES == 16 * limits.MEGABYTE
