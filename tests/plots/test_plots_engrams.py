"""Figures of engrams show what was measured; each function of `spikemem.engrams` has one of its name."""

import inspect

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikemem import engrams, plots
from spikemem.errors import StimulusError
from spikemem.instruments import Spikes, Trains
from tests.engrams.test_cell_sets import drawn, planted
from tests.engrams.test_places import CELLS, CENTRES, PLACES, swept, theta, walk
from tests.instruments.processes import trains_of

HELPERS = {"bursts_of", "members", "variants", "weighted_correlation"}
"""Steps on the way to what is drawn."""


def test_each_measure_has_a_figure_of_its_name() -> None:
    measures = {name for name in engrams.__all__ if inspect.isfunction(getattr(engrams, name))} - HELPERS
    assert measures <= set(plots.__all__)


def lines(axes) -> list[np.ndarray]:
    return [np.asarray(line.get_xydata()) for line in axes.get_lines()]


def test_overlap_is_a_matrix_and_a_histogram() -> None:
    found = engrams.overlap(drawn(12))
    left, right, _ = plots.overlap(found).axes
    shown = np.asarray(left.images[0].get_array().filled(np.nan))
    np.testing.assert_array_equal(shown[~np.eye(12, dtype=bool)], found.shared[~np.eye(12, dtype=bool)])
    assert sum(patch.get_height() for patch in right.patches[:-1]) == pytest.approx(1.0)
    with pytest.raises(StimulusError, match="two engrams or more"):
        plots.overlap(engrams.overlap(drawn(1)))


@pytest.mark.parametrize("plot", [plots.separation_curve, plots.completion_curve])
def test_curves_are_drawn_by_region(plot) -> None:
    found = engrams.Similarity(np.array([1.0, 0.5]), ("dg", "ca3"), np.array([[1.0, 0.2], [1.0, 0.9]]), np.zeros((2, 2)))
    (axes,) = plot(found).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["DG", "CA3"]
    np.testing.assert_array_equal(lines(axes)[1], [[0.5, 0.2], [1.0, 1.0]])


