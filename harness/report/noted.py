"""What runs note of data sets, calls and judges, by code, and how a report says it.

Notes are stored as codes with arguments (contracts/notes.py). Runs of before have English sentences
in their tables, and so have the errors of ratings, which are lines too: `CODES` reads those.
"""

from __future__ import annotations

from harness.report import words

KEYS = words.table("noted", "keys")
NOTES = words.table("noted", "notes")  # code -> what a report says
MARKUP = words.table("noted", "markup")  # kind of markup -> what a report calls it

WORDED = frozenset(
    (
        "made",
        "drawn",
        "transcripts",
        "ratings",
        "raters",
        "screening",
        "screened",
        "scale",
        "warning",
    )
)
"""Keys whose values are the package's own words; under all others stands what the user named."""

FIGURES = frozenset(("seconds", "figure", "least", "low", "high"))  # written as a language does

# code -> each part of an older note (between "; ") as a regular expression
CODES: tuple[tuple[str, str], ...] = (
    ("repetition_guard", r"repetition guard stopped after (?P<tokens>\d+) tokens"),
    ("budget_spent", r"token budget of (?P<tokens>\d+) exhausted"),
    ("silence", "the clip is silence"),
    ("nothing_heard", "nothing was heard, so nothing was said"),
    ("slow", "slow"),
    (
        "repeated",
        r"sent (?P<times>\d+) times after (?P<why>.+), (?P<seconds>\d+\.\d) s of waits counted",
    ),
    ("text_taken", r"`text` was empty, taken from its (?P<where>\w+)"),
    ("subtitles", "taken from subtitles"),
    ("markup", "markup that is no words left out: (?P<markup>.+)"),
    ("by_seed", "by its seed: no file on disk"),
    ("stratified", r"stratified by length in (?P<strata>\d+) strata"),
    ("at_random", "plainly at random: no length of a clip is known"),
    ("lengths_unknown", r"(?P<unknown>\d+) of (?P<all>\d+) lengths are unknown and rank last"),
    ("channels_cancel", r"the channels cancel: channel (?P<channel>\d+) is heard"),
    ("rescaled", r"(?P<low>\S+) to (?P<high>\S+), put on 1 to 5 by a straight line"),
    ("none", "none"),
    ("unknown", "unknown"),
    (
        "recogniser",
        r"(?P<model>\w[\w-]*), language (?P<spoken>\w[\w-]*), (?P<sha256>[0-9a-f]{12})",
    ),
    ("of_all_count", r"(?P<some>\d+) of (?P<all>\d+) count"),
    ("at_least", r"at least (?P<ratings>\d+) ratings"),
    ("scores_vary", "scores that vary"),
    ("correlation", r"correlation with the others of at least (?P<figure>\S+)"),
    ("one_rater", "one rater only: nothing can be said of other listeners"),
    ("screened_few", r"screened: (?P<ratings>\d+) ratings, fewer than (?P<least>\d+)\."),
    ("screened_alike", r"screened: all (?P<ratings>\d+) ratings are (?P<score>\S+)\."),
    (
        "screened_unlike",
        r"screened: correlates (?P<figure>\S+) with the others, below (?P<least>\S+)\.",
    ),
    ("scored_twice", r"(?P<rater>.+) scored this item of (?P<system>.+) before\."),
    ("no_score", r"has no score\."),
    ("no_number", r"the score (?P<score>.+) is not a number\."),
    ("beyond_scale", r"the score (?P<score>.+) is not from (?P<low>\S+) to (?P<high>\S+)\."),
    (
        "which_scale",
        r"on which scale\? line (?P<line>.+): the score (?P<score>.+) is not from 1 to 5; name it "
        ".+",
    ),
    ("not_rated", r"screened: not rated\."),
    ("no_system", r"the system (?P<system>.+) is not in `systems`\."),
)
