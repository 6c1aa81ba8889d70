"""False approvals of text gates over corpora that nobody named: a WER increase at its limit.

What is true is the law that the corpus is drawn from: other speakers, other sentences, other
utterances of the same kind. The gate is read once, when its data is through, by the functions that
the verdict asks: the paired bootstrap, then the labels that utterances share.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.contracts import Status
from harness.decide import stats
from harness.decide.scoring import likeness
from harness.decide.stats import Resampling, Sums
from harness.decide.verdict.checks import evidence
from harness.plugins.gates._rule import at_most
from trust import cached
from trust.rows import Row, share

DRAWS = 2000
SHARED, OWN = 0.11, 0.02  # errors per word that both systems make, and each alone
CANNOT = (
    "no interval sees what a corpus does not hold: the check says up to which share of utterances"
    " it cannot exclude"
)


@dataclass(frozen=True)
class Corpus:
    """Utterances of `words` ± 30 %, each by one of the speakers, of one of the sentences."""

    name: str
    n: int
    speakers: int = 0  # 0: each utterance by another
    sentences: int = 0  # 0: each utterance another; else every speaker says some of them
    words: float = 10.0
    speaker_sd: float = 0.3  # of the log rate of errors
    sentence_sd: float = 0.0
    harm: float = 0.0  # points of WER that the candidate has more, everywhere
    loops: float = 0.0  # share of utterances in which the candidate alone says `loop` words more
    loop: float = 50.0
    hit_speakers: float = 0.0  # share of speakers with `hit` points more
    hit: float = 30.0
    empty: float = 0.0  # share of empty references, in which the candidate says two words more
    topics: int = 0  # utterances in a row that share how hard they are
    skew: float = 0.0  # log standard deviation of the words
    unseeable: bool = False

    @property
    def limit(self) -> float:
        """The true increase: expected words more, over expected words."""
        spoken = (1 - self.empty) * self.words
        more = self.harm / 100 * spoken + self.loops * self.loop + self.empty * 2.0
        more += self.hit_speakers * self.hit / 100 * spoken
        return more / spoken


CORPORA = (
    Corpus("100 utterances, each by another speaker", 100, harm=2),
    Corpus("400 utterances of one speaker", 400, 1, harm=1, speaker_sd=0),
    Corpus("20 speakers x 5", 100, 20, harm=2),
    Corpus("20 speakers x 5, very unlike", 100, 20, harm=2, speaker_sd=1.0),
    Corpus("4 speakers x 25", 100, 4, harm=2, speaker_sd=0.6),
    Corpus("20 speakers x the same 5 sentences", 100, 20, 5, sentence_sd=0.6, harm=2),
    Corpus("40 speakers x the same 10 sentences", 400, 40, 10, sentence_sd=0.6, harm=1),
    Corpus("5 speakers x the same 20 sentences", 100, 5, 20, sentence_sd=0.6, harm=2),
    Corpus("lengths from 2 to 60 words", 150, 30, harm=2, skew=0.8),
    Corpus("topics of ten utterances in a row", 200, 1, topics=10, harm=2, speaker_sd=0),
    Corpus("one utterance in ten is empty", 200, 40, empty=0.1),
    Corpus("30 points on one of 20 speakers", 100, 20, hit_speakers=0.05, unseeable=True),
    Corpus("30 points on one in 20 of 100 speakers", 500, 100, hit_speakers=0.05),
    Corpus("a loop in 1 of 200, n = 100", 100, 20, loops=0.005, unseeable=True),
    Corpus("a loop in 1 of 200, n = 400", 400, 80, loops=0.005, unseeable=True),
    Corpus("a loop in 1 of 200, n = 1000", 1000, 200, loops=0.005),
    Corpus("a loop of 200 words in 1 of 500, n = 1000", 1000, 200, loops=0.002, loop=200.0,
           unseeable=True),
    Corpus("a loop in 1 of 50, n = 400", 400, 80, loops=0.02),
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Edits of both systems and words, and who said what, of one drawn corpus."""

    ours: np.ndarray
    theirs: np.ndarray
    words: np.ndarray
    rows: pd.DataFrame
    clusters: np.ndarray


