"""CA3 with explicit basket cells and leaky pyramidal cells, in the place of `KWinners` and of cells that do not leak.

    pyramidal   V rises for some 7 ms after a volley, and the more driven cell fires sooner
    forward     every basket cell takes part in DG's volley, and in CA3's of the gamma cycle before: what they take from a pyramidal cell
                is what these volleys give one on average (excitation and inhibition in balance)
    back        a pyramidal spike excites all basket cells, and 2 ms later all pyramidal cells are inhibited: those that have not fired by
                then, since they are driven less, do not (E%-max, with E some delay / tau = 10 %: de Almeida, Idiart & Lisman 2009)

    V[t] = beta V[t-1] + R J[t],   J[t] = gamma J[t-1] + I[t],   beta = exp(-dt / tau),   gamma = exp(-dt / tau_syn)

R makes the potential of one synapse from DG peak at 1. With K basket cells, a volley v that all of them give, and the densities rho_D and
rho_W of the one-bit synapses, the weights are

    from DG   gain_D rho_D / v        from CA3, a gamma cycle before   gain_W rho_W / v
    from CA3, at once   depth / (v k)   with k = `engram.rising` of the gamma cycle: inhibition rises within theta
    to CA3   -v / K

A basket cell is reset by subtraction, and so fires as often as it is driven; tonic currents differ from cell to cell, so that they do not
fire all at once. Gamma starts all cells anew, as elsewhere in the circuit. CA1 and EC are as in other engram models, and so is storing, in
which mossy fibres choose who fires; DG is, too, unless `[basket]` gives granule cells a time constant (`regions.dg_basket_cells`).
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.engrams import Delays, EngramCA3, in_last_cycle
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, GRID, Mode
from spikemem.hippocampus.spec import BasketSpec
from spikemem.kernels.engrams import GRAIN
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.synapses import Wiring, all_to_all

LEAD = 2.0
"""ms by which feed-forward inhibition leaves before the excitation that it balances: so long is its way through the basket cells."""
ARRIVAL = 14
"""The step of a gamma cycle at which the first input comes."""


def pyramidal(spec: BasketSpec) -> LIF:
    """A pyramidal cell: it fires at most once in a gamma cycle, and an impulse of current moves V by 1 at the most.

    >>> cell = pyramidal(BasketSpec())
    >>> state, peak = cell.initial(np.zeros(1)), 0.0
    >>> for t in range(GAMMA):
    ...     state = cell.step(np.array([float(t == 0)]), state, DT)
    ...     peak = max(peak, state.voltage[0])
    >>> float(round(peak, 6))
    1.0
    """
    time = DT * np.arange(GAMMA)
    peak = float(np.convolve(np.exp(-time / spec.pyramidal), np.exp(-time / spec.synaptic))[:GAMMA].max())
    return LIF(spec.pyramidal, spec.threshold, reset=0.0, refractory=GAMMA * DT, tau_syn=spec.synaptic, resistance=1 / peak, made_for=DT)


class BasketCA3(EngramCA3):
    """CA3's pyramidal cells as in `EngramCA3`, inhibited by basket cells, `ca3_basket`."""

    # all but `hetero`: from the race of one gamma cycle, steps 14 to 24, to before or into that of the next
    delays = Delays(hetero=LEAD + DT, auto=GAMMA * DT - DT, rest=12.0, lasting=GAMMA * DT - 2 * DT)
    hold = 2.0**10

    @property
    def basket(self) -> BasketSpec:
        """Their parameters."""
        assert self.spec.basket is not None
        return self.spec.basket

    def population(self) -> Population:
        """`ca3`: leaky cells that nothing but basket cells inhibits."""
        return Population("ca3", self.spec.dg.cells, pyramidal(self.basket), CycleReset(GAMMA * DT))

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """As `EngramCA3.build`, with `ca3_basket` and its synapses."""
        super().build(net, wiring)
        spec, (hetero, auto, _) = self.basket, self.density()
        net.add(Population("ca3_basket", spec.cells, LIF(spec.tau), CycleReset(GAMMA * DT)))
        net.connect("dg", "ca3_basket", on_grid(self.meaning / GRAIN * hetero / spec.volley), delay=self.delays.hetero - LEAD)
        back = [1 / k for k in self.engram.rising for _ in range(GAMMA)]
        net.connect("ca3", "ca3_basket", on_grid(spec.depth / spec.volley), efficacy=[round(share / GRID) * GRID for share in back])
        forward = on_grid(self.engram.gain * auto / spec.volley)
        net.connect("ca3", "ca3_basket", forward, delay=self.delays.auto - LEAD, efficacy=in_last_cycle(0.0, 1.0))
        net.connect("ca3_basket", "ca3", on_grid(-spec.volley / spec.cells))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """Tonic currents of `ca3_basket`, [time, cell]; in a chain the noise of `ca3`, [time, n, cell], that decides between successors."""
        made: dict[str, NDArray[np.generic]] = {"ca3_basket": tonic(self.basket, len(drive.protocol))}
        if not drive.hops:
            return made
        current = np.zeros((len(drive.protocol) * GAMMA, len(drive.names), self.spec.dg.cells))
        for g, gamma in enumerate(drive.protocol):
            if gamma.mode is Mode.HOP:
                current[g * GAMMA + ARRIVAL] = self.noise(drive, g)
        return {**made, "ca3": current}


def tonic(spec: BasketSpec, cycles: int) -> NDArray[np.float64]:
    """Currents of basket cells for some gamma cycles, [time, cell]: alone they would bring V to 0 to 1 of the threshold, cell by cell."""
    share = (np.arange(spec.cells) + 0.5) / spec.cells
    return np.broadcast_to(share * -np.expm1(-DT / spec.tau), (cycles * GAMMA, spec.cells))


def on_grid(weight: float) -> Wiring:
    """All to all, on the grid of synaptic weights."""
    return all_to_all(round(weight / GRID) * GRID)
