"""A constant current that begins late."""

import numpy as np
import pytest

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import NetworkError
from spikemem.network import LeakyIntegrator
from spikemem.network.bias import BIAS, add_bias


def test_the_current_begins_after_the_delay_and_stays() -> None:
    net = Network(0.5)
    net.add(Population("out", 2, LeakyIntegrator(tau=np.inf)))
    add_bias(net, "out", np.array([0.25, -1.0]), 2.0)
    voltages = simulate(net, {}, 8, record={"out": [0, 1]}).voltages["out"].reshape(8, 2)
    np.testing.assert_allclose(voltages, np.maximum(0.0, np.arange(8) - 3.0)[:, None] * [0.25, -1.0])


def test_many_biases_share_one_cell_and_nobody_else_has_its_name() -> None:
    net = Network()
    for name in "ab":
        net.add(Population(name, 2))
        add_bias(net, name, np.ones(2), 1.0)
    assert [q.name for q in net.projections] == ["bias.cell->a", "bias.cell->b"]
    other = Network()
    other.add(Population(BIAS, 1, LIF()))
    other.add(Population("a", 2))
    with pytest.raises(NetworkError, match=r"'bias\.cell' is the cell that always fires"):
        add_bias(other, "a", np.ones(2), 1.0)
