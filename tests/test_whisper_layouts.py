"""Which folders the Whisper family takes, what it builds of them, and what it says of the rest."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
import whisper_tiny as tiny

from harness.errors import ModelError
from harness.plugins.families.whisper import family
from harness.plugins.families.whisper.layouts import constants
from harness.plugins.families.whisper.onnxfile import signature
from harness.plugins.families.whisper.weights import Weights, read

WEIGHTS = Weights(tiny.arrays())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny.ctranslate2_folder(tmp_path / "source")


@pytest.fixture
def built(source: Path, tmp_path: Path) -> Path:
    target = tmp_path / "built"
    target.mkdir()
    family.build(source, target)
    return target


# ------------------------------------------------------------------------- CTranslate2's model.bin
def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(tiny.model_bin(tiny.arrays()))
    found = read(path)
    for name, array in tiny.arrays().items():
        np.testing.assert_array_equal(found.arrays[name], array)
    alias = found["decoder/projection/weight"]
    np.testing.assert_array_equal(alias, found["decoder/embeddings/weight"])
    assert (found.heads(), found.layers("encoder")) == (tiny.HEADS, tiny.LAYERS)


WHOLE = tiny.model_bin(tiny.arrays())
QUANTIZED = tiny.arrays() | {"decoder/embeddings/weight": np.ones((32, 16), np.int8)}
INCOMPLETE = {k: v for k, v in tiny.arrays().items() if "layer_1/ffn" not in k}
BFLOAT16 = tiny.model_bin({"a": np.ones(2, np.float16)}).replace(
    b"\x04\x04\0\0\0", b"\x05\x04\0\0\0"
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "model.bin is empty"),
        (WHOLE[:-40], "cut short"),
        (WHOLE[: len(WHOLE) // 2], "cut short"),
        (WHOLE[:9], "cut short"),
        (b"\x80" * 1000, "format version 6"),
        (tiny.model_bin(tiny.arrays(), version=5), "format version 6"),
        (tiny.model_bin(tiny.arrays(), kind="TransformerSpec"), "'TransformerSpec'; the whisper"),
        (tiny.model_bin(QUANTIZED), "as int8: convert the model"),
        (tiny.model_bin(INCOMPLETE), "not a complete Whisper model"),
        (BFLOAT16, "type 5"),
        (tiny.model_bin({"encoder/num_heads": np.array(2, np.int16)}), "which is not there"),
    ],
)
def test_a_wrong_model_bin_is_one_clear_line(
    source: Path, tmp_path: Path, data: bytes, says: str
) -> None:
    (source / "model.bin").write_bytes(data)
    with pytest.raises(ModelError, match=says) as raised:
        family.build(source, tmp_path)
    assert "\n" not in str(raised.value)


def test_heads_that_the_file_does_not_say_are_an_error() -> None:
    with pytest.raises(ModelError, match="number of heads"):
        Weights({}).heads()


# --------------------------------------------------------------------------------------- building
def test_the_built_folder_holds_graphs_tokenizer_and_constants(built: Path) -> None:
    names = {p.name for p in built.iterdir()}
    assert names == {"encoder.onnx", "decoder.onnx", "tokenizer.json", "whisper.json"}
    assert {r: p.name for r, p in family.graphs(built).items()} == {
        "encoder": "encoder.onnx",
        "decoder": "decoder.onnx",
    }
    found = constants(built, "own")
    assert (found.mels, found.frames, found.positions) == (tiny.MELS, tiny.FRAMES, tiny.POSITIONS)
    assert found.suppress == tuple(tiny.CONFIG["suppress_ids"])
    assert found.suppress_begin == tuple(tiny.CONFIG["suppress_ids_begin"])


def test_building_twice_gives_the_same_bytes(source: Path, built: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    family.build(source, again)
    for path in built.iterdir():
        digest = hashlib.sha256(path.read_bytes()).digest()
        assert hashlib.sha256((again / path.name).read_bytes()).digest() == digest, path.name


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json"])
def test_a_source_without_its_json_files_is_an_error(
    source: Path, tmp_path: Path, missing: str
) -> None:
    (source / missing).unlink()
    with pytest.raises(ModelError, match=missing):
        family.build(source, tmp_path)


def test_a_config_without_suppressed_tokens_is_an_error(source: Path, tmp_path: Path) -> None:
    (source / "config.json").write_text('{"lang_ids": []}')
    with pytest.raises(ModelError, match="suppress_ids, suppress_ids_begin"):
        family.build(source, tmp_path)


def test_an_empty_source_is_an_error_that_names_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.bin .* or an ONNX export"):
        family.build(tmp_path, tmp_path)


# ----------------------------------------------------------------------------------------- layouts
@pytest.mark.parametrize(
    ("kind", "suffix", "roles"),
    [
        ("merged", "", {"encoder": "encoder_model.onnx", "decoder": "decoder_model_merged.onnx"}),
        (
            "merged",
            "_quantized",
            {
                "encoder": "encoder_model_quantized.onnx",
                "decoder": "decoder_model_merged_quantized.onnx",
            },
        ),
        (
            "split",
            "",
            {
                "encoder": "encoder_model.onnx",
                "decoder": "decoder_model.onnx",
                "decoder_with_past": "decoder_with_past_model.onnx",
            },
        ),
    ],
)
@pytest.mark.parametrize("inner", ["", "onnx"])
def test_export_layouts_are_found_and_taken_over(
    tmp_path: Path, kind: str, suffix: str, roles: dict[str, str], inner: str
) -> None:
    folder, target = tmp_path / "export", tmp_path / "target"
    tiny.export_folder(folder / inner, WEIGHTS, kind, suffix)
    if inner:
        (folder / inner / "config.json").rename(folder / "config.json")
    (folder / "pytorch_model.bin").write_bytes(b"large")
    target.mkdir()
    family.build(folder, target)
    found = {r: p.relative_to(target).as_posix() for r, p in family.graphs(target).items()}
    assert found == {r: f"{inner}/{name}".lstrip("/") for r, name in roles.items()}
    assert not (target / "pytorch_model.bin").exists()
    for path in family.graphs(target).values():
        assert path.read_bytes() == (folder / path.relative_to(target)).read_bytes()


def test_external_weights_come_along(tmp_path: Path) -> None:
    folder = tiny.export_folder(tmp_path / "export", WEIGHTS, "merged")
    path = folder / "decoder_model_merged.onnx"
    model = onnx.load(path)
    onnx.save(
        model, path, save_as_external_data=True, location="decoder.bin_data", size_threshold=0
    )
    target = tmp_path / "target"
    target.mkdir()
    family.build(folder, target)
    assert (target / "decoder.bin_data").read_bytes() == (folder / "decoder.bin_data").read_bytes()
    (folder / "decoder.bin_data").unlink()
    with pytest.raises(ModelError, match=r"decoder\.bin_data"):
        family.build(folder, tmp_path)


@pytest.mark.parametrize("data", [b"", b"not an ONNX file", b"\x0a", b"{}", bytes(100)])
def test_a_file_that_is_no_onnx_is_named(built: Path, data: bytes) -> None:
    (built / "decoder.onnx").write_bytes(data)
    with pytest.raises(ModelError, match=r"decoder\.onnx is not an ONNX file"):
        family.graphs(built)


@pytest.mark.parametrize("keep", [10, 100, 1000, -1])
def test_a_truncated_onnx_file_is_named(built: Path, keep: int) -> None:
    path = built / "encoder.onnx"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"encoder\.onnx is not an ONNX file, or is cut short"):
        family.graphs(built)


def test_graphs_that_are_swapped_do_not_fit(built: Path) -> None:
    (built / "encoder.onnx").write_bytes((built / "decoder.onnx").read_bytes())
    with pytest.raises(ModelError, match=r"encoder\.onnx is not a Whisper encoder .* features"):
        family.graphs(built)


def test_a_folder_without_graphs_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"encoder\.onnx and decoder\.onnx, or encoder_model"):
        family.graphs(tmp_path)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("[]", "JSON object"),
        ("{", "not JSON"),
        ("{}", "mels, frames, positions, suppress, suppress_begin"),
        (json.dumps({"mels": 8, "frames": 40, "positions": 0, "suppress": [1]}), "positions, supp"),
        (json.dumps({"mels": "8", "frames": 40, "positions": 1, "suppress": ["a"]}), "mels, supp"),
    ],
)
def test_wrong_constants_are_one_clear_line(built: Path, values: str, says: str) -> None:
    (built / "whisper.json").write_text(values)
    with pytest.raises(ModelError, match=says):
        constants(built, "own")


# --------------------------------------------------------------------------- names without weights
def test_names_are_those_that_onnx_reads(built: Path) -> None:
    for path in built.glob("*.onnx"):
        graph = onnx.load(path).graph
        found = signature(path)
        assert found.inputs == {i.name for i in graph.input}
        assert found.outputs == {o.name for o in graph.output}


def test_a_message_with_a_field_number_of_zero_is_no_onnx(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(struct.pack("<BB", 0, 1))
    with pytest.raises(ModelError):
        signature(path)
