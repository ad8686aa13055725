"""Diehl and Cook in small: cells learn digits by STDP, better than the same cells without it."""

import numpy as np
import pytest

from sims.papers import digits as sim


def test_labels_are_the_classes_to_which_cells_fire_most() -> None:
    spikes, classes = np.array([[4, 0, 0], [0, 3, 0], [0, 2, 0]]), np.array([7, 2, 7])
    labelled = sim.labels(spikes, classes)
    assert labelled.tolist() == [7, 2, -1]
    assert sim.read(np.array([[1, 2, 9], [3, 2, 9]]), labelled).tolist() == [2, 7]


def test_the_interval_is_that_of_student() -> None:
    mean, half = sim.interval([0.6, 0.7, 0.8])
    assert mean == pytest.approx(0.7)
    assert half == pytest.approx(4.302653 * 0.1 / np.sqrt(3))


def test_inhibition_leaves_few_winners() -> None:
    first, image = sim.naive(64, 16, 1), np.linspace(0.0, 0.6, 64)[None]
    net, adaptation = sim.network(first.weights[0], None, 0.2), first.adaptation[0]
    spikes = sim.counts(sim.show(net, adaptation, image, 0))[0]
    assert 0 < (spikes > 0).sum() <= 8
    raised = np.where(spikes > 0, 1e9, 0.0)  # thresholds of the winners, far out of reach
    others = sim.counts(sim.show(net, raised, image, 0))[0]
    assert others.any()
    assert not (others * spikes).any()


def test_winners_take_on_the_image_and_their_thresholds_rise() -> None:
    image = np.zeros(64)
    image[:20] = 0.8
    first = sim.naive(64, 8, 2)
    silenced, plastic = (sim.learn(first, np.tile(image, (5, 2, 1)), sim.stdp(eta), 0.2, 3) for eta in (0.0, 0.1))
    assert silenced.weights == pytest.approx(first.weights)
    assert plastic.weights.sum(axis=1) == pytest.approx(np.full((2, 8), sim.TOTAL))
    onto = plastic.weights[:, :20].sum(axis=1)  # from the image's pixels, [network, cell]
    assert (onto.max(axis=1) > 1.5 * first.weights[:, :20].sum(axis=1).max(axis=1)).all()
    for learned in (silenced, plastic):
        assert (learned.adaptation.max(axis=1) > 0.0).all()
