"""False matches of sparse patterns: the formula against published and exact values, and spikes against the formula."""

import argparse

import pytest

from sims.papers import sdr_matching
from tests.marks import first_is_fast


@pytest.mark.parametrize(
    ("n", "a", "s", "theta", "expected"),
    [
        (100_000, 2000, 6, 6, 6.3531e-11), (2048, 40, 40, 20, 2.4913e-26), (2048, 40, 24, 12, 1.1773e-15), (16384, 128, 50, 15, 1.8954e-20),
        (16384, 128, 20, 10, 1.0246e-16),
    ],
)  # fmt: skip
def test_false_matches_have_a_closed_form(n: int, a: int, s: int, theta: int, expected: float) -> None:
    assert sdr_matching.false_match(n, a, s, theta) == pytest.approx(expected, rel=1e-4)


@pytest.fixture(scope="module")
def args() -> argparse.Namespace:
    return sdr_matching.parser.parse_args(["--cells", "512", "--active", "20", "--dendrites", "512", "--thresholds", "1", "3", "4"])


@pytest.mark.parametrize("of", first_is_fast(1, 4))
def test_spikes_match_as_often_as_the_formula_has_it(args: argparse.Namespace, of: int) -> None:
    tries = 200 * args.dendrites
    for theta, count in sdr_matching.matched(args, sdr_matching.drawn(args, 200, of)).items():
        theory = sdr_matching.false_match(512, sdr_matching.union(512, 20, of), args.synapses, theta)
        assert count / tries == pytest.approx(theory, rel=0.15)


def test_a_union_of_patterns_is_as_large_as_expected(args: argparse.Namespace) -> None:
    assert sdr_matching.drawn(args, 100, 8).sum(1).mean() == pytest.approx(sdr_matching.union(512, 20, 8), rel=0.02)