def test_tagged_cells_are_counted() -> None:
    tagged = drawn(3)
    (axes,) = plots.engram_cells(tagged, ["a", "b", "c"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{name}: {tagged[i].sum()}" for i, name in enumerate("abc")]
    np.testing.assert_array_equal(lines(axes)[1][:, 0], np.flatnonzero(tagged[1]))
    with pytest.raises(StimulusError, match="as many names"):
        plots.engram_cells(tagged, ["a"])


def test_reactivation_is_drawn_in_per_cent() -> None:
    found = {"same": engrams.reactivation(drawn(9), drawn(9)), "other": engrams.reactivation(drawn(9, 2), drawn(9))}
    left, right = plots.reactivation(found).axes
    assert [patch.get_height() for patch in left.patches] == pytest.approx([100.0, 100 * found["other"].of_tagged.mean()])
    assert right.patches[1].get_height() == pytest.approx(100 * found["other"].of_active.mean())


def test_selectivity_and_drift_and_linking_and_allocation_draw_their_means() -> None:
    found = engrams.selectivity([[3.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    (axes,) = plots.selectivity(found, [1.0, 5.0], {"silenced": found}).axes
    np.testing.assert_array_equal(lines(axes)[0], [[1.0, 0.25], [5.0, 0.0]])
    drifted = engrams.drift(np.stack([drawn(8), drawn(8, 1), drawn(8, 2)]), [0.0, 1.0, 2.0])
    (axes,) = plots.drift(drifted).axes
    np.testing.assert_array_equal(lines(axes)[0][:, 1], drifted.kept)
    linked = engrams.linking(drawn(20), np.arange(20.0), [0.0, 5.0, 20.0], shuffles=20)
    (axes,) = plots.linking(linked).axes
    np.testing.assert_allclose(lines(axes)[0][:, 1], linked.overlap)
    allocated = engrams.allocation(drawn(20), np.arange(500.0), shuffles=20)
    (axes,) = plots.allocation(allocated).axes
    np.testing.assert_allclose([patch.get_height() for patch in axes.patches], allocated.ratio)


def test_rdm_and_rsa_and_graph_draw_what_was_found() -> None:
    x = np.random.default_rng(0).normal(size=(6, 20))
    left = plots.rdm(engrams.rdm(x), [f"c{i}" for i in range(6)]).axes[0]
    np.testing.assert_allclose(left.images[0].get_array(), engrams.rdm(x))
    told = plots.rsa(engrams.rsa(engrams.rdm(x), engrams.rdm(x), 20)).axes[0].get_legend().get_texts()
    assert any("r = 1.000" in text.get_text() for text in told)
    graph = engrams.memory_graph(np.eye(5, dtype=bool) | np.eye(5, k=1, dtype=bool))
    (axes,) = plots.memory_graph(graph, list("abcde")).axes
    assert sorted(text.get_text() for text in axes.texts) == list("abcde")
    assert len(axes.get_lines()) == 4
    with pytest.raises(StimulusError, match="as many names"):
        plots.memory_graph(graph, ["a"])


def test_place_cells_are_drawn_in_the_order_of_their_peaks() -> None:
    trains, position = walk(np.random.default_rng(0).permutation(CENTRES), seconds=60)
    maps = engrams.place_fields(trains, position, np.linspace(0, 1, PLACES + 1))
    left, right, _ = plots.place_fields(maps, maps, names=("one", "two")).axes
    rate = left.collections[0].get_array()
    assert rate.shape == (CELLS, PLACES)
    assert (np.diff(np.asarray(rate).argmax(1)) >= 0).all()
    assert right.get_title(loc="left") == "two"
    decoded = engrams.decode(trains, maps)
    (axes,) = plots.decode(decoded, position, most=50).axes
    np.testing.assert_allclose(np.asarray(axes.collections[0].get_array()), decoded.posterior[:50].T)
    remapped = plots.remapping(engrams.remapping(maps.rate, maps.rate, shuffles=20))
    assert "mean 1.00" in remapped.axes[0].get_legend().get_texts()[-1].get_text() + remapped.axes[0].get_legend().get_texts()[0].get_text()


def test_rhythms_and_assemblies_and_replay_say_their_numbers() -> None:
    found = engrams.oscillation(theta(0.8))
    assert f"peak at {found.peak:.3g} Hz" in plots.oscillation(found).axes[0].get_title(loc="left")
    x = np.linspace(0, 1, 30)
    fit = engrams.precession(x, -np.pi * x)
    assert plots.precession(x, -np.pi * x, fit, "cell 3").axes[0].get_title(loc="left").startswith("cell 3: -0.50 cycles")
    assert len(plots.assemblies(engrams.assemblies(trains_of(planted()[0]))).axes) == 4
    trains = swept(np.arange(8))
    events = engrams.bursts_of(trains, least=20.0, threshold=2.0)
    assert "100 % of 10 events" in plots.replay(engrams.replay(trains, events, np.arange(8.0), shuffles=50)).axes[0].get_xlabel()


def test_free_recall_draws_lags_but_zero() -> None:
    recalls = np.tile(np.arange(1, 9), (3, 1))
    for plot, curve in ((plots.serial_position, engrams.serial_position), (plots.first_recall, engrams.first_recall)):
        (axes,) = plot({"people": curve(recalls, 8), "model": curve(recalls, 8)}).axes
        np.testing.assert_array_equal(lines(axes)[0][:, 1], curve(recalls, 8).mean)
    (axes,) = plots.lag_crp(engrams.lag_crp(recalls, 8), most=3).axes
    assert lines(axes)[0][:, 0].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    times = engrams.response_times([[1.0, 3.0, np.nan], [1.0, 2.0, 5.0]])
    assert len(plots.response_times(times).axes[0].get_lines()) == 2


@pytest.mark.parametrize("name", sorted(set(engrams.__all__) & set(plots.__all__)))
def test_what_is_no_result_is_refused(name: str) -> None:
    for odd in (None, 3, "x", object()):
        with pytest.raises(StimulusError):
            getattr(plots, name)(odd, *([[1.0]] if name in ("selectivity", "precession") else []), *([odd] if name == "precession" else []))


def test_figures_are_figures() -> None:
    trains = Trains(Spikes([150, 350], [0, 0], [0, 1], size=2), dt=1.0, steps=400)
    maps = engrams.place_fields(trains, np.repeat([0.5, 1.5, 2.5, 3.5], 100), range(5))
    assert isinstance(plots.place_fields(maps), Figure)
