"""Every bound on what comes from elsewhere, stated once: who meets one gets a line that names it."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file
YAML_DEPTH = 32  # lists and mappings one in another; an experiment needs 8
YAML_NODES = 20_000  # values, an alias counted as often as it stands
YAML_KEY = 200  # characters
YAML_PROBLEMS = 100  # lines about one file; the rest are counted
NAME_CHARACTERS = 200  # of a variant, session, data set, gate ...: they head columns
CELLS = 10_000  # variants times sessions: a row each in several tables

# --- what is shown: tables keep all of it
SHOWN_TEXT = 2_000  # characters of one text (an error, a reason) in a report
SHOWN_TITLE = 300  # characters of a report's heading
ALIGNED_WORDS = 400  # of two transcripts laid word under word: the work grows with the square
FIGURE_NAME = 60  # characters of a name in a figure
TERMINAL_LINE = 4_000  # characters of one line in a terminal
