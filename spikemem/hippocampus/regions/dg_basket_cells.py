"""DG with explicit basket cells and leaky granule cells, in the place of `KWinners` and of cells that do not leak.

    V[t] = beta V[t-1] + I[t],   beta = exp(-dt / tau)

A ramp releases granule cells step by step, the most driven first, and would let `RAMP[-1]` times as many fire as win. Basket cells, which
their spikes excite, inhibit all of them 2 ms later, and the ramp loses: some `dg.winners` fire, give or take a tenth. The common current
makes up for what leaks of itself; what leaks of EC's volley, which lasts for 11 ms, the ramp allows for on average. So that excitation and
inhibition leak alike, the feed-forward interneuron fires throughout the volley.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import WINDOW
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.basket_cells import on_grid, tonic
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.dg import DG
from spikemem.hippocampus.regions.rhythm import DG_RELEASE, DT, GAMMA, GRID, Mode, RecallSchedule
from spikemem.hippocampus.spec import BasketSpec
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.synapses import Dense
from spikemem.simulators.recording import Recording

RAMP = (0.26, 0.65, 1.04, 1.56, 2.08, 2.6)
"""Winners expected at each release if nothing inhibited them, as shares of `dg.winners`."""
TAKEN = 0.3
"""What basket cells take from a granule cell, in standard deviations of its drive, when as many have fired as should win. Of (.2, 2),
(.3, 2.4), (.3, 2.6), (.4, 2.8) and (.4, 3.2) for this and the end of the ramp, .3 and 2.6 let 63 to 64 of 2,048 fire where 64 should."""
VOLLEY = 0.1
"""What one spike of every basket cell takes, in the same unit."""


class BasketDG:
    """Granule cells that recall: the wiring of `dg`, cells of membrane time constant `tau`, and basket cells, `dg_basket`."""

    name = "dg"

    def __init__(self, dg: DG, basket: BasketSpec, tau: float) -> None:
        self.dg, self.basket, self.tau = dg, basket, tau

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ff`, `dg` and `dg_basket`, and the perforant path from EC."""
        spec, basket = self.dg.spec, self.basket
        net.add(Population("ff", 1, ec.PERFECT))
        net.add(Population("dg", spec.dg.cells, LIF(self.tau, reset=0.0, refractory=GAMMA * DT), CycleReset(GAMMA * DT)))
        ec.connect_perforant(net, spec.ec, self.dg.push_pull())
        net.connect("ff", "dg", Dense(np.round(-self.dg.bias[None] / WINDOW / GRID) * GRID))
        net.add(Population("dg_basket", basket.cells, LIF(basket.tau), CycleReset(GAMMA * DT)))
        net.connect("dg", "dg_basket", on_grid(TAKEN / VOLLEY / spec.dg.winners))
        net.connect("dg_basket", "dg", on_grid(-VOLLEY / basket.cells))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External current of `dg`, [time], and of `dg_basket`, [time, cell]; the clamped spikes of `ff`, [time, 1]."""
        volley = np.array([gamma.mode in (Mode.CUE, Mode.REPLAY) for gamma in drive.protocol])
        current = np.where(volley[:, None], self._current(self._ramp()), self._current(np.full(GAMMA, -self.dg.hold)))
        return {
            "dg": current.ravel(),
            "dg_basket": tonic(self.basket, len(drive.protocol)),
            "ff": (volley[:, None] & (np.arange(GAMMA) < WINDOW)).reshape(-1, 1),
        }

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The code of each cue, as of `dg`."""
        return self.dg.read(recording, schedule)

    def _ramp(self) -> NDArray[np.float64]:
        """The common potential of granule cells in a gamma cycle, [GAMMA]: a cell fires whose drive makes up for what it lacks of 1."""
        potential, spec = np.full(GAMMA, -self.dg.hold), self.dg.spec.dg
        arrivals = DT * np.arange(1, WINDOW + 1)
        for step, share in zip(DG_RELEASE, RAMP, strict=True):
            left = np.exp((arrivals - DT * step) / self.tau).mean()  # of EC's volley
            potential[step:] = 1 - left * NormalDist().inv_cdf(1 - share * spec.winners / spec.cells)
        return potential

    def _current(self, potential: NDArray[np.float64]) -> NDArray[np.float64]:
        """The current that holds cells at a potential, [GAMMA], where V starts from 0."""
        before = np.concatenate([[0.0], potential[:-1]])
        return np.round((potential - np.exp(-DT / self.tau) * before) / GRID) * GRID
