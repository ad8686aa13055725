"""Sequences with context: forks, unions, lost cells, Hebb's rule and simulators, on a small network."""

import argparse
import importlib.util

import numpy as np
import pytest

from sims.papers import sequences_in_context as sims

NOBODY = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def args() -> argparse.Namespace:
    return sims.parser.parse_args(["--columns", "1024", "--winners", "32", "--threshold", "14", "--symbols", "20", "--pairs", "2"])


def test_the_first_symbol_decides_the_last(args: argparse.Namespace) -> None:
    assert sims.accuracy(args, sims.shared_middles(args)) == 1.0


def test_with_one_cell_a_column_nothing_tells_contexts_apart(args: argparse.Namespace) -> None:
    alone, task = argparse.Namespace(**{**vars(args), "cells": 1}), sims.shared_middles(args)
    found, _ = sims.recalled(alone, sims.stored(alone, task.sequences), list(task.cues), NOBODY)
    assert sims.accuracy(alone, task) == 0.0
    assert all(right < got for right, got in zip(task.cues.values(), found, strict=True))  # all endings of a middle


@pytest.mark.parametrize("count", [2, 4])
def test_all_endings_are_predicted_at_once(args: argparse.Namespace, count: int) -> None:
    task = sims.endings(args, count)
    assert {len(right) for right in task.cues.values()} == {count}
    assert sims.accuracy(args, task) == 1.0


def test_a_middle_without_its_beginning_predicts_the_endings_of_all_contexts(args: argparse.Namespace) -> None:
    task = sims.Task("", [(0, 1, 2, 3), (4, 1, 2, 5)], {})
    found, _ = sims.recalled(args, sims.stored(args, task.sequences), [(1, 2), (0, 3), (4, 7)], NOBODY)
    assert found[0] == {3, 5}
    assert found[2] == frozenset()


def test_a_sequence_that_is_known_leaves_no_new_dendrites(args: argparse.Namespace) -> None:
    once, twice = (sims.stored(args, [(0, 1, 2, 3)] * n) for n in (1, 2))
    assert len(once.cells) == len(twice.cells) == 3 * args.winners


def test_lost_cells_cost_little(args: argparse.Namespace) -> None:
    assert sims.accuracy(args, sims.shared_middles(args), lost=0.3) == 1.0
    assert sims.accuracy(args, sims.shared_middles(args), lost=0.8) < 1.0


def small() -> tuple[argparse.Namespace, sims.Learned]:
    args = sims.parser.parse_args(["--columns", "32", "--winners", "6", "--threshold", "4", "--symbols", "6", "--cells", "4"])
    return args, sims.stored(args, [(0, 1, 2, 3), (4, 1, 2, 5)])


def test_hebbs_rule_in_spikes_sets_the_same_synapses() -> None:
    args, learned = small()
    expected = np.zeros((learned.size, len(learned.cells)), bool)
    expected[learned.sources, np.arange(len(learned.cells))[:, None]] = True
    assert (sims.taught(args, learned) == expected).all()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")
def test_brian2_fires_the_same_spikes() -> None:
    args, learned = small()
    found, ours = sims.recalled(args, learned, [(0, 1, 2), (4, 1, 2)], NOBODY)
    again, theirs = sims.recalled(args, learned, [(0, 1, 2), (4, 1, 2)], NOBODY, "brian2")
    assert found == again
    for name in ("ca3", "basket", "dendrite", "plateau"):
        a, b = (sorted(zip(r[name].step.tolist(), r[name].batch.tolist(), r[name].cell.tolist(), strict=True)) for r in (ours, theirs))
        assert a == b
        assert len(a)
