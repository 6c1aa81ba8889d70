"""A transcription server whose answer is chosen by name: serve.py MODE TABLE.json PORT.

TABLE: {"<samples at 16 kHz>": transcript}.
"""

import gzip
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODE, PORT = sys.argv[1], int(sys.argv[3])
TABLE = json.loads(Path(sys.argv[2]).read_text("utf-8"))
FIRST = {}
SRT = "1\n00:00:00,000 --> 00:00:03,000\n{}\n"
TEXTS = {
    "tokens": "<|startoftranscript|><|es|><|transcribe|><|notimestamps|> {}<|endoftext|>",
    "timestamps": "[00:00:00.000 --> 00:00:03.000]   {}",
    "pads": "<s> {}</s><pad><pad>",
    "blank": " [BLANK_AUDIO]\n",
    "music": "(música)",
    "vtt": "WEBVTT\n\n00:00.000 --> 00:03.000\n{}\n",
    "plain": "{}",
}
OTHERS = {
    "segments": lambda said: {"text": "", "segments": [{"id": 0, "text": " " + said}]},
    "jsontext": lambda said: {"text": json.dumps({"error": "out of memory"})},
    "error200": lambda said: {"error": "overloaded", "text": ""},
    "null": lambda said: {"text": None},
    "list": lambda said: {"text": [said]},
    "srt": lambda said: SRT.format(said).encode(),
    "html": lambda said: b"<!doctype html><title>login</title>",
    "events": lambda said: b'data: {"type": "transcript.text.done"}\n\n',
    "twice": lambda said: b'{"text": "uno", "text": "dos"}',
    "deep": lambda said: b"[" * 200_000,
    "bomb": lambda said: gzip.compress(b" " * 200_000_000),
    "huge": lambda said: {"text": "a" * 3_000_000},
}
HEADERS = {"bomb": {"Content-Encoding": "gzip"}, "html": {"Content-Type": "text/html"}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.reply(404, {"error": "none"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = body.find(b"RIFF")
        size = int.from_bytes(body[at + 40 : at + 44], "little")
        said = TABLE.get(str(size // 2), "")
        for field in ("temperature", "response_format"):
            if field == MODE and f'name="{field}"'.encode() in body:
                self.reply(400, {"error": {"message": f"Unsupported parameter: {field}"}})
                return
        if MODE == "retry" and time.time() - FIRST.setdefault(size, time.time()) < 1.2:
            self.reply(429, {"error": "busy"}, {"Retry-After": "1.2"})
        elif MODE in OTHERS:
            self.reply(200, OTHERS[MODE](said), HEADERS.get(MODE))
        else:
            self.reply(200, {"text": TEXTS.get(MODE, "{}").format(said)})

    def reply(self, status, body, headers=None):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that goes away is no fault."""


Quiet(("127.0.0.1", PORT), Handler).serve_forever()
