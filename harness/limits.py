"""Every bound on what comes from elsewhere, stated once: who meets one gets a line that names it."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file

# --- child processes: what they may send, and how long they may take
REPLY_BYTES = 64 * MEGABYTE  # of one line of an answer; a turn of eight long transcripts has 0.1 MB
COMPLAINT_BYTES = 8192  # kept of what a child writes to stderr: its end, the last line is shown
OPEN_SECONDS = 180.0  # to open a model or a judge, whatever the budget
CALL_SECONDS = 120.0  # for a call of which nothing is known, whatever the budget
HANG_SHARE = 0.1  # of the budget, for a call that gives no answer; twice that to open a model
LEAST_SECONDS = 20.0  # but so much at least, since a machine may be busy
USUAL_TIMES = 4  # a call of known length may take so many times that, and HANG_SHARE on top
HANGS_OF_A_CELL = 2  # after which it is given up
HANGS_SHARE = 0.5  # of the budget, for all hangs of a run; then what has hung once is given up
NO_ANSWER = "no answer within"  # so begins what a row says of a call that was given up
TOLD_AFTER_SECONDS = 15.0  # of waiting for an answer, then each time that this has doubled

# --- the budget: what is measured whatever it is, and how far it may be overrun without a word
MINIMUM_ROUNDS = 6  # fewer calls of one each give a median no 95 % interval: 0.5^5 > 0.025
FEWEST_UTTERANCES = 100  # of a data set, before the first look at it
LEAST_STAGE_SECONDS = 30.0  # for a stage that those before it left less
OVERRUN = 0.1  # of the budget; beyond it the report says by how much and why
