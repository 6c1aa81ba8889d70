"""Every bound on what comes from elsewhere, stated once; who meets one gets a line that says so."""

from __future__ import annotations

MEGABYTE = 10**6

# --- experiments
YAML_BYTES = 1 * MEGABYTE  # of one experiment file

# --- tables of data sets (a release's largest table has 2.5 million rows and 1 GB)
ROW_BYTES = 1 * MEGABYTE  # of one line: a transcript is no book
FIELD_LINES = 100  # that one quoted field of a CSV may reach over
TABLE_ROWS = 10_000_000  # 16 bytes and more are kept for each
SENTENCES_BYTES = 100 * MEGABYTE  # of a file of sentences or ratings, which is read whole

# --- slices of data sets
LABEL_CHARACTERS = 200  # of what a column says of an utterance: an accent, no essay; else cut
LABEL_COLUMNS = 64  # of a Parquet file, which are read for each of its clips
SLICE_VALUES = 100  # of one slice that are estimated, the largest; a data set has 10,000 speakers

# --- archives of data sets
TABLE_BYTES = 1_500 * MEGABYTE  # of the tables that are copied out of one archive
CLIP_BYTES = 200 * MEGABYTE  # of one clip: two hours of speech, uncompressed
ARCHIVE_MEMBERS = 10_000_000
ARCHIVE_RATIO = 100  # plain bytes for one packed byte: tables shrink to a fifth, audio not at all
ARCHIVE_FREE_BYTES = 64 * MEGABYTE  # so many plain bytes may have any ratio
HEADER_BYTES = 1 * MEGABYTE  # of a member's own header (a long name), which is read into memory
SPARE_BYTES = 200 * MEGABYTE  # that stay free on the cache's disk

# --- Parquet
ROW_GROUP_BYTES = 2_000 * MEGABYTE  # of the columns that are read, decompressed; and ARCHIVE_RATIO
BATCH_BYTES = 500 * MEGABYTE  # of rows that are read together, each as large as its whole group
# --- servers
ANSWER_BYTES = 1 * MEGABYTE  # of one transcript, unpacked; that of an hour is a tenth of it
STREAM_BYTES = 16 * MEGABYTE  # of the events of one transcript, 300 bytes and more a token
LISTED_BYTES = 4 * MEGABYTE  # of a server's list of models
WAIT_SECONDS = 86_400  # that a server may ask for; what is more is said as this

# --- models
JSON_BYTES = 100 * MEGABYTE  # of a JSON file beside a graph; the largest tokenizers take 40
GRAPH_BYTES = 2**31 - 1  # of one ONNX file: protobuf takes no more
WEIGHTS_BYTES = 6_000 * MEGABYTE  # of a graph that is quantized: it takes four times that of memory
VOICE_BYTES = 100 * MEGABYTE  # of the table of one voice; Kokoro's are 0.5
HUB_BYTES = 100_000 * MEGABYTE  # of what is fetched of one repository
MODEL_FILES = 100_000  # below a folder that is looked at for a model; an export has dozens
TRIAL_SECONDS = 600.0  # of a graph's first opening, in a process of its own
YAML_DEPTH = 32  # lists and mappings one in another; an experiment needs 8
YAML_NODES = 20_000  # values, an alias counted as often as it stands
YAML_KEY = 200  # characters
YAML_PROBLEMS = 100  # lines about one file; the rest are counted
SHOWN_WORDS = 5  # keys that the line about a language file names; the rest are counted
NAME_CHARACTERS = 200  # of a variant, session, data set, gate ...: they head columns
CELLS = 10_000  # variants times sessions: a row each in several tables

# --- what is shown: tables keep all of it
SHOWN_TEXT = 2_000  # characters of one text (an error, a reason) in a report
SHOWN_TITLE = 300  # characters of a report's heading
ALIGNED_WORDS = 400  # of two transcripts laid word under word: the work grows with the square
FIGURE_NAME = 60  # characters of a name in a figure
FIGURE_PIXELS = 50_000_000  # of a figure of the user's own, 4 bytes each while it is drawn
FIGURE_BYTES = 10 * MEGABYTE  # of its file; ours have 0.1
TERMINAL_LINE = 4_000  # characters of one line in a terminal
# --- run folders: who reads a result got it from anywhere
RESULT_JSON_BYTES = 16 * MEGABYTE  # of experiment.json and the other facts; real ones: 10 kB
RESULT_DEPTH = 64  # lists and mappings one in another in experiment.json, which is of a YAML file
RESULT_TABLE_BYTES = 400 * MEGABYTE  # of one text table; 100,000 utterances take 60 MB
CALLS_BYTES = 1000 * MEGABYTE  # of calls.parquet as it lies on the disk
RESULT_TABLE_ROWS = 20_000_000  # 200 times the largest run
DECODED_BYTES = 4000 * MEGABYTE  # of calls.parquet once it is unpacked
JOURNAL_BYTES = 2000 * MEGABYTE  # of one unit under way
HISTORY_BYTES = 100 * MEGABYTE  # 5,000 runs
HISTORY_LINE_BYTES = 4 * MEGABYTE  # of one run; real ones: 15 kB
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
# --- scripts that make a model's files
SCRIPT_MINUTES = 60.0  # unless the experiment says
SCRIPT_BYTES = 100_000 * MEGABYTE  # that one may write, as much as a hub may give
SCRIPT_FILES = 10_000
SCRIPT_SOURCE_BYTES = 10 * MEGABYTE  # of a script or a module beside it
PROBE_SECONDS = 120.0  # for an interpreter to say its version: torch's folders may be cold

# --- outputs that are held against the baseline's: on the disk of the run's folder, those of a few
# utterances at a time, which are removed when every variant was compared
OUTPUT_BYTES = 1000 * MEGABYTE  # of one utterance; 30 s in Whisper large take 500
OUTPUTS_AT_ONCE = 4  # utterances

# --- the budget: what is measured whatever it is, and how far it may be overrun without a word
MINIMUM_ROUNDS = 6  # fewer calls of one each give a median no 95 % interval: 0.5^5 > 0.025
FEWEST_UTTERANCES = 100  # of a data set, before the first look at it
LEAST_STAGE_SECONDS = 30.0  # for a stage that those before it left less
OVERRUN = 0.1  # of the budget; beyond it the report says by how much and why
# --- what a sample cannot exclude
TOKEN_BUDGET_WORDS = 448  # of a reply that only its token budget ends: Whisper's, a word per token
