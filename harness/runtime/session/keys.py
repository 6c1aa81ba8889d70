"""Which session options onnxruntime really reads: fields, config keys and provider options.

Plain data, because onnxruntime itself accepts any key with any value and says nothing. Fields are
those of `onnxruntime.SessionOptions` 1.31.1. Config keys, values and defaults are described as in
`onnxruntime_session_options_config_keys.h`, read in a copy of about 1.31 that is not tagged as a
release. `since` comes from the texts in the Linux x86-64 libraries of 1.23.2 and 1.31.1: "1.31"
means not found in 1.23.2, so the release that brought a key may be earlier. A key for ARM cannot
be found that way; `mlas.*` entries rest on the header alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.contracts.experiment import CPU

RELEASES = ("1.23", "1.31")  # of onnxruntime: the oldest and newest that these tables describe


@dataclass(frozen=True)
class Field:
    """A SessionOptions field. `members` maps each name in the YAML to onnxruntime's enum member."""

    kind: Literal["flag", "count", "choice"]
    default: bool | int | str
    about: str
    enum: str = ""
    members: Mapping[str, str] | None = None
    most: int = 1024


@dataclass(frozen=True)
class Key:
    """A config key: its text must match `pattern`; `default` is what leaving it out means."""

    pattern: str
    allowed: str
    default: str
    about: str
    since: str = "1.23"


