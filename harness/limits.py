"""Every bound on what comes from elsewhere, stated once: who meets one gets a line that names it."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file

# --- audio: checked by the header before anything is decoded, and again block by block, since a
# header may lie. A clip takes up to 4 * CLIP_SAMPLES bytes decoded, the same again while its blocks
# are joined, and 4 bytes a sample at the model's rate: 1.1 GB at the most.
CLIP_SECONDS = 3600.0  # of what one row hears: an hour is far beyond any recogniser's window
CLIP_SAMPLES = 100_000_000  # of what one row hears, at the file's own rate (34 min at 48 kHz)
CLIP_CHANNELS = 64  # an ambisonic recording of seventh order
LOWEST_RATE = 4_000  # Hz: under it there is no speech; at 1 Hz a second becomes 16,000 samples
HIGHEST_RATE = 384_000  # Hz: what converters do at most; the filter grows with it
HELD_BYTES = 256 * MEGABYTE  # of an encoded file that is decoded from memory (MP3, Ogg): 4 h
SKIPPED_SAMPLES = 1_000_000_000  # decoded only to reach a part, where its file cannot be sought in
TAG_BYTES = 16 * MEGABYTE  # of what stands before an MP3's first frame: covers are large
