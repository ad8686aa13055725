"""Published networks in small, beside the same models in Brian2's own language: every spike is the same."""

import importlib.util

import numpy as np
import pytest

pytestmark = pytest.mark.slow
brian2 = pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")


@brian2
@pytest.mark.parametrize("kind", ["CUBA", "COBA"])
def test_balanced_networks_are_those_of_brian2(kind: str) -> None:
    import vogels_abbott as va

    row, recording = va.run(kind, 250, 200.0, 3, "brian2")
    assert row["spikes"] > 300
    assert row["same"]
    wiring = va.wired(250, 3)
    theirs, _ = va.native(kind, wiring._replace(voltage=wiring.voltage + 0.01), recording.steps)
    assert len(theirs) != row["spikes"]


@brian2
def test_simple_cells_are_those_of_brian2() -> None:
    import izhikevich

    row, spikes = izhikevich.run(100, 300, 0, "brian2")
    assert row["same as Brian2"]
    assert len(spikes) > 100


def test_inhibition_keeps_the_balance() -> None:
    import vogels_abbott as va

    from spikemem import simulate

    wiring = va.wired(250, 0)
    pre, post = wiring.half(inhibitory=False)
    loose = va.cuba(wiring._replace(pre=pre, post=post))
    rates = [va.measured(_spikes(simulate(net, {}, 2000)), 250, 2000)["rate"] for net in (va.cuba(wiring), loose)]
    assert 1.0 < rates[0] < 30.0
    assert rates[1] > 3 * rates[0]


def test_thalamic_noise_drives_the_simple_cells() -> None:
    import izhikevich

    row, _ = izhikevich.run(1000, 1000, 0, "none")
    assert 5.0 < row["excitatory"] < 12.0
    assert row["8-12 Hz"] > 2 * 4 / 100
    quiet = [half._replace(sigma=1e-6) for half in izhikevich.halves(100, 0)]
    from spikemem import simulate

    assert len(simulate(izhikevich.network(tuple(quiet), 0), {}, 200)["excitatory"]) == 0


def _spikes(recording: object) -> np.ndarray:
    spikes = recording["cells"]  # type: ignore[index]
    return np.stack([spikes.step, spikes.cell], axis=1).astype(np.int64)
