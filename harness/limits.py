"""Every bound on what comes from elsewhere, stated once: who meets one gets a line that names it."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file

# --- servers
ANSWER_BYTES = 1 * MEGABYTE  # of one transcript, unpacked; that of an hour is a tenth of it
LISTED_BYTES = 4 * MEGABYTE  # of a server's list of models
WAIT_SECONDS = 86_400  # that a server may ask for; what is more is said as this

# --- models
JSON_BYTES = 100 * MEGABYTE  # of a JSON file beside a graph; the largest tokenizers take 40
GRAPH_BYTES = 2**31 - 1  # of one ONNX file: protobuf takes no more
EXTERNAL_TENSORS = 1_000_000  # tensors of one graph that lie in other files
VOICE_BYTES = 100 * MEGABYTE  # of the table of one voice; Kokoro's are 0.5
HUB_BYTES = 100_000 * MEGABYTE  # of what is fetched of one repository
TRIAL_SECONDS = 600.0  # of a graph's first opening, in a process of its own
