"""Experiment files that are no experiments: one line with its place, at once, in little memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness import spec
from harness.errors import SpecError, limits

GROWING = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
MAPS = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{i}: *a{n - 1}' for i in range(9))}}}\n" for n in range(1, 10)
)
DEEP = limits.YAML_DEPTH + 1

WRONG = [
    ("aliases that multiply lists", GROWING, ":5: more than 20,000 values"),
    ("aliases that multiply mappings", MAPS, "more than 20,000 values"),
    ("an alias within itself", "a: &a {b: [*a]}\n", ":1: a.b[0]: an alias that holds itself."),
    ("an alias to an alias in a merge", "b: &b {c: 1}\n<<: *b\n", ":2: <<: is not a known key"),
    ("an alias of nobody", "name: *gone\n", ":1: not valid YAML: found undefined alias"),
    ("brackets", "a: " + "[" * 5_000, ":1: nested more than 32 deep"),
    ("braces", "\n" + "{a: " * 5_000, ":2: nested more than 32 deep"),
    ("block lists", "- " * DEEP + "x\n", ":1: nested more than 32 deep"),
    ("indentation", "".join(" " * n + "a:\n" for n in range(DEEP)) + " " * DEEP + "b: 1\n",
     ":32: nested more than 32 deep"),
    ("many values", "a: [" + "1," * 50_000 + "]\n", ":1: more than 20,000 values"),
    ("many keys", "".join(f"k{n}: 1\n" for n in range(45_000)), "more than 20,000 values"),
    ("many mistakes", "".join(f"k{n}: 1\n" for n in range(500)), "There are more: mend these"),
    ("many tags", "a: [" + "!!x 1," * 500 + "]\n", ":1: more than 100 mistakes"),
    ("a long key", "k" * 900 + ": 1\n", ":1: has a key of 900 characters."),
    ("a long key, marked", "? " + "k" * 5_000 + "\n: 1\n", ":1: has a key of 5,000 characters."),
    ("a key twice", "name: a\ntitle: x\nname: b\n", ":3: name: is given twice (first on line 1)"),
    ("a list as key", "? [a]\n: 1\n", ":1: a key must be a text."),
    ("a tag of Python", "name: !!python/object/apply:os.system [ls]\n", ":1: name: the tag"),
    ("a tag of one's own", "name: !secret x\n", ":1: name: the tag '!secret' has no meaning here"),
    ("binary", "name: !!binary aGVsbG8=\n", ":1: name: the tag"),
    ("a set", "name: !!set {a, b}\n", ":1: name: the tag"),
    ("ten thousand digits", "seed: " + "9" * 10_000 + "\n", ":1: seed: is a whole number beyond"),
    ("twenty digits", "seed: 12345678901234567890\n", ":1: seed: is a whole number beyond 64 bits"),
    ("hexadecimal", "seed: 0x" + "f" * 40 + "\n", ":1: seed: is a whole number beyond 64 bits"),
    ("octal", "seed: 0o" + "7" * 40 + "\n", ":1: seed: is a whole number beyond 64 bits"),
    ("a float too large", "seed: 1e400\n", ":1: seed: should be a finite number, not 1e400."),
    ("minus infinity", "seed: -.inf\n", ":1: seed: should be a finite number, not -.inf."),
    ("no number", "seed: .NaN\n", ":1: seed: should be a finite number, not .NaN."),
    ("underscores", "seed: 1_000\n", ':1: seed: should be a whole number, not "1_000".'),
    ("base sixty", "seed: 1:30\n", ':1: seed: should be a whole number, not "1:30".'),
    ("a date for a number", "seed: 2026-01-01\n", ':1: seed: should be a whole number'),
    ("yes", "seed: yes\n", ':1: seed: should be a whole number, not "yes".'),
    ("Norway", "report: {language: no}\n", ":1: report.language: no language 'no'. There is"),
    ("a flag as number", "seed: true\n", ":1: seed: should be a whole number, not true."),
    ("NUL", "name: x\ntitle: a\x00b\n", ":2: not valid YAML: holds the character \\x00."),
    ("an escaped NUL", 'name: x\ntitle: "a\\0b"\n', ":2: title: holds the character \\x00."),
    ("an escape", 'title: "\\e[31m"\n', ":1: title: holds the character \\x1b."),
    ("a raw escape", "title: \x1b[31m\n", ":1: not valid YAML: holds the character \\x1b."),
    ("half a pair", 'title: "\\ud800"\n', ":1: title: holds the character \\ud800."),
    ("beyond Unicode", 'title: "\\UFFFFFFFF"\n', "not valid YAML"),
    ("a tab for indentation", "model:\n\tfamily: x\n", ":2: not valid YAML: found character '\\t'"),
    ("an open quotation", 'title: "x\n', "not valid YAML: found unexpected end of stream"),
    ("two documents", "name: x\n---\nname: y\n", ":2: not valid YAML: but found another document"),
    ("a directive", "%YAML 9.9\n---\nname: x\n", "not valid YAML: found incompatible YAML"),
    ("a look-alike key", "n\u0430me: x\n", "Did you mean 'name'?"),
    ("a key with a joiner", "na\u200bme: x\n", "is not a known key. Did you mean 'name'?"),
    ("a text", "hello\n", ':1: should be a mapping (key: value), not "hello".'),
    ("a number", "12\n", ":1: should be a mapping (key: value), not 12."),
    ("JSON cut short", '{"name": "x"', ":1: not valid YAML"),
    ("a name that is long", "name: " + "n" * 201 + "\n", ":1: name: a name of 201 characters"),
    ("a name that is a path", "name: ../../x\n", ":1: name: '../../x' is not a name"),
    ("a name with a mark", "name: \u202egnp.x\n", "is not a name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG])
def test_what_is_no_experiment_is_refused_with_its_place(text: str, line: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec.parse(text, Path("x.yaml"))
    told = str(refused.value).splitlines()
    assert any(line in one for one in told), told[:5]
    assert all(one.startswith("x.yaml") for one in told if "mend these first" not in one)
    assert len(told) <= limits.YAML_PROBLEMS + 1


FILES = [
    ("utf-16", "name: x\n".encode("utf-16"), "is not UTF-8 text (byte 0)"),
    ("utf-16 without its mark", "name: x\n".encode("utf-16-le"), "holds the character \\x00"),
    ("utf-32", "name: x\n".encode("utf-32"), "is not UTF-8 text"),
    ("latin-1", "name: x\ntitle: niño\n".encode("latin-1"), ":2: is not UTF-8 text"),
    ("random", bytes(range(256)), "is not UTF-8 text"),
    ("nothing", b"", "holds nothing"),
    ("only a mark", b"\xef\xbb\xbf", "holds nothing"),
    ("too large", b"# x\n" * 300_000, "is over 1,000,000 bytes"),
    ("a surrogate in UTF-8", b"title: \xed\xa0\x80\n", ":1: is not UTF-8 text (byte 7)"),
]


@pytest.mark.parametrize(("content", "line"), [c[1:] for c in FILES], ids=[c[0] for c in FILES])
def test_bytes_that_are_no_text_are_one_line(content: bytes, line: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(SpecError) as refused:
        spec.load(tmp_path / "x.yaml")
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", ["/dev/zero", "/", "gone.yaml", "a\0b.yaml"])
def test_what_is_no_file_is_not_read(path: str) -> None:
    with pytest.raises(SpecError):
        spec.load(Path(path))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfnome: x\n")
    with pytest.raises(SpecError, match="Did you mean 'name'"):
        spec.load(tmp_path / "x.yaml")


@pytest.mark.slow
def test_aliases_that_grow_take_little_memory(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(GROWING, encoding="utf-8")

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))

    code = "import sys; from harness.app import cli; sys.exit(cli.main(['check', 'x.yaml']))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, preexec_fn=bounded, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "more than 20,000 values" in found.stderr
