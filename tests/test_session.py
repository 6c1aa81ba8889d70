"""Session configurations: what onnxruntime would ignore is refused, what is asked takes effect."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import tiny_graphs

from harness.errors import ModelError, SessionError
from harness.runtime import environment, session
from harness.runtime.session import SessionConfig, open_session, parse
from harness.runtime.session.keys import CPU, FIELDS, FIELDS_LEFT_OUT, KEYS, KEYS_LEFT_OUT

KEYS_IN_BINARY = re.compile(rb"\0((?:session|optimization|mlas)\.[a-z_0-9.]{9,})(?=\0)")
NOT_SESSION_KEYS = {
    # of run options and of code for GPUs
    "session.moe_expert_counter_alpha",
    "session.moe_expert_counter_beta",
    "session.moe_expert_counter_state_file",
    "session.enable_moe_expert_counting",
    "session.enable_moe_expert_statistics",
}


def _is_cut(name: str, known: set[str]) -> bool:
    """A compiler may keep only the first bytes of a text; then a longer key begins with it."""
    return any(key.startswith(name) for key in known)


@pytest.fixture
def two_layers(tmp_path: Path) -> Path:
    return tiny_graphs.save(tiny_graphs.two_layers(), tmp_path / "two_layers.onnx")


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "cores", lambda: 4)


def one(**options: Any) -> SessionConfig:
    (config,) = parse([{"name": "a", **options}], "sessions")
    return config


# ------------------------------------------------ facts about onnxruntime that the checks rest on
def test_onnxruntime_takes_provider_options_that_do_not_exist_and_drops_them(
    two_layers: Path,
) -> None:
    nonsense = {"arena_size": "1", "nonsense": "2"}
    opened = ort.InferenceSession(str(two_layers), providers=[(CPU, nonsense)])
    assert opened.get_provider_options() == {CPU: {}}


def test_onnxruntime_takes_unknown_config_keys_and_nonsense_values(two_layers: Path) -> None:
    options = ort.SessionOptions()
    options.add_session_config_entry("no.such.key", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "banana")
    opened = ort.InferenceSession(str(two_layers), options, providers=[CPU])
    assert opened.get_session_options().get_session_config_entry("no.such.key") == "1"


def test_onnxruntime_falls_back_to_the_cpu_for_an_unknown_provider(
    two_layers: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(UserWarning, match="not in available provider names"):
        opened = ort.InferenceSession(str(two_layers), providers=["NoSuchExecutionProvider"])
    assert opened.get_providers() == [CPU]
    assert "EP Error" in capfd.readouterr().out


def test_the_highest_optimisation_level_of_onnxruntime_is_99() -> None:
    levels = {name: int(level) for name, level in ort.GraphOptimizationLevel.__members__.items()}
    assert sorted(levels.values()) == [0, 1, 2, 3, 99]
    assert levels["ORT_ENABLE_ALL"] == 99


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_inter_op_threads_exist_in_parallel_mode_only(two_layers: Path) -> None:
    def threads_of(mode: ort.ExecutionMode) -> int:
        options = ort.SessionOptions()
        options.inter_op_num_threads, options.intra_op_num_threads = 7, 1
        options.execution_mode = mode
        before = len(list(Path("/proc/self/task").iterdir()))
        opened = ort.InferenceSession(str(two_layers), options, providers=[CPU])
        assert opened.get_session_options().inter_op_num_threads == 7
        return len(list(Path("/proc/self/task").iterdir())) - before

    assert threads_of(ort.ExecutionMode.ORT_SEQUENTIAL) <= 0
    assert threads_of(ort.ExecutionMode.ORT_PARALLEL) >= 6


# ------------------------------------------------------------------ the tables of keys and fields
def test_every_writable_field_of_session_options_is_known_or_left_out_with_a_reason() -> None:
    fields = {
        name
        for name in dir(ort.SessionOptions)
        if not name.startswith("_") and inspect.isdatadescriptor(getattr(ort.SessionOptions, name))
    }
    assert fields == set(FIELDS) | set(FIELDS_LEFT_OUT)
    assert all(FIELDS_LEFT_OUT.values())


def test_the_defaults_in_the_table_are_those_of_onnxruntime() -> None:
    options = ort.SessionOptions()
    for name, field in FIELDS.items():
        value = getattr(options, name)
        if field.members:
            value = next(k for k, member in field.members.items() if member == value.name)
        if name != "log_severity_level":
            assert value == field.default, name


@pytest.mark.skipif(sys.platform != "linux", reason="reads the Linux library's texts")
def test_keys_that_the_installed_library_holds_are_in_the_table() -> None:
    # its text segment holds the long ones whole; short ones are built in registers
    library = next(Path(ort.__file__).parent.glob("capi/onnxruntime_pybind11_state*"))
    found = set(KEYS_IN_BINARY.findall(library.read_bytes()))
    names = {key.decode() for key in found} - NOT_SESSION_KEYS
    known = set(KEYS) | set(KEYS_LEFT_OUT)
    assert {n for n in names if n not in known and not _is_cut(n, known)} == set()
    assert len(names) > 20


def test_every_choice_exists_in_the_installed_onnxruntime() -> None:
    for field in FIELDS.values():
        for member in (field.members or {}).values():
            assert hasattr(getattr(ort, field.enum), member)


# ----------------------------------------------------------------------- what is refused, and how
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "every session needs a name"),
        ({"name": "a", "intra_op_threads": 2}, "Did you mean 'intra_op_num_threads'?"),
        ({"name": "a", "session.intra_op.spinning": "1"}, "Did you mean 'session.intra_op.allow_"),
        ({"name": "a", "session.force_spinning_stop": "banana"}, '\'banana\' should be "0" or "1"'),
        ({"name": "a", "session.force_spinning_stop": True}, 'True should be "0" or "1"'),
        ({"name": "a", "graph_optimization_level": 3}, "disable_all, basic, extended, layout, all"),
        ({"name": "a", "execution_mode": "paralel"}, "should be sequential, parallel"),
        ({"name": "a", "enable_mem_pattern": 1}, "1 should be true or false"),
        ({"name": "a", "intra_op_num_threads": -1}, "a whole number up to 1024 or `cores`"),
        ({"name": "a", "intra_op_num_threads": True}, "a whole number up to 1024 or `cores`"),
        ({"name": "a", "intra_op_num_threads": "core"}, "a whole number up to 1024 or `cores`"),
        ({"name": "a", "log_severity_level": "cores"}, "a whole number up to 4."),
        ({"name": "a", "enable_profiling": True}, "left out here: profiling writes a file"),
        ({"name": "a", "session.enable_mem_pattern": "1"}, "the SessionOptions field of that name"),
        ({"name": "a", "provider": "CpuExecutionProvider"}, "Did you mean 'CPUExecutionProvider'?"),
        ({"name": "a", "provider": "AzureExecutionProvider"}, "remote endpoint"),
        (
            {"name": "a", "provider": "OpenVINOExecutionProvider"},
            "is not in this build of onnxruntime",
        ),
        (
            {"name": "a", "provider_options": {"arena_size": 1}},
            "the real knobs are enable_cpu",
        ),
        ({"name": "a", "arena_size": 1}, "onnxruntime would ignore 'arena_size'"),
        ({"name": "a", "inter_op_num_threads": 7}, "inter_op_num_threads does nothing here"),
        (
            {"name": "a", "execution_mode": "parallel", "enable_mem_pattern": False},
            "execution_mode parallel turns memory patterns off",
        ),
        (
            {"name": "a", "intra_op_num_threads": 1, "session.force_spinning_stop": 1},
            "there is no pool",
        ),
        (
            {"name": "a", "intra_op_num_threads": 4, "session.intra_op_thread_affinities": "1;2"},
            "2 sets of processors for intra_op_num_threads 4",
        ),
        ({"name": "a", "grid": {}}, "grid must be a mapping"),
        ({"name": "a", "grid": {"intra_op_num_threads": 1}}, "1 is not a list of values"),
        ({"name": "a", "grid": {"intra_op_num_threads": [1, 1]}}, "a value is given twice"),
        (
            {"name": "a", "intra_op_num_threads": 1, "grid": {"intra_op_num_threads": [1, 2]}},
            "both in the grid and beside it",
        ),
        ({"name": "a", "grid": {"intra_op_num_threads": list(range(1025))}}, "at most 1024"),
        (
            {"name": "a", "inter_op_num_threads": 2, "grid": {"intra_op_num_threads": [1, 2]}},
            "inter_op_num_threads does nothing here",
        ),
    ],
)
def test_what_onnxruntime_would_ignore_is_refused(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(SessionError) as caught:
        parse([{"name": "first"}, entry], "x.yaml: sessions")
    assert str(caught.value).startswith("x.yaml: sessions[1]: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_of_a_later_onnxruntime_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "onnxruntime_version", lambda: "1.23.2")
    with pytest.raises(SessionError, match=r"for onnxruntime 1\.31 on; here is 1\.23\.2"):
        one(**{"session.intra_op.spin_duration_us": 500})


@pytest.mark.parametrize(
    "same",
    [
        {"graph_optimization_level": "all"},
        {"enable_cpu_mem_arena": True},
        {"session.disable_prepacking": "0"},
        {"provider": CPU},
    ],
)
def test_two_entries_that_mean_the_same_are_refused(same: dict[str, Any]) -> None:
    with pytest.raises(SessionError, match="'b' means the same as 'a'"):
        parse([{"name": "a"}, {"name": "b", **same}], "sessions")


def test_entries_that_are_the_same_on_this_machine_only_stay_with_a_note() -> None:
    a, b = parse(
        [
            {"name": "a", "intra_op_num_threads": 4},
            {"name": "b", "intra_op_num_threads": "cores"},
        ],
        "sessions",
    )
    assert (a.note, b.note) == ("", "the same as a on this machine")


def test_no_threads_asked_and_as_many_as_cores_differ() -> None:
    # the default pins its threads, an explicit number does not
    found = parse([{"name": "a"}, {"name": "b", "intra_op_num_threads": "cores"}], "sessions")
    assert len({session.meaning(config) for config in found}) == 2


# ------------------------------------------------------------------------------------------ grids
def test_a_grid_unfolds_into_named_combinations_in_order() -> None:
    found = parse(
        [
            {
                "name": "grid",
                "enable_cpu_mem_arena": False,
                "grid": {
                    "intra_op_num_threads": [1, "cores"],
                    "execution_mode": ["sequential", "parallel"],
                },
            }
        ],
        "sessions",
    )
    assert [config.name for config in found] == [
        "grid/intra_op_num_threads=1,execution_mode=sequential",
        "grid/intra_op_num_threads=1,execution_mode=parallel",
        "grid/intra_op_num_threads=cores,execution_mode=sequential",
        "grid/intra_op_num_threads=cores,execution_mode=parallel",
    ]
    assert session.changes(found[3]) == {
        "enable_cpu_mem_arena": False,
        "execution_mode": "parallel",
        "intra_op_num_threads": 4,
    }


def test_combinations_that_mean_the_same_are_run_once_and_named_in_a_note() -> None:
    default, parallel_1, parallel_2 = parse(
        [
            {"name": "default"},
            {
                "name": "g",
                "grid": {
                    "execution_mode": ["sequential", "parallel"],
                    "inter_op_num_threads": [1, 2],
                },
            },
        ],
        "sessions",
    )
    assert default.note == (
        "also stands for g/execution_mode=sequential,inter_op_num_threads=1, "
        "g/execution_mode=sequential,inter_op_num_threads=2"
    )
    assert [parallel_1.note, parallel_2.note] == ["", ""]


# --------------------------------------------------------------------- opened as it was asked for
def test_a_configuration_takes_effect_in_onnxruntime(two_layers: Path) -> None:
    config = one(
        graph_optimization_level="extended",
        execution_mode="parallel",
        intra_op_num_threads="cores",
        inter_op_num_threads=2,
        enable_cpu_mem_arena=False,
        **{"session.force_spinning_stop": 1, "session.set_denormal_as_zero": "1"},
    )
    taken = open_session(two_layers, config).get_session_options()
    assert taken.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    assert taken.execution_mode == ort.ExecutionMode.ORT_PARALLEL
    assert (taken.intra_op_num_threads, taken.inter_op_num_threads) == (4, 2)
    assert taken.enable_cpu_mem_arena is False
    assert taken.get_session_config_entry("session.force_spinning_stop") == "1"
    assert taken.get_session_config_entry("session.set_denormal_as_zero") == "1"


def test_every_known_key_and_choice_opens(two_layers: Path) -> None:
    simple = {"[01]": "1", r"\d{1,9}": "1"}
    options = {
        key: simple[entry.pattern]
        for key, entry in KEYS.items()
        if entry.pattern in simple and entry.since == "1.23"
        if key not in ("session.disable_cpu_ep_fallback", "session.inter_op.allow_spinning")
    }
    assert open_session(two_layers, one(**options)).run(None, tiny_graphs.rows())


@pytest.mark.parametrize("content", [b"", b"not a model at all"])
def test_a_file_that_is_not_a_model_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"^broken\.onnx: onnxruntime cannot open it") as caught:
        open_session(path, one())
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: no such model file"):
        open_session(tmp_path / "none.onnx", one())


def test_a_provider_that_did_not_load_is_refused_when_opening(two_layers: Path) -> None:
    config = SessionConfig("a", provider="OpenVINOExecutionProvider")
    with pytest.raises(SessionError, match="OpenVINOExecutionProvider is not in this build"):
        open_session(two_layers, config)


def test_a_configuration_survives_the_way_to_a_child_process() -> None:
    config = one(intra_op_num_threads=2, **{"session.force_spinning_stop": "1"})
    assert SessionConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert hash(config)


def test_the_python_code_runs_and_gives_what_the_configuration_gives(
    two_layers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = one(
        graph_optimization_level="basic",
        intra_op_num_threads=2,
        enable_mem_pattern=False,
        **{"session.intra_op.allow_spinning": "0"},
    )
    code = session.python_code(config, {"encoder": two_layers.name, "decoder-1": two_layers.name})
    monkeypatch.chdir(two_layers.parent)
    names: dict[str, Any] = {}
    exec(code, names)
    taken = names["encoder"].get_session_options()
    assert taken.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    assert taken.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    expected = open_session(two_layers, config).run(None, tiny_graphs.rows())[0]
    np.testing.assert_array_equal(names["decoder_1"].run(None, tiny_graphs.rows())[0], expected)


def test_the_schema_names_every_option_with_a_description() -> None:
    schema = session.json_schema()
    assert set(schema["properties"]) == {
        "name", "grid", "provider", "provider_options", *FIELDS, *KEYS,
    }  # fmt: skip
    assert all("description" in part for part in schema["properties"].values())
    assert set(schema["properties"]["grid"]["properties"]) == {"provider", *FIELDS, *KEYS}
    assert json.dumps(schema)
