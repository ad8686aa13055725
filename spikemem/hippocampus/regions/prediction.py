"""CA1 as a predictor: it learns what EC says about an engram, from its own mistakes, and makes deep EC say it.

    charge_j = eta sum over CA3's spikes i of K_ij         n^_j = round(max(charge_j, 0))
    storing    K_ij += n_j - n^_j     for i of the engram     (delta rule: Widrow & Hoff 1960)

n_j is how often EC's cell j fires, ON or OFF (`regions.ec`), n^_j what CA1's cell j predicts; CA1 compares the two (Lisman & Grace 2005).
Its cells start at V = 1/2, take the charge of the Schaffer collaterals at once, and fire as often as it reaches their threshold. No synapse
belongs to one memory: each CA3 cell is in many engrams, and what is stored later disturbs what was stored before; replay in sleep mends it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FINITE
from spikemem.hippocampus.codes import HALF, signed
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.engrams import in_last_cycle
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, GRID, THETA, RecallSchedule
from spikemem.hippocampus.spec import CYCLES, ModelSpec
from spikemem.kernels import engrams
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import Dense, one_to_one
from spikemem.simulators.recording import Recording

DELAY = 6.0
"""ms; the spikes with which CA3 ends a theta cycle reach CA1 in the first steps of the next."""
BASKET_DELAY, BASKET_RELEASE = 11.0, 10
"""The same, ms, in a model with basket cells, in which CA3's cells fire from step 14 of a gamma cycle to its end; and the step of the next
at which CA1 is released, when the last of these spikes has come."""
MOST = GAMMA - 2
"""Spikes of a cell of CA1 in a gamma cycle that deep EC can follow."""


class EngramCA1:
    """CA1's cells, an ON and an OFF cell for each dimension, with their Schaffer collaterals.

    charge: K, int32, [CA3 cell, 2d].   unit: eta, about 1 / core, so that one presentation corrects the whole mistake.
    """

    name = "ca1"

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.unit = round(1 / spec.ca3.core / GRID) * GRID
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.charge = np.zeros((self.spec.dg.cells, 2 * self.spec.ec.dim), np.int32)

    def learn(self, cells: NDArray[np.uint16], counts: NDArray[np.int8]) -> None:
        """Learn from volleys of EC, [n, d], given the engrams, [n, core], one after the other."""
        engrams.learn_prediction(self.charge, cells, counts, self.unit, MOST)

    def predicted(self, fired: NDArray[np.uint16], size: NDArray[np.int64], lost: NDArray[np.bool_]) -> NDArray[np.integer]:
        """n^, ON less OFF, [n, attempt, d], for CA3's cells that fired, [n, attempt, k], and their numbers, [n, attempt].

        lost: cells of CA1 that are, [2d].
        """
        return signed(engrams.predicted(self.charge, fired, size, self.unit, MOST) * ~lost)

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ca1`, its Schaffer collaterals, and its synapses onto deep EC."""
        delay = DELAY if self.spec.basket is None else BASKET_DELAY
        net.add(Population("ca1", 2 * self.spec.ec.dim, ec.PERFECT, CycleReset(GAMMA * DT)))
        net.connect("ca3", "ca1", Dense(self.charge.astype(np.float64) * self.unit), delay=delay, efficacy=in_last_cycle(1.0, 0.0))
        net.connect("ca1", "ec_deep", one_to_one(1.0))

    def build_learning(self, net: Network) -> None:
        """Add `ca1` with its Schaffer collaterals, which learn, and the perforant path from EC, which teaches in the third gamma cycle.

        Spikes that the engram predicts depress, in the second gamma cycle of theta; those that EC teaches potentiate, in the third.
        """
        net.add(Population("ca1", 2 * self.spec.ec.dim, ec.PERFECT, CycleReset(GAMMA * DT)))
        phases = [(g * GAMMA * DT, (g + 1) * GAMMA * DT) for g in range(CYCLES)]
        rule = Coincidence(
            amount=self.unit, window=2 * GAMMA * DT, w_min=-FINITE, w_max=FINITE, period=THETA * DT, potentiate=phases[2], depress=phases[1]
        )
        net.connect("ca3", "ca1", Dense(self.charge.astype(np.float64) * self.unit), delay=DELAY, plasticity=rule)
        teaches = [0.0] * 2 * GAMMA + list(ec.efficacy(self.spec.ec)) + [0.0] * 2 * GAMMA
        net.connect("ec", "ca1", one_to_one(1.0), efficacy=teaches)

    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        """Take over what plastic Schaffer collaterals have become, [CA3 cell, CA1 cell]."""
        self.charge = np.rint(weights["ca3->ca1"] / self.unit).astype(np.int32)

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External current of `ca1`, [time]: half of its threshold at the start of each gamma cycle, or when the last spike has come."""
        tonic = np.zeros(GAMMA)
        tonic[0] = HALF
        if self.spec.basket is not None:
            tonic[0], tonic[BASKET_RELEASE] = -ec.HOLD, ec.HOLD + HALF
        return {"ca1": np.tile(tonic, len(drive.protocol))}

    def read(self, recording: Recording, schedule: RecallSchedule) -> NDArray[np.int64]:
        """What deep EC says after each attempt (see `said`)."""
        return self.said(recording)

    def said(self, recording: Recording) -> NDArray[np.int64]:
        """What deep EC says after each attempt, n^, [n, attempt, d]."""
        return ec.said(recording)[:, CYCLES::CYCLES]
