"""What lifespans keep of a short conversation, and what silencing them would."""

import argparse
import math

import numpy as np
import pytest

from sims.memory import lifespans


@pytest.fixture(scope="module")
def args() -> argparse.Namespace:
    return argparse.Namespace(model="hippocampus-small", every=20, lifespan=60.0, seed=0)


@pytest.fixture(scope="module")
def stream() -> lifespans.Stream:
    return lifespans.made_up(400, 5, 0)


def test_cues_are_near_what_they_ask_for(stream: lifespans.Stream) -> None:
    n = stream.useful[0]
    turn, cue, other = stream.embedder.embed([stream.turns[n], stream.cues[n], stream.turns[n + 100]])
    assert turn @ cue == pytest.approx(lifespans.CUE, abs=0.1)
    assert abs(turn @ other) < 0.3


def test_what_is_asked_for_is_kept_and_what_is_not_falls_silent(stream: lifespans.Stream, args: argparse.Namespace) -> None:
    row = lifespans.heard(stream, args, 200)  # and nobody asks in the second half
    assert (row["useful"], row["others"], row["fifo"], row["lru"]) == (1.0, 0.0, 0.0, 0.0)
    assert row["awake"] < 100


@pytest.mark.slow
def test_without_lifespans_nothing_falls_silent(stream: lifespans.Stream, args: argparse.Namespace) -> None:
    row = lifespans.heard(stream, argparse.Namespace(**{**vars(args), "lifespan": math.inf}), 200)
    assert (row["awake"], row["others"]) == (400, 1.0)


@pytest.mark.slow
def test_memorias_step_shows_primacy_recency_and_contiguity(stream: lifespans.Stream, args: argparse.Namespace) -> None:
    found = lifespans.memoria(stream, args)
    assert found["primacy"][0] > found["primacy"][1]
    assert np.diff(found["recency"][:4]).max() < 0
    assert found["contiguity"][0] == max(found["contiguity"]) > 2 * found["contiguity"][9]