def draw(corpus: Corpus, random: np.random.Generator) -> Sample:
    n = corpus.n
    speaker = np.arange(n) % corpus.speakers if corpus.speakers else np.arange(n)
    per = corpus.speakers or 1
    sentence = (np.arange(n) // per) % corpus.sentences if corpus.sentences else np.arange(n)
    words = np.maximum(1, np.round(corpus.words * np.exp(_centred(corpus.skew, random, n))))
    if not corpus.skew:
        words = np.maximum(1, np.round(random.normal(corpus.words, 0.3 * corpus.words, n)))
    empty = random.random(n) < corpus.empty
    words[empty] = 0
    hard = np.exp(
        _centred(corpus.speaker_sd, random, speaker.max() + 1)[speaker]
        + _centred(corpus.sentence_sd, random, sentence.max() + 1)[sentence]
        + (_centred(0.8, random, n // corpus.topics + 1)[np.arange(n) // corpus.topics]
           if corpus.topics else 0.0)
    )  # fmt: skip
    both = random.poisson(SHARED * hard * words)
    own = [random.poisson(OWN * hard * words) for _ in range(2)]
    more = corpus.harm / 100 * words * hard
    more = (
        more
        + corpus.hit
        / 100
        * words
        * (random.random(speaker.max() + 1) < corpus.hit_speakers)[speaker]
    )
    loops = corpus.loop * (random.random(n) < corpus.loops) * (words > 0)
    ours = both + own[0] + random.poisson(more) + loops + empty * 2.0
    names = [f"s{k}" for k in speaker] if corpus.speakers else [""] * n
    texts = [f"t{k}" for k in sentence] if corpus.sentences else [""] * n
    items = [f"u{k}" for k in range(n)]
    rows = pd.DataFrame({"speaker": names, "sentence": texts, "item": items})
    enough = corpus.speakers >= stats.FEWEST
    clusters = speaker if enough else sentence
    return Sample(ours.astype(float), (both + own[1]).astype(float), words, rows, clusters)


def _centred(sd: float, random: np.random.Generator, n: int) -> np.ndarray:
    """Logarithms whose exponentials have the mean 1."""
    return sd * random.standard_normal(n) - sd * sd / 2


def bound(sample: Sample, level: float = 0.95, *, two_way: bool = True) -> stats.Interval:
    """The increase as the verdict has it."""
    ours, theirs = Sums(sample.ours, sample.words), Sums(sample.theirs, sample.words)
    how = Resampling(level=level, draws=DRAWS)
    found = stats.compare_ratios(ours, theirs, sample.clusters, how)[0]
    if not two_way:
        return found
    parts = likeness.of_rate(ours) - likeness.of_rate(theirs)
    return likeness.widened(found, parts, sample.rows, level)


def count(corpus: Corpus, experiments: int, seed: int) -> dict[str, int]:
    """How many of so many corpora are approved at their true increase, and 3 points over it."""
    random = np.random.default_rng([seed, zlib.crc32(corpus.name.encode())])
    out = {"n": experiments, "at": 0, "over": 0}
    for _ in range(experiments):
        found = evidence(bound(draw(corpus, random)))
        out["at"] += at_most(corpus.limit, found) is Status.PASS
        out["over"] += at_most(corpus.limit + 0.03, found) is Status.PASS
    return out


def rows(experiments: int, seed: int) -> list[Row]:
    """Every corpus; those that the same code has counted before are read."""
    seal = cached.code("corpora.py")
    with ProcessPoolExecutor(2) as pool:
        more = ([x] * len(CORPORA) for x in (experiments, seed, seal))
        counted = list(pool.map(_kept, CORPORA, *more))
    return [row for corpus, one in zip(CORPORA, counted, strict=True) for row in _rows(corpus, one)]


def _kept(corpus: Corpus, experiments: int, seed: int, seal: str) -> dict[str, int]:
    key = (corpus, experiments, seed)
    found: dict[str, int] = cached.kept(key, seal, lambda: count(corpus, experiments, seed))
    return found


def _rows(corpus: Corpus, counted: dict[str, int]) -> Iterator[Row]:
    n = counted["n"]
    value, error = share(counted["at"], n)
    note = ""
    if corpus.unseeable:
        kind, missed = corpus.loops, (1 - corpus.loops) ** corpus.n
        if corpus.hit_speakers:
            kind, missed = corpus.hit_speakers, (1 - corpus.hit_speakers) ** corpus.speakers
        note = f"{math.floor(100 * missed)} % of such corpora hold not one of what befalls"
        note += f" {kind:.1%}: {CANNOT}"
    case = f"{corpus.name}: increase exactly at the limit"
    yield Row(
        "non-inferiority, corpora",
        case,
        value,
        error,
        n,
        "" if corpus.unseeable else "<= 0.05",
        note,
    )
    value, error = share(counted["over"], n)
    yield Row(
        "non-inferiority power, corpora",
        f"{corpus.name}, 3 points under the limit",
        value,
        error,
        n,
    )
