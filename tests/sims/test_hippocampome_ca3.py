"""CA3 of Hippocampome's cells, in small: they fire as measured, recurrent synapses complete, and Brian2 has the same spikes."""

import numpy as np
import pytest

from spikemem import Network, Population, simulate
from tests.crosscheck.test_contract import library

CELLS, CORE = 256, 20


def assemblies(load: int) -> tuple[np.ndarray, np.ndarray]:
    import hippocampome_ca3 as sim

    drawn = sim.draw(load, CELLS, CORE, 5)
    return drawn, sim.hebbian(drawn, CELLS)


def test_measured_cells_fire_above_their_rheobase() -> None:
    """The closed form of the book of 2007, (k (v_t - v_r) + b)^2 / 4k, and a spike that reaches the measured peak."""
    import hippocampome_ca3 as sim

    edge = sim.PYRAMIDAL.rheobase()
    assert edge == pytest.approx((1.54 * (63.12 - 23.96) - 35.78) ** 2 / (4 * 1.54))
    net = Network(0.2)
    net.add(Population("cell", 2, sim.PYRAMIDAL, bias=[0.95 * edge, 2.0 * edge]))
    recording = simulate(net, {}, 2500, record={"cell": [0, 1]})
    assert set(recording["cell"].cell.tolist()) == {1}
    assert recording.voltages["cell"][:, 0, 1].max() == pytest.approx(36.40)


def test_recurrent_synapses_complete_what_a_cue_begins() -> None:
    import hippocampome_ca3 as sim

    drawn, bits = assemblies(10)
    found = sim.recalled(bits, drawn[:5], 0.5, 0)
    assert found[sim.WHOLE]["overlap"] > 0.95
    assert found[sim.WHOLE]["reconstruction"] > 0.9
    assert found[sim.SILENCED]["overlap"] == 0.5
    assert found[sim.SILENCED]["reconstruction"] == 0.0
    weak = sim.recalled(bits, drawn[:5], 0.15, 0)
    assert weak[sim.WHOLE]["overlap"] == pytest.approx(0.15)


def test_basket_cells_end_the_race() -> None:
    """Where they cannot fire, cells fire again and again, and strangers with them."""
    import hippocampome_ca3 as sim

    drawn, bits = assemblies(40)
    cues = sim.cued(drawn[:4], 0.6, 0)
    spikes = sim.volley(cues, CELLS, 0)
    counts = []
    for excited in (sim.EXCITING, 0.01):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sim, "EXCITING", excited)
            counts.append(len(simulate(sim.network(bits), {"mossy": spikes}, len(spikes))["pyramidal"]))
    assert counts[1] > 3 * counts[0]


def test_the_engram_models_ca3_completes_by_the_same_weights() -> None:
    import hippocampome_ca3 as sim

    drawn, bits = assemblies(10)
    cues = sim.cued(drawn[:3], 0.5, 0)
    right = sim.judged(sim.by_winners(bits, cues), cues, drawn[:3], CELLS)
    cut = sim.judged(sim.by_winners(0 * bits, cues), cues, drawn[:3], CELLS)
    assert right["overlap"] > 0.95
    assert cut["overlap"] <= 0.5


def test_what_is_judged() -> None:
    import hippocampome_ca3 as sim

    assembly = np.arange(10)[None]
    whole = sim.judged([np.arange(10)], assembly[:, :5], assembly, 100)
    assert (whole["overlap"], whole["reconstruction"], whole["strangers"]) == (1.0, pytest.approx(1.0), 0.0)
    cue = sim.judged([np.arange(5)], assembly[:, :5], assembly, 100)
    assert (cue["overlap"], cue["reconstruction"], cue["recalled"]) == (0.5, 0.0, 0.0)
    assert sim.judged([np.arange(20)], assembly[:, :5], assembly, 100)["overlap"] == 0.5


@pytest.mark.slow
def test_brian2_has_the_same_spikes() -> None:
    library("brian2")
    import hippocampome_ca3 as sim

    found = sim.beside(64, CORE, 0)
    assert found["spikes"] > 200
    assert found["differ"] == 0
    assert found["apart"] < sim.NEAR
