"""Every bound on what comes from elsewhere, stated once; who meets one gets a line that says so."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file
