"""Cells in the form of Izhikevich's book (2007), against that form written out, and against its closed form."""

from typing import Any

import numpy as np
import pytest

from spikemem import Exponential, Izhikevich, Network, Population, Receptors, regular, simulate
from spikemem.errors import NetworkError
from spikemem.network import all_to_all
from tests.crosscheck.test_contract import library

REGULAR: dict[str, float] = {
    "capacitance": 100.0, "k": 0.7, "rest": -60.0, "threshold": -40.0, "a": 0.03, "b": -2.0, "c": -50.0, "d": 100.0, "peak": 35.0
}  # fmt: skip
"""The book's regular spiking cell."""


def plain(cell: dict[str, float], current: float, steps: int, dt: float) -> list[tuple[float, bool]]:
    """v, and whether a spike was made, of a cell in the book's own variables, by the scheme of the module."""
    v, u, spiked, made = cell["rest"], 0.0, False, []
    for _ in range(steps):
        if spiked:
            v, u = cell["c"], u + cell["d"]
        for _ in range(2):
            v += 0.5 * dt * (cell["k"] * (v - cell["rest"]) * (v - cell["threshold"]) - u + current) / cell["capacitance"]
        u += dt * cell["a"] * (cell["b"] * (v - cell["rest"]) - u)
        spiked = v >= cell["peak"]
        made.append((min(v, cell["peak"]), spiked))
    return made


@pytest.mark.parametrize("simulator", ["event", "torch", pytest.param("brian2", marks=pytest.mark.slow)])
def test_a_fitted_cell_is_that_of_the_book(simulator: str) -> None:
    library("brian2") if simulator == "brian2" else None
    net, currents = Network(0.5), [85.0, 120.0, 200.0]
    net.add(Population("a", 3, Izhikevich.fitted(**REGULAR), bias=currents))
    recording = simulate(net, {}, 1000, simulator=simulator, record={"a": [0, 1, 2]})
    for cell, current in enumerate(currents):
        v, spiked = zip(*plain(REGULAR, current, 1000, 0.5), strict=True)
        assert recording["a"].step[recording["a"].cell == cell].tolist() == np.flatnonzero(spiked).tolist()
        assert sum(spiked) > 3
        np.testing.assert_allclose(recording.voltages["a"][:, 0, cell], v, atol=1e-6)
        other = plain({**REGULAR, "k": 0.71}, current, 1000, 0.5)
        assert np.abs(recording.voltages["a"][:, 0, cell] - [x for x, _ in other]).max() > 1.0


def test_fitted_cells_fire_above_their_rheobase_alone() -> None:
    """(k (v_t - v_r) + b)^2 / 4k in the book; 4 for the paper's regular spiking cell."""
    cell = Izhikevich.fitted(**REGULAR)
    edge = cell.rheobase()
    assert edge == pytest.approx((0.7 * 20.0 - 2.0) ** 2 / 2.8)
    below, above = cell.rate([0.98 * edge, 1.03 * edge], dt=0.5).tolist()
    assert below == 0.0 < above
    assert Izhikevich().rheobase() == pytest.approx(4.0)


def test_conductances_of_a_fitted_cell_are_in_nanosiemens() -> None:
    """A conductance g that stands open shifts rest as a current g (E - v) does."""
    net = Network(0.1)
    net.add(Population("in", 1, regular(20.0, phase=1.0)))
    net.add(Population("a", 1, Receptors(Izhikevich.fitted(**REGULAR), g=Exponential(1e6, reversal=-50.0))))
    net.connect("in", "a", all_to_all(2.0), receptor="g", delay=0.1)
    v = simulate(net, {}, 400, record={"a": [0]}).voltages["a"][-1, 0, 0]
    expected = plain(REGULAR, 2.0 * (-50.0 - v), 4000, 0.1)[-1][0]
    assert v == pytest.approx(expected, abs=0.2)
    assert v > -59.0


@pytest.mark.parametrize(
    ("given", "message"), [({"capacitance": 0.0}, "capacitance is 0"), ({"k": -1.0}, "k is -1"), ({"c": 40.0}, "below 35")]
)
def test_what_does_not_fit_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Izhikevich.fitted(**{**REGULAR, **given})
