"""Every bound on what comes from elsewhere, stated once: who meets one gets a line that names it."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file

# --- run folders: who reads a result got it from anywhere
RESULT_JSON_BYTES = 16 * MEGABYTE  # of experiment.json and the other facts; real ones: 10 kB
TABLE_BYTES = 400 * MEGABYTE  # of one text table; 100,000 utterances take 60 MB
CALLS_BYTES = 1000 * MEGABYTE  # of calls.parquet as it lies on the disk
TABLE_ROWS = 20_000_000  # 200 times the largest run
DECODED_BYTES = 4000 * MEGABYTE  # of calls.parquet once it is unpacked
JOURNAL_BYTES = 2000 * MEGABYTE  # of one unit under way
HISTORY_BYTES = 100 * MEGABYTE  # 5,000 runs
HISTORY_LINE_BYTES = 4 * MEGABYTE  # of one run; real ones: 15 kB
