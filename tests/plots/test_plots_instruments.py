"""Figures of the instruments show what was measured, in colours that can be told apart."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from spikemem import LIF, STDP, Network, Population, Recording, plots, simulate
from spikemem.errors import StimulusError
from spikemem.network import Dense, all_to_all, sparse_random
from spikemem.plots import style
from spikemem.simulators import weight_course


@pytest.fixture(scope="module")
def net() -> Network:
    made = Network(dt=0.5)
    made.add(Population("input", 30))
    made.add(Population("e", 20, LIF(tau=20.0)))
    made.add(Population("i", 5, LIF(tau=10.0)))
    made.connect("input", "e", sparse_random(fan_in=10, seed=0, low=0.2, high=0.4), delay=1.5)
    made.connect("e", "i", sparse_random(fan_in=8, seed=1, low=0.2, high=0.4))
    made.connect("i", "e", sparse_random(fan_in=3, seed=2, low=-0.3, high=-0.1))
    made.connect("i", "i", sparse_random(fan_in=2, seed=3, low=-0.1, high=0.1))
    return made


@pytest.fixture(scope="module")
def recording(net: Network) -> Recording:
    stimulus = np.random.default_rng(0).random((1000, 2, 30)) < 0.02
    return simulate(net, {"input": stimulus}, 1000, record={"e": [4, 2]}).marked(light=[200, 600])


def drawn(axes) -> np.ndarray:
    """The heights of the histogram that is drawn in axes."""
    return axes.patches[0].get_data().values


def test_rates_stand_above_the_raster(recording: Recording) -> None:
    above, below = plots.rates(recording, "e", bin=10.0, batch=1).axes
    np.testing.assert_allclose(drawn(above), recording.trains("e").activity(10.0)[1])
    spikes = recording["e"].between(0, 1000, 1)
    np.testing.assert_allclose(np.asarray(below.collections[0].get_offsets()), np.stack([spikes.step * 0.5, spikes.cell], axis=1))
    assert len(plots.rates(recording).axes) == 6


def test_psth_is_drawn_around_its_onset(recording: Recording) -> None:
    (axes,) = plots.psth(recording, "e", onsets="light", before=20.0, after=60.0).axes
    np.testing.assert_allclose(drawn(axes), recording.psth("e", 5.0, "light", 20.0, 60.0).rate)
    assert axes.get_xlim() == (-20.0, 60.0)
    assert "4 trials" in axes.get_xlabel()


def test_voltages_have_a_dot_at_each_spike(recording: Recording) -> None:
    panels = plots.voltages(recording, "e", batch=1).axes
    for axes, cell, column in zip(panels, (4, 2), (0, 1), strict=True):
        trace, dots = axes.get_lines()
        np.testing.assert_array_equal(trace.get_ydata(), recording.voltages["e"][:, 1, column])
        spikes = recording["e"].between(0, 1000, 1)
        np.testing.assert_allclose(dots.get_xdata(), spikes.step[spikes.cell == cell] * 0.5)
    assert [axes.get_ylabel() for axes in plots.voltages(recording, "e", [2]).axes] == ["cell 2"]
    with pytest.raises(StimulusError, match=r"simulate with record=\{'i'"):
        plots.voltages(recording, "i")
    with pytest.raises(StimulusError, match=r"cells are \[3\]; voltages were recorded of \[4, 2\]"):
        plots.voltages(recording, "e", [3])


def test_intervals_are_shares_of_all(recording: Recording) -> None:
    (axes,) = plots.isi(recording, "e", "i").axes
    found = recording.isi("e").interval
    counts = np.histogram(found, axes.patches[0].get_data().edges)[0]
    np.testing.assert_allclose(drawn(axes), counts / len(found))
    assert axes.get_legend().get_texts()[0].get_text() == f"e: {len(found):,} intervals, CV {np.nanmean(recording.cv('e')):.2f}"


@pytest.mark.parametrize("name", ["cv", "cv2", "fano"])
def test_variation_is_counted_by_cells(recording: Recording, name: str) -> None:
    options = {"window": 100.0} if name == "fano" else {}
    (axes,) = getattr(plots, name)(recording, "e", "i", **options).axes
    for patch, population in zip(axes.patches, ("e", "i"), strict=True):
        values = getattr(recording, name)(population, **options)
        data = patch.get_data()
        np.testing.assert_array_equal(data.values, np.histogram(values[~np.isnan(values)], data.edges)[0])
    assert axes.get_lines()[0].get_xdata() == [1.0, 1.0]


def test_correlation_is_a_matrix_and_a_histogram(recording: Recording) -> None:
    left, right, _ = plots.correlation(recording, "e", 10.0, batch=1).axes
    matrix = recording.correlation("e", 10.0)[1]
    shown = left.images[0].get_array().filled(np.nan)
    off = ~np.eye(20, dtype=bool)
    np.testing.assert_array_equal(shown[off], matrix[off])
    assert sum(bar.get_height() for bar in right.patches) == (~np.isnan(matrix[np.triu_indices(20, 1)])).sum()


def test_synchrony_stands_beside_that_of_independent_cells(recording: Recording) -> None:
    (axes,) = plots.synchrony(recording, "e", "i").axes
    dots, bar, *_ = axes.get_lines()
    np.testing.assert_array_equal(dots.get_xdata(), recording.synchrony("e"))
    np.testing.assert_allclose(bar.get_xdata(), 20**-0.5)


def test_a_spectrum_is_a_line_without_frequency_zero(recording: Recording) -> None:
    (axes,) = plots.spectrum(recording, "e", segment=100.0, batch=1).axes
    found = recording.spectrum("e", segment=100.0)
    np.testing.assert_array_equal(axes.get_lines()[0].get_xydata(), np.stack([found.frequency[1:], found.power[1, 1:]], axis=1))


def test_phases_go_around_a_circle(recording: Recording) -> None:
    axes, _ = plots.phase(recording, "e", "i", period=25.0, bins=12, batch=1).axes
    step = recording["e"].between(0, 1000, 1).step
    counts = np.histogram(step * 0.5 % 25.0, np.linspace(0, 25.0, 13))[0]
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], counts / len(step))
    assert f"{recording.phase('e', 25.0).pooled.strength[1]:.2f}" in axes.get_title()


def test_weights_are_a_matrix_and_a_histogram(net: Network) -> None:
    synapses = net.projections[2].synapses
    left, right, _ = plots.weights(synapses).axes
    np.testing.assert_array_equal(left.images[0].get_array(), synapses.matrix())
    assert sum(bar.get_height() for bar in right.patches) == synapses.count
    assert left.images[0].get_clim() == (synapses.weights.min(), -synapses.weights.min())
    with pytest.raises(StimulusError, match="no weight differs from 0"):
        plots.weights(np.zeros((2, 2)))


def test_weights_over_time_are_those_of_the_course() -> None:
    net = Network()
    net.add(Population("a", 4))
    net.connect("a", "a", all_to_all(0.3), plasticity=STDP())
    course = weight_course(net, {"a": np.random.default_rng(0).random((50, 4)) < 0.2}, 50, snapshots=5)
    lines = plots.weights_over_time(course).axes[0].get_lines()
    assert len(lines) == 17
    np.testing.assert_array_equal(lines[3].get_ydata(), course.weights["a->a"][:, 0, 0, 3])
    np.testing.assert_allclose(lines[-1].get_ydata(), course.weights["a->a"].mean(axis=(1, 2, 3)))


def test_a_network_has_a_box_and_an_arrow_each(net: Network) -> None:
    (axes,) = plots.network(net).axes
    boxes = [patch for patch in axes.patches if type(patch).__name__ == "FancyBboxPatch"]
    arrows = [patch for patch in axes.patches if type(patch).__name__ == "FancyArrowPatch"]
    assert (len(boxes), len(arrows)) == (3, 4)
    colours = [to_rgb(arrow.get_edgecolor()) for arrow in arrows]
    assert colours == [to_rgb(style.SERIES[n]) for n in (0, 0, 1, 3)]
    texts = [text.get_text() for text in axes.texts]
    assert {"input", "30 LIF", "200, 1.5 ms", "40, 0.5 ms"} <= set(texts)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["excites", "inhibits", "both"]


def test_boxes_of_a_network_do_not_touch() -> None:
    """Of a ring, which has no input, with a population that nothing reaches."""
    net = Network()
    for n in range(6):
        net.add(Population(f"p{n}", 2))
    for n in range(5):
        net.connect(f"p{n}", f"p{(n + 1) % 5}", Dense(np.eye(2)))
    (axes,) = plots.network(net).axes
    corners = np.array([(patch.get_x(), patch.get_y()) for patch in axes.patches if hasattr(patch, "get_boxstyle")])
    apart = np.abs(corners[:, None] - corners[None])[np.triu_indices(6, 1)]
    assert ((apart[:, 0] > 1.6) | (apart[:, 1] > 0.7)).all()


def test_an_animation_fills_the_raster(recording: Recording, tmp_path: Path) -> None:
    moving = plots.animation(recording, "e", "i", batch=1, frame=100.0)
    dots = moving._func(2)
    spikes = recording["i"].between(0, 400, 1)
    np.testing.assert_allclose(dots[1].get_xydata(), np.stack([spikes.step * 0.5, spikes.cell + 20], axis=1))
    moving.save(tmp_path / "raster.gif", writer="pillow", dpi=40)
    from PIL import Image

    with Image.open(tmp_path / "raster.gif") as image:
        assert image.n_frames == 6


def test_figures_say_what_they_lack() -> None:
    net = Network()
    net.add(Population("a", 3))
    silent = simulate(net, {}, 20)
    for plot in (plots.rates, plots.psth, plots.isi, plots.cv, plots.fano, plots.synchrony, plots.spectrum, plots.animation):
        with pytest.raises(StimulusError, match="nothing to plot"):
            plot(silent)
    with pytest.raises(StimulusError, match="nothing to plot"):
        plots.isi(silent, "a")
    with pytest.raises(StimulusError, match="nothing to plot"):
        plots.correlation(silent, "a")
    with pytest.raises(StimulusError, match="nothing to plot"):
        plots.network(Network())


def test_figures_of_a_silent_population_are_drawn() -> None:
    net = Network()
    net.add(Population("a", 3))
    silent = simulate(net, {}, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in (plots.rates(silent, "a"), plots.psth(silent, "a"), plots.phase(silent, "a", period=10.0)):
            assert isinstance(figure, Figure)


# -- colours ---------------------------------------------------------------------------------------------------------------------------

MACHADO = {  # Machado, Oliveira & Fernandes 2009, table 1, severity 1: linear RGB as people with each of these see it
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3),
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
"""Of linear sRGB, IEC 61966-2-1."""


def linear(colours: tuple[str, ...]) -> np.ndarray:
    rgb = np.array([to_rgb(colour) for colour in colours])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    x, y, z = (np.clip(rgb, 0, 1) @ XYZ.T / [0.95047, 1.0, 1.08883]).T
    f = [np.where(v > 0.008856, np.cbrt(v), 7.787 * v + 16 / 116) for v in (x, y, z)]
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=1)


def test_colours_have_contrast() -> None:
    """At least 4.5 to white, as WCAG 2.1 has it."""
    assert (1.05 / (linear(style.SERIES) @ XYZ[1] + 0.05) >= 4.5).all()
    assert 1.05 / (linear((style.RATE,)) @ XYZ[1] + 0.05) < 4.5  # one that does not is seen


@pytest.mark.parametrize("eyes", MACHADO)
def test_colours_can_be_told_apart(eyes: str) -> None:
    seen = lab(linear(style.SERIES) @ np.array(MACHADO[eyes]).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(len(seen), 1)]
    assert apart.min() > 32.0
