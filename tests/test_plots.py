"""Figures show what they were given."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import KWinners, Network, Population, Recording, plots, simulate
from spikemem.compare import Row
from spikemem.errors import StimulusError
from spikemem.synapses import one_to_one


@pytest.fixture
def recording() -> Recording:
    net = Network()
    net.add(Population("input", 20))
    net.add(Population("winners", 20, inhibition=KWinners(k=3, cycle=10.0)))
    net.add(Population("silent", 5))
    net.connect("input", "winners", one_to_one(0.8))
    drive = np.random.default_rng(0).uniform(0, 0.6, (60, 2, 20))
    return simulate(net, {"input": drive}, steps=60).marked(gamma=[0, 10], theta=[0, 50])


def test_a_raster_draws_every_spike_and_basket(recording: Recording) -> None:
    figure = plots.raster(recording, "input", "winners", batch=1)
    for axes, name in zip(figure.axes, ("input", "winners"), strict=True):
        drawn = np.asarray(axes.collections[0].get_offsets())
        spikes = recording[name].between(0, 60, 1)
        np.testing.assert_array_equal(drawn, np.stack([spikes.step, spikes.cell], axis=1))
    baskets = np.asarray(figure.axes[1].collections[1].get_offsets())
    np.testing.assert_array_equal(baskets[:, 0], recording["winners.basket"].between(0, 60, 1).step)


def test_a_raster_leaves_out_what_is_silent(recording: Recording) -> None:
    assert len(plots.raster(recording).axes) == 2


@pytest.mark.parametrize(("names", "batch", "clue"), [(["nothing"], 0, "was not recorded"), ([], 2, "has 2"), ([], -1, "has 2")])
def test_a_raster_explains_what_it_cannot_draw(recording: Recording, names: list[str], batch: int, clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        plots.raster(recording, *names, batch=batch)


def test_figures_can_be_written(tmp_path: Path) -> None:
    rows = [Row("one", 1.0, 0.9, 20), Row("two", 0.2, 0.0, 5)]
    figures = [
        plots.rows(rows),
        plots.cost(10, 2e6, 0.1, 3),
        plots.attention(["a", "b"], [0.5, 0.5], [0.6, 0.4], {5: 0.2, 50: 0.1}),
        plots.similarity(np.eye(4), np.eye(4) + 0.1),
        plots.membrane([0, 1, 2], {"a winner": [0, 1, 2], "a loser": [0, 0, 1]}, [3, 2, 1], {"a winner": [2.0]}),
    ]
    for i, figure in enumerate(figures):
        file = tmp_path / f"{i}.png"
        figure.savefig(file)
        assert file.stat().st_size > 5_000
    low = figures[0].axes[0].get_xlim()[0]
    assert low < 0.1  # the worst row is inside


def test_agreement_draws_a_ring_for_each_simulator(recording: Recording) -> None:
    net = Network()
    net.add(Population("cells", 4))
    made = {name: simulate(net, {"cells": [0.3]}, 30, simulator=name, record={"cells": [0, 1]}) for name in ("event", "torch")}
    above, below = plots.agreement(made, "cells").axes
    assert [len(rings.get_offsets()) for rings in above.collections] == [len(made["event"]["cells"])] * 2
    assert [text.get_text() for text in above.get_legend().get_texts()] == [f"{name}, {len(made[name]['cells'])} spikes" for name in made]
    assert len(below.get_lines()) == 2  # torch against event, and the contract's tolerance
    with pytest.raises(StimulusError, match="nothing to compare"):
        plots.agreement({}, "cells")
    with pytest.raises(StimulusError, match="was not recorded"):
        plots.agreement({"event": recording}, "cells")
