"""What counts as words in a server's answer, and what is no transcript at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.plugins.families.http.answers import NoTranscriptError, transcript

HOLA = "Hola, mundo."
SRT = (
    "1\r\n00:00:00,000 --> 00:00:01,500\r\nHola,\r\n\r\n"
    "2\r\n00:00:01,500 --> 00:00:03,000\r\nmundo.\r\n"
)
VTT = (
    "WEBVTT\n\nNOTE nobody says this\n\nintro\n00:00.000 --> 00:01.500 align:start\n"
    "<v Ana>Hola,</v>\n\n00:01.500 --> 00:03.000\nmundo.\n"
)

# text as a server gives it -> the words in it
TEXTS = [
    (HOLA, HOLA),
    ("  Hola,   mundo. \n", "Hola,   mundo."),  # nothing is touched where there is no markup
    (f"<|startoftranscript|><|es|><|transcribe|><|notimestamps|> {HOLA}<|endoftext|>", HOLA),
    ("<|0.00|> Hola,<|1.20|><|1.20|> mundo.<|2.44|>", HOLA),
    ("<|yue|><|haw|>Hola, mundo.", HOLA),
    (f"<s> {HOLA}</s>", HOLA),
    (f"{HOLA}<pad><pad><pad>", HOLA),
    ("Hola,<unk> mundo.</s>", "Hola, mundo."),
    (f"[PAD][CLS] {HOLA} [SEP]", HOLA),
    (f"[00:00:00.000 --> 00:00:03.000]   {HOLA}", HOLA),
    ("[00:00.000 --> 00:02.000] Hola,\n[00:02.000 --> 00:03.000] mundo.", HOLA),
    ("<00:00:01.000>Hola, <00:00:02.000>mundo.", HOLA),
    ("00:00.000 --> 00:02.000 Hola, mundo.", HOLA),
    (SRT, HOLA),
    (VTT, HOLA),
    (" [BLANK_AUDIO]\n", ""),
    ("[ Silence ]", ""),
    ("[MÚSICA] Hola, mundo. [Aplausos]", HOLA),
    ("(music)", ""),
    ("(speaking in foreign language)", ""),
    ("(un perro)", ""),
    ("*risas*", ""),
    ("Hola, (música) mundo.", HOLA),
    ("Hola, (risas) mundo. *applause*", HOLA),
    ("♪ Hola, mundo. ♪", HOLA),
    ("♪♪♪", ""),
    ("SPEAKER_00: Hola,\nSPEAKER_01: mundo.", HOLA),
    ("Speaker 1: Hola, mundo.", HOLA),
    ("▁Hola,▁mundo.", HOLA),
    ("Hola, ⁇ mundo.", HOLA),
    ("Hola, mundo.&nbsp;", HOLA),
    ("s&iacute; &amp; no", "sí & no"),
    ("AT&T; y speaker: no", "AT&T; y speaker: no"),
    ("Hola (buenas) mundo", "Hola (buenas) mundo"),  # words in brackets are words
    ("dos * tres * cuatro", "dos * tres * cuatro"),
    ("3 < 5 y 7 > 2", "3 < 5 y 7 > 2"),
    ("a las 10:30 salimos", "a las 10:30 salimos"),
    ("", ""),
]


@pytest.mark.parametrize(("said", "words"), TEXTS)
def test_markup_is_no_word(said: str, words: str) -> None:
    found = transcript(json.dumps({"text": said}).encode(), "json")
    assert found.text.strip() == words
    assert bool(found.notes) == (said.split() != words.split())


@pytest.mark.parametrize("asked", ["json", "srt", "vtt", "text", None])
@pytest.mark.parametrize("body", [SRT, VTT, "\ufeff" + SRT])
def test_subtitles_are_read_whatever_was_asked_for(body: str, asked: str | None) -> None:
    found = transcript(body.encode(), asked)
    assert found.text == HOLA
    assert found.notes == ("subtitles",)


ANSWERS: list[tuple[Any, str]] = [
    ({"text": "", "segments": [{"text": " Hola,"}, {"text": " mundo."}]}, "segments"),
    ({"text": None, "segments": [{"text": "Hola, mundo."}]}, "segments"),
    ({"segments": [{"id": 0, "text": "Hola,"}, {"no": 1}, {"text": None}, {"text": "mundo."}]},
     "segments"),
    ({"text": "  \n", "chunks": [{"timestamp": [0, 1], "text": "Hola, mundo."}]}, "chunks"),
    ({"utterances": [{"text": "Hola,"}, {"text": "mundo."}], "text": ""}, "utterances"),
    ({"text": "", "words": [{"word": "Hola,"}, {"word": "mundo."}]}, "words"),
    ({"text": "", "segments": [], "words": [{"text": "Hola,"}, {"text": "mundo."}]}, "words"),
    ({"text": "", "segments": ["Hola,", "mundo."]}, "segments"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "where"), ANSWERS)
def test_text_that_stands_only_in_its_parts_is_taken_and_noted(answer: Any, where: str) -> None:
    found = transcript(json.dumps(answer).encode(), "json")
    assert found.text == HOLA
    assert found.notes == (f"text_taken where={where}",)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": HOLA, "error": None},
        {"text": HOLA, "segments": [{"text": "something else"}]},
        {"text": HOLA, "success": True, "errors": []},
        {"task": "transcribe", "language": "es", "duration": 2.5, "text": HOLA, "segments": None},
        {"text": HOLA, "status": "completed", "code": 0, "message": "ok", "type": "transcript"},
    ],
)
def test_a_plain_answer_needs_no_note(answer: Any) -> None:
    assert transcript(json.dumps(answer).encode(), "json") == transcript(
        json.dumps({"text": HOLA}).encode(), "json"
    )


@pytest.mark.parametrize(
    ("body", "asked", "words"),
    [
        (HOLA, "text", HOLA), (HOLA, None, HOLA), ("", "text", ""), ("23", "text", "23"),
        (json.dumps(HOLA), "text", HOLA), ("null", "text", "null"),
        ("\ufeff" + HOLA, "text", HOLA), ("[BLANK_AUDIO]", "text", ""),
        (json.dumps({"text": HOLA}), "text", HOLA), (json.dumps({"text": HOLA}), None, HOLA),
    ],
)  # fmt: skip
def test_text_alone_is_an_answer_where_it_was_asked_for(
    body: str, asked: str | None, words: str
) -> None:
    assert transcript(body.encode(), asked).text.strip() == words


NONE: list[tuple[Any, str | None, str]] = [
    ({"text": json.dumps({"error": "out of memory"})}, "json", "JSON inside of the text"),
    ({"text": '[{"error": 1}]'}, "json", "JSON inside of the text"),
    ({"text": '{"text": "Hola"}'}, "json", "JSON inside of the text"),
    ({"text": "{'error': 'out of memory'}"}, "json", "JSON inside of the text"),
    ({"text": '```json\n{"text": "Hola"}\n```'}, "json", "JSON inside of the text"),
    ({"text": 'data: {"text": "Hola"}'}, "json", "JSON inside of the text"),
    ({"text": 'failed: {"code": 500}'}, "json", "JSON inside of the text"),
    ({"text": "", "message": "overloaded"}, "json", "answered an error"),
    ({"text": "", "detail": "still loading"}, "json", "answered an error"),
    ({"text": "", "status": "failed"}, "json", "answered an error"),
    ({"text": "Hola", "status": "error"}, "json", "answered an error"),
    ({"text": "", "code": 503}, "json", "answered an error"),
    ({"error": {"message": "no"}}, "json", "answered an error"),
    ({"error": "busy", "text": ""}, "json", "answered an error"),
    ({"error": "busy", "text": "Hola"}, "json", "answered an error"),
    ({"errors": ["a"], "segments": [{"text": "Hola"}]}, "json", "answered an error"),
    ({"success": False, "text": ""}, "json", "answered an error"),
    ({"detail": "Not found"}, "json", "JSON without `text`"),
    ({"text": None}, "json", "JSON without `text`"),
    ({"text": None, "segments": []}, "json", "JSON without `text`"),
    ({"text": 5}, "json", "whose `text` is no text"),
    ({"text": ["Hola"]}, "json", "whose `text` is no text"),
    ({"text": {"a": 1}}, "json", "whose `text` is no text"),
    ({"text": False}, "json", "whose `text` is no text"),
    ([{"text": "Hola"}], "json", "JSON without `text`"),
    ("Hola", "json", "JSON without `text`"),
    (5, "json", "JSON without `text`"),
    (None, "json", "JSON without `text`"),
    ({"text": "<!DOCTYPE html><html>"}, "json", "web page inside of the text"),
    (b"<!doctype html><p>502", "json", "a web page"),
    (b"  <html><body>login", "text", "a web page"),
    (b"<html>", None, "a web page"),
    (b'data: {"type": "transcript.text.delta"}\n\n', "json", "a stream of events"),
    (b"event: done\ndata: [DONE]\n", "text", "a stream of events"),
    (b'{"text": "Hola"}\n{"text": "mundo"}\n', "json", "several JSON documents"),
    (b'{"text": "Hola", "text": "mundo"}', "json", "a key stands twice"),
    (b'{"text": "Hola", "usage": {"a": 1, "a": 2}}', "json", "a key stands twice"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json", "no JSON"),
    (b'{"text": "Muchas gra', "json", "no JSON"),
    (b'{"text": "Muchas gra', "text", "no JSON"),
    (b'{"text": "\xff\xfe"}', "json", "no JSON"),
    (b"Hola", "json", "no JSON"),
    (b"", "json", "no JSON"),
    (b"", None, "no JSON"),
    (b"\x1f\x8b\x08\x00", "text", "no JSON"),
]


@pytest.mark.parametrize(("body", "asked", "told"), NONE)
def test_what_is_no_transcript_is_an_error(body: Any, asked: str | None, told: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(NoTranscriptError, match=told):
        transcript(raw, asked)