LEVELS = {
    "disable_all": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
MODES = {"sequential": "ORT_SEQUENTIAL", "parallel": "ORT_PARALLEL"}
ORDERS = {"default": "DEFAULT", "priority_based": "PRIORITY_BASED"}

FIELDS: Mapping[str, Field] = {
    "graph_optimization_level": Field(
        "choice", "all", "How far the graph is rewritten on load.", "GraphOptimizationLevel", LEVELS
    ),
    "execution_mode": Field(
        "choice",
        "sequential",
        "Nodes one after the other, or independent branches at once.",
        "ExecutionMode",
        MODES,
    ),
    "execution_order": Field(
        "choice", "default", "Order of nodes that could run next.", "ExecutionOrder", ORDERS
    ),
    "intra_op_num_threads": Field(
        "count",
        0,
        "Threads within an operator; 0: one per physical core, pinned; a number: not pinned.",
    ),
    "inter_op_num_threads": Field(
        "count", 0, "Threads across operators; read with execution_mode parallel only."
    ),
    "enable_cpu_mem_arena": Field("flag", True, "Keep freed memory in an arena for reuse."),
    "enable_mem_pattern": Field(
        "flag", True, "One allocation per input shape; read with execution_mode sequential only."
    ),
    "enable_mem_reuse": Field("flag", True, "Let tensors share memory within a run."),
    "use_deterministic_compute": Field("flag", False, "Prefer kernels that repeat bit by bit."),
    "log_severity_level": Field(
        "count", 3, "0 verbose to 4 fatal; here 3 (errors), where onnxruntime has 2.", most=4
    ),
}

FIELDS_LEFT_OUT: Mapping[str, str] = {
    "enable_profiling": "profiling writes a file during the run and disturbs what is timed",
    "profile_file_prefix": "profiling writes a file during the run and disturbs what is timed",
    "optimized_model_filepath": "it writes a file each time the session opens",
    "use_per_session_threads": "it needs a process-wide pool, and a cell has sessions of its own",
    "logid": "it names log lines only",
    "log_verbosity_level": "it is read by debug builds of onnxruntime only",
}

_FLAG = ("[01]", '"0" or "1"')
_COUNT = (r"\d{1,9}", "a whole number")
_NAMES = (r"\w+(,\w+)*", "names with commas between them")
_MASKS = (
    r"\d+(-\d+)?(,\d+(-\d+)?)*(;\d+(-\d+)?(,\d+(-\d+)?)*)*",
    'processors of each thread but the first, such as "1;2" or "1-2;3-4"',
)

KEYS: Mapping[str, Key] = {
    "session.disable_prepacking": Key(*_FLAG, "0", "Keep weights in the layout of the file."),
    "session.set_denormal_as_zero": Key(*_FLAG, "0", "Flush denormals; may change accuracy."),
    "session.disable_quant_qdq": Key(*_FLAG, "0", "Do not fuse Q/DQ pairs into INT8 kernels."),
    "session.disable_double_qdq_remover": Key(*_FLAG, "0", "Keep Q-DQ-Q-DQ chains as they are."),
    "session.enable_quant_qdq_cleanup": Key(*_FLAG, "0", "Drop Q-DQ pairs left after fusion."),
    "session.disable_qdq_constant_folding": Key(
        *_FLAG, "0", "Never fold DequantizeLinear of a constant.", since="1.31"
    ),
    "session.qdqisint8allowed": Key(
        *_FLAG, "", "Signed activations in Q/DQ fusion; 1 on ARM, 0 elsewhere by default."
    ),
    "session.x64quantprecision": Key(
        *_FLAG, "0", "U8U8 in place of U8S8 where AVX2 or AVX512 without VNNI would saturate."
    ),
    "session.qdq_matmulnbits_accuracy_level": Key(
        "[0-4]", '"0" to "4"', "4", "Compute type of the MatMulNBits that DQ+MatMul becomes."
    ),
    "session.qdq_matmulnbits_block_size": Key(
        "-1|0|16|32|64|128|256", '"-1", "0" or 16 to 256', "0", "Its block size.", since="1.31"
    ),
    "session.enable_dq_matmulnbits_fusion": Key(
        *_FLAG, "0", "Turn DQ+MatMul into MatMulNBits.", since="1.31"
    ),
    "session.intra_op.allow_spinning": Key(*_FLAG, "1", "Idle threads within operators spin."),
    "session.inter_op.allow_spinning": Key(*_FLAG, "1", "Idle threads across operators spin."),
    "session.intra_op.spin_duration_us": Key(
        *_COUNT, "", "How long they spin, in microseconds.", since="1.31"
    ),
    "session.inter_op.spin_duration_us": Key(
        *_COUNT, "", "How long they spin, in microseconds.", since="1.31"
    ),
    "session.intra_op.spin_backoff_max": Key(
        "[1-9]|[1-5][0-9]|6[0-4]", '"1" to "64"', "1", "Cap of the pause while spinning.", "1.31"
    ),
    "session.inter_op.spin_backoff_max": Key(
        "[1-9]|[1-5][0-9]|6[0-4]", '"1" to "64"', "1", "Cap of the pause while spinning.", "1.31"
    ),
    "session.force_spinning_stop": Key(
        *_FLAG, "0", "Threads stop spinning when a run returns: spares the pipeline's next session."
    ),
    "session.dynamic_block_base": Key(
        *_COUNT, "0", "Split work into shrinking blocks; less variance on some models."
    ),
    "session.intra_op_thread_affinities": Key(
        *_MASKS, "", "Processors of intra_op_num_threads - 1 threads."
    ),
    "session.use_device_allocator_for_initializers": Key(
        *_FLAG, "0", "Weights outside of the arena."
    ),
    "session.graph_optimizations_loop_level": Key(
        "[012]", '"0", "1" or "2"', "1", "Whether optimizers run again after others changed nodes."
    ),
    "session.disable_aot_function_inlining": Key(*_FLAG, "0", "Inline model functions later."),
    "session.strict_shape_type_inference": Key(*_FLAG, "0", "Refuse inconsistent shapes."),
    "session.allow_released_opsets_only": Key(*_FLAG, "", "Refuse opsets not yet released."),
    "session.disable_cpu_ep_fallback": Key(*_FLAG, "0", "Every node on the provider, or fail."),
    "session.prepack.enable_parallel": Key(*_FLAG, "0", "Prepack on all threads.", since="1.31"),
    "optimization.enable_gelu_approximation": Key(*_FLAG, "0", "Faster Gelu, other results."),
    "optimization.enable_cast_chain_elimination": Key(
        *_FLAG, "0", "Drop chains of casts; may change results."
    ),
    "optimization.disable_specified_optimizers": Key(
        *_NAMES, "", "Optimizers to leave out, by name."
    ),
    "optimization.constant_folding_max_output_size_in_bytes": Key(
        *_COUNT, "1073741824", "Largest constant that folding may make.", since="1.31"
    ),
    "mlas.enable_gemm_fastmath_arm64_bfloat16": Key(
        *_FLAG, "0", "FP32 products by way of bfloat16 (ARM64)."
    ),
    "mlas.use_lut_gemm": Key(*_FLAG, "0", "Table look-up kernels for low bits.", since="1.31"),
    "mlas.disable_kleidiai": Key(*_FLAG, "0", "Leave out Arm KleidiAI kernels.", since="1.31"),
    "mlas.kleidiai.conv_igemm_max_work": Key(
        *_COUNT, "0", "Largest convolution on the SME route (ARM64).", since="1.31"
    ),
}

_WRITES = "it writes a file each time the session opens"
_FORMAT = "it is about the ORT file format, and models here are ONNX files"
_COMPILING = "it is about providers that compile the model"
_EXTERNAL = "it moves weights to other files, and a variant's folder is complete in itself"
_OTHER_DEVICE = "it is about another device"
_UNDOCUMENTED = "onnxruntime does not say what its values mean"
_SET_BY_FIELD = "write the SessionOptions field of that name instead"

KEYS_LEFT_OUT: Mapping[str, str] = {
    "session.use_env_allocators": "it needs an allocator registered in the process",
    "session.load_model_format": _FORMAT,
    "session.save_model_format": _FORMAT,
    "session.use_ort_model_bytes_directly": _FORMAT,
    "session.use_ort_model_bytes_for_initializers": _FORMAT,
    "session.use_memory_mapped_ort_model": _FORMAT,
    "optimization.minimal_build_optimizations": _FORMAT,
    "session.node_partition_config_file": _OTHER_DEVICE,
    "session.resource_cuda_partitioning_settings": _OTHER_DEVICE,
    "session.layer_assignment_settings": _OTHER_DEVICE,
    "session.name_based_layer_assignment": _OTHER_DEVICE,
    "session.debug_layout_transformation": _WRITES,
    "session.collect_node_memory_stats_to_file": _WRITES,
    "session.optimized_model_external_initializers_file_name": _WRITES,
    "session.optimized_model_external_initializers_min_size_in_bytes": _WRITES,
    "session.save_external_prepacked_constant_initializers": _WRITES,
    "session.model_external_initializers_file_folder_path": _EXTERNAL,
    "session.disable_model_compile": _COMPILING,
    "session.fail_on_suboptimal_compiled_model": _COMPILING,
    "session.compile_only": _COMPILING,
    "session.record_ep_graph_assignment_info": "it only records, for a call that is made nowhere",
    "session.log_id": "it names log lines only",
    "session.log_verbosity_level": "it is read by debug builds of onnxruntime only",
    "session.enable_profiling": FIELDS_LEFT_OUT["enable_profiling"],
    "session.optimized_model_filepath": _WRITES,
    "session.use_per_session_threads": FIELDS_LEFT_OUT["use_per_session_threads"],
    "session.intra_op_num_threads": _SET_BY_FIELD,
    "session.inter_op_num_threads": _SET_BY_FIELD,
    "session.enable_cpu_mem_arena": _SET_BY_FIELD,
    "session.enable_mem_pattern": _SET_BY_FIELD,
    "session.log_severity_level": _SET_BY_FIELD,
    "session.graph_optimization_level": _SET_BY_FIELD,
    "session.execution_mode": _SET_BY_FIELD,
    "session.use_deterministic_compute": _SET_BY_FIELD,
    "ep.context_enable": _COMPILING,
    "ep.context_file_path": _COMPILING,
    "ep.context_embed_mode": _COMPILING,
    "ep.context_node_name_prefix": _COMPILING,
    "ep.context_model_external_initializers_file_name": _COMPILING,
    "ep.share_ep_contexts": _COMPILING,
    "ep.stop_share_ep_contexts": _COMPILING,
    "ep.enable_weightless_ep_context_nodes": _COMPILING,
    "ep.nnapi.partitioning_stop_ops": _OTHER_DEVICE,
    "session.gqa_value_layout": _UNDOCUMENTED,
    "session.max_shape_override": _UNDOCUMENTED,
    "session.strict_workspace_verification": _UNDOCUMENTED,
    "session.enable_saved_runtime_optimizations": _FORMAT,
    "session.function_expansion_byte_limit": _UNDOCUMENTED,
    "session.function_expansion_node_limit": _UNDOCUMENTED,
    "session.use_external_initializer_file_buffers_directly": _EXTERNAL,
    "mlas.qnbit.force_fp32": _UNDOCUMENTED,
    "mlas.nchwc_depthwise_sliding": _UNDOCUMENTED,
    "mlas.nchwc_pointwise_conv_max_input_channel_batch": _UNDOCUMENTED,
}


# provider -> option -> what it is. Only options seen in documentation are here (OpenVINO: the C API
# pages of onnxruntime and the ort crate for 1.31; CoreML: onnxruntime's page); others are refused.
# Nothing but the CPU provider has been run.
PROVIDERS: Mapping[str, Mapping[str, str]] = {
    CPU: {},
    "OpenVINOExecutionProvider": {
        "device_type": "CPU, GPU, NPU or a combination",
        "num_of_threads": "inference threads",
        "cache_dir": "folder of compiled blobs",
    },
    "CoreMLExecutionProvider": {"ModelFormat": "MLProgram or NeuralNetwork"},
}
PROVIDERS_LEFT_OUT: Mapping[str, str] = {
    "AzureExecutionProvider": "it sends calls to a remote endpoint and runs no local graph",
}
# what people mean by options that the CPU provider accepts and ignores
CPU_KNOBS = "enable_cpu_mem_arena, enable_mem_pattern and enable_mem_reuse (session options)"
