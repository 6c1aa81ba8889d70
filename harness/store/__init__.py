"""The run folder: what is written when, the lock, resume, and loading what was published.

    reports/x/   experiment.yaml experiment.json environment.json calls.parquet <table>.csv
                 verdict.json manifest.json report.md figures/        <- published, can be committed
                 own_scores.parquet: scores by metrics of the user's own, if there are any
                 history.jsonl: a line per run of this folder, also of those before a --fresh
    reports/x/.work/  run.json (this folder is a run's), lock, <unit>-<key>.jsonl (being measured),
                 <unit>-<key>.parquet (measured), outputs/ (of the baseline, being compared with),
                 next/ and swap.json (being published)

names       what the files are called
files       reading, writing and removing: bounded, whole, never through a link
encoding    tables as bytes and back
owning      whose a folder is
units       what is measured in one go, as a journal and then as a table
removing    what is removed: only what was noted as written
experiments what experiment.json holds, as frozen values
publishing  the new result, moved into its place as one
reading     what was published, as data
"""

from harness.io.hashes import digest
from harness.store.experiments import as_stored
from harness.store.files import as_json, bounded, inside, write_atomic, write_outside
from harness.store.names import HISTORY, MANIFEST, OUTPUTS, REPORT, WORK
from harness.store.owning import claim, mark, ours, rendered
from harness.store.publishing import (
    Next,
    complete,
    files_of,
    finished,
    locked,
    manifest_of,
    note_finished,
    publish,
    view,
)
from harness.store.reading import published, read, read_back, told_of
from harness.store.removing import forget, remove_audio, remove_outputs, remove_units
from harness.store.units import Unit

__all__ = [
    "HISTORY",
    "MANIFEST",
    "OUTPUTS",
    "REPORT",
    "WORK",
    "Next",
    "Unit",
    "as_json",
    "as_stored",
    "bounded",
    "claim",
    "complete",
    "digest",
    "files_of",
    "finished",
    "forget",
    "inside",
    "locked",
    "manifest_of",
    "mark",
    "note_finished",
    "ours",
    "publish",
    "published",
    "read",
    "read_back",
    "remove_audio",
    "remove_outputs",
    "remove_units",
    "rendered",
    "told_of",
    "view",
    "write_atomic",
    "write_outside",
]
