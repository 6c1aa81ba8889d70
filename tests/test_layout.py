"""One layout for runner, forecast and simulation: what lies where in time, processes and clips."""

from __future__ import annotations

import collections
import itertools

import numpy as np
import pytest

from harness.decide import layout
from harness.decide.layout import Cell, lay_out

GATED = Cell(0.3, 60, clips=400, open_seconds=1.0, gated=True)
PART = Cell(0.012, 8, clips=400, open_seconds=1.0)


def table(made: layout.Layout) -> list[layout.Block]:
    return list(made.schedule())


def test_a_block_lasts_a_quarter_of_a_second_or_one_call() -> None:
    assert [Cell(s, 1).calls for s in (2.0, 0.3, 0.12, 0.012, 1e-5, 0.0, float("nan"))] == [
        1, 1, 2, 20, layout.MOST_IN_BLOCK, 1, 1,
    ]  # fmt: skip


def test_every_block_has_a_clip_of_its_own_where_there_are_enough() -> None:
    made = lay_out([GATED, PART], 1e6, seed=3)
    mine = [block.clip for block in table(made) if block.cell == 0]
    assert len(set(mine)) == len(mine) == 60


@pytest.mark.parametrize("clips", [1, 3, 7, 59])
def test_fewer_clips_than_blocks_are_used_equally_often(clips: int) -> None:
    cell = Cell(0.3, 60, clips=clips, gated=True)
    counted = collections.Counter(b.clip for b in table(lay_out([cell], 1e6, seed=3)))
    assert set(counted) == set(range(clips))
    assert max(counted.values()) - min(counted.values()) <= 1


def test_cells_of_one_length_hear_the_same_clip_in_a_round() -> None:
    made = lay_out([GATED, GATED, PART], 1e6, seed=3)
    for _, blocks in itertools.groupby(table(made), key=lambda block: block.round):
        assert len({block.clip for block in blocks}) == 1


@pytest.mark.parametrize("fewer", [6, 8, 24, 59])
def test_a_cell_with_fewer_rounds_is_paired_in_each_and_spread_over_the_run(fewer: int) -> None:
    made = lay_out([GATED, Cell(0.3, fewer, clips=400)], 1e6, seed=3)
    rounds = [{b.round for b in table(made) if b.cell == cell} for cell in (0, 1)]
    assert rounds[1] <= rounds[0]
    assert len(rounds[1]) == fewer
    gaps = np.diff([-1, *sorted(rounds[1]), 60])
    assert gaps.max() <= 3 * 60 / fewer
    counted = collections.Counter(b.generation for b in table(made) if b.cell == 1)
    assert set(counted) == set(range(6))


def test_generations_are_stretches_of_equal_length_in_the_order_of_time() -> None:
    made = lay_out([GATED], 1e6, seed=3)
    found = [block.generation for block in table(made)]
    assert found == sorted(found)
    assert set(collections.Counter(found).values()) == {10}
    assert [n for n in range(60) if made.last_of_generation(n)] == [9, 19, 29, 39, 49, 59]


def test_the_order_within_rounds_is_drawn_anew_and_follows_the_seed() -> None:
    cells = [GATED] * 5
    one, same, other = (table(lay_out(cells, 1e6, seed)) for seed in (1, 1, 2))
    assert one == same != other
    orders = {tuple(b.cell for b in one[5 * n : 5 * n + 5]) for n in range(60)}
    assert len(orders) > 20


@pytest.mark.parametrize(
    ("seconds", "generations", "gated", "others"),
    [
        (1e6, 6, 60, 40),
        (45.7, 6, 60, 6),  # 36 s of 2 x 60 x 0.3 s stay whole, 7.8 s open and warm six times
        (35.0, 6, 42, 6),
        (15.0, 4, 16, 2),  # what gates look at keeps more than 6: the others have two
        (9.0, 4, 6, 2),
        (8.5, 3, 7, 2),
        (7.5, 1, 9, 2),
        (1.0, 1, 6, 2),  # less than the least there is
    ],
)
def test_a_budget_cuts_what_no_gate_looks_at_first_then_processes_and_never_below_six(
    seconds: float, generations: int, gated: int, others: int
) -> None:
    asked = Cell(0.3, 60, clips=400, process=0, open_seconds=0.4, gated=True)
    beside = Cell(0.3, 40, clips=400, process=0, open_seconds=0.4)
    made = lay_out([asked, asked, beside], seconds, seed=1)
    found = (made.generations, made.cells[0].rounds, made.cells[2].rounds)
    assert found == (generations, gated, others)
    assert made.seconds <= seconds or gated == 6


def test_what_cannot_be_opened_again_has_one_generation_and_the_others_have_theirs() -> None:
    server = Cell(0.3, 60, clips=400, gated=True, once=True)
    assert lay_out([server, server], 1e6, seed=1).generations == 1
    made = table(lay_out([server, GATED], 1e6, seed=1))
    found = [{b.generation for b in made if b.cell == cell} for cell in (0, 1)]
    assert found == [{0}, set(range(6))]


def test_where_no_gate_looks_at_anything_no_cell_is_cut_for_another() -> None:
    made = lay_out([Cell(0.3, 40, open_seconds=0.4), Cell(0.3, 40, open_seconds=0.4)], 8.0, seed=1)
    assert [cell.rounds for cell in made.cells] == [made.rounds, made.rounds]
    assert made.rounds >= 6
    assert made.seconds <= 8.0


@pytest.mark.parametrize("seconds", [8, 10, 13, 16, 20, 26, 33, 45, 60])
def test_more_budget_never_makes_what_was_measured_worth_less(seconds: float) -> None:
    asked = Cell(0.3, 60, clips=400, process=0, open_seconds=0.4, gated=True)
    beside = Cell(0.3, 40, clips=400, process=1, open_seconds=0.4)
    less, more = (lay_out([asked, asked, beside], s, seed=1) for s in (seconds, 1.25 * seconds))
    assert layout.worth(more) >= 0.85 * layout.worth(less)  # a generation more costs a little


@pytest.mark.parametrize("turns", [0, 1, 7, 13, 400])
def test_rounds_are_spread_between_the_turns_of_quality(turns: int) -> None:
    made = lay_out([GATED], 1e6, seed=1)
    done = [made.rounds_after(turn, turns) for turn in range(turns + 1)]
    assert done == sorted(done)
    assert done[-1] == 60
    if turns:
        assert max(np.diff(done)) <= 60 // turns + 1


@pytest.mark.parametrize("rounds", [1, 2, 3, 24, 61, 255, 900])
def test_ranks_are_a_permutation_whose_prefixes_are_spread(rounds: int) -> None:
    ranks = layout._spread_ranks(rounds)
    assert sorted(ranks) == list(range(rounds))
    for some in (2, 6, 30):
        if some < rounds:
            gaps = np.diff([-1, *np.flatnonzero(ranks < some), rounds])
            assert gaps.max() <= 2 * rounds / some + 1


def test_nothing_to_measure_is_an_empty_plan() -> None:
    made = lay_out([], 10.0, seed=1)
    assert (made.rounds, table(made)) == (0, [])
