"""Figures show what they were given."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from spikemem import Hit, Hits, KWinners, Memory, ModelSpec, Network, Population, Recording, plots, simulate
from spikemem.errors import StimulusError
from spikemem.evaluate.compare import Row
from spikemem.evaluate.compare_regions import RegionRow
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.network.synapses import one_to_one
from spikemem.plots.memory import PATHWAY_COLOURS
from spikemem.plots.spikes import NAMES
from tests.fakes import FakeEmbedder


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


@pytest.mark.parametrize(("names", "batch", "clue"), [(["nothing"], 0, "was not recorded"), ([], 2, "at most 1"), ([], -1, "at most 1")])
def test_a_raster_explains_what_it_cannot_draw(recording: Recording, names: list[str], batch: int, clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        plots.raster(recording, *names, batch=batch)


@pytest.mark.slow
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


def test_rows_have_a_colour_for_each_system_that_was_measured() -> None:
    table = [Row("exact", 1.0, 0.2, 40, chosen=1.0, cosine=0.9), Row("chain", 1.0, 1.0, 7, chosen=0.9)]
    axes = plots.rows(table, {"published": 16.0, "chosen": 64.0}).axes[0]
    labels = ["spiking", "rate, sharpness 16 (published)", "rate, sharpness 64 (chosen)", "cosine"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == labels
    drawn = {dots.get_label(): dots.get_offsets()[:, 0].tolist() for dots in axes.collections}
    assert drawn == dict(zip(labels, ([1.0, 1.0], [0.2, 1.0], [1.0, 0.9], [0.9]), strict=True))
    assert len(axes.get_lines()) == 7  # an interval each
    assert len({tuple(dots.get_facecolor()[0]) for dots in axes.collections}) == 4
    plain = plots.rows([Row("one", 1.0, 0.9, 20)]).axes[0]
    assert [text.get_text() for text in plain.get_legend().get_texts()] == ["spiking", "rate"]


def test_regions_have_a_panel_each_and_cosine_where_it_has_one() -> None:
    table = [
        RegionRow("DG", "code overlap", 4, {"event": 0.9, "brian2": 0.9}),
        RegionRow("CA1", "equal answers", 4, {"event": 1.0, "brian2": 1.0}, 0.5),
    ]
    first, second = plots.regions(table).axes
    assert [axes.get_title("left") for axes in (first, second)] == ["DG: code overlap", "CA1: equal answers"]
    assert [text.get_text() for text in first.get_yticklabels()] == ["event", "brian2", "cosine"]
    places = [np.ma.filled(axes.collections[0].get_offsets()[:, 0].astype(float), np.nan) for axes in (first, second)]
    np.testing.assert_array_equal(places, [[0.9, 0.9, np.nan], [1.0, 1.0, 0.5]])
    with pytest.raises(StimulusError, match="no rows"):
        plots.regions([])


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


def bars_of(hits: Hits) -> dict[str, list[tuple[float, float]]]:
    """From where to where each pathway's bars go."""
    containers = plots.drives(hits).axes[0].containers
    return {c.get_label(): [(b.get_x(), b.get_x() + b.get_width()) for b in c] for c in containers}


def test_drives_are_stacked_and_end_at_the_score() -> None:
    first = {"meaning": 0.5, "words": 0.25, "context": 0.0, "time": 0.0, "key": 0.0, "spreading": 0.5}
    second = {"meaning": -0.25, "words": 0.5, "context": 0.0, "time": 0.0, "key": 0.0, "spreading": 0.0}
    hits = Hits([Hit(1, "Ada moved.", 1.25, drives=first), Hit(2, "Ken plays.", 0.25, drives=second)], 0.1)
    assert bars_of(hits) == {
        "meaning": [(0, 0.5), (0, -0.25)], "words": [(0.5, 0.75), (0, 0.5)], "spreading": [(0.75, 1.25), (0.5, 0.5)],
    }  # fmt: skip
    axes = plots.drives(hits, title="Ada?").axes[0]
    assert [text.get_text() for text in axes.texts] == ["1.25", "0.25"]
    low, high = axes.get_xlim()
    assert low < -0.25
    assert high > 1.25
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["meaning", "words", "spreading"]


def test_a_pathway_has_one_colour_whatever_else_is_drawn() -> None:
    for name in PATHWAYS:
        (container,) = plots.drives([Hit(1, "Ada moved.", 0.5, drives={name: 0.5})]).axes[0].containers
        assert container[0].get_facecolor() == to_rgba(PATHWAY_COLOURS[name])
    assert len(set(PATHWAY_COLOURS.values())) == len(PATHWAYS)


@pytest.mark.filterwarnings("ignore:Glyph")  # matplotlib's font has no ideographs
@pytest.mark.parametrize("text", ["costs $5, or $6", "word " * 200_000, "x" * 5000, "海豚" * 900, "two\nlines\there"])
def test_any_text_is_a_label_of_two_lines(text: str, tmp_path: Path) -> None:
    figure = plots.drives([Hit(1, text, 0.5, datetime(2024, 2, 3, tzinfo=UTC), {"meaning": 0.5})])
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_text().startswith("2024-02-03")
    assert len(label.get_text().split("\n")) <= 2
    assert not label.get_parse_math()
    figure.savefig(tmp_path / "one.png")


def test_drives_explain_what_they_cannot_draw() -> None:
    with pytest.raises(StimulusError, match="no hits"):
        plots.drives(Hits([], 1.0))
    with pytest.raises(StimulusError, match="hops of a chain"):
        plots.drives([Hit(1, "Ada moved.", 0.5)])


@pytest.mark.slow
def test_every_population_of_a_recall_has_a_name(small_text: ModelSpec) -> None:
    with Memory.open(model=small_text, embedder=FakeEmbedder()) as memory:
        when = datetime(2024, 2, 3, tzinfo=UTC)
        memory.store_all(["Ada moved to Lisbon.", "Lisbon is a harbour."], [["Ada"], ["Lisbon"]], when=when)
        hits = memory.recall("Ada's harbour", record=True, around=when, cycles=3)
    assert hits.recording is not None
    names = {name for name in hits.recording.spikes if not name.endswith(".basket")}
    assert names >= {"ec_lex", "ec_ctx", "ec_time", "ca1_apical", "ca1_tuft", "recalled", "ca1_plateau", "visited", "return_inhibition"}
    assert names <= set(NAMES)
    assert len(plots.raster(hits.recording, "ec_lex", "ca1_plateau").axes) == 2
    assert len(plots.drives(hits).axes[0].get_yticklabels()) == len(hits)
