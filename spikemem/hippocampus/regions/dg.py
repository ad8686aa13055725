"""Dentate gyrus: the sparse code of a vector, the k granule cells that fire first.

    drive_g = sum over its dimensions j of w_gj (n_j - <n_j>) / sigma_g          code = the k cells of the largest drive

`fan_in` dimensions reach a granule cell by push-pull pairs: +w from the ON cell, -w from the OFF cell. A feed-forward interneuron `ff`
subtracts the mean of the volleys, and synaptic scaling (Turrigiano 2008) divides by the standard deviation of a cell's drive, so that
all cells are used alike. Both are learned from what is stored (`Adaptation`), anew at some numbers of memories
(`hippocampus.storing.ADAPTATIONS`) and in sleep.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import WINDOW
from spikemem.hippocampus.damage import LOST, winners
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.rhythm import DG_RELEASE, DT, GAMMA, GRID, Mode, RecallSchedule, above, dg_levels, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import granule_cells
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.synapses import Dense, Sparse, Synapses
from spikemem.simulators.recording import Recording

WEIGHTS = (0.5, 1.5)
"""Synaptic weights are spread between these before scaling, or ties abound."""
PRIOR = 64
"""Isotropic volleys that the statistics start from, before the first is seen."""

BLOCK = 2048
"""Cells that are wired and scaled together."""


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The statistics of its input that DG has learned.   mean, covariance: of the volleys, [d] and [d, d].   seen: how many."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    seen: int

    @classmethod
    def of(cls, counts: NDArray[np.int8]) -> "Adaptation":
        """From stored volleys, [n, d]."""
        x = counts.astype(np.float64)
        n = len(x)
        mean = x.sum(0) / (n + PRIOR)
        centred = x - mean
        return cls(mean, centred.T @ centred / max(n, 1), n)

    @classmethod
    def none(cls, dim: int) -> "Adaptation":
        """Before anything is stored."""
        return cls(np.zeros(dim), np.zeros((dim, dim)), 0)


@lru_cache(maxsize=4)
def _wired(seed: int, dim: int, cells: int, fan_in: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The dimensions that drive each cell, and their weights before scaling, [cell, fan_in] each; memories of a seed share them."""
    rng = np.random.default_rng([seed, 1])
    parts = [min(BLOCK, cells - first) for first in range(0, cells, BLOCK)]  # all at once would take gigabytes
    drawn = (np.argsort(rng.random((n, dim), dtype=np.float32), axis=1)[:, :fan_in].astype(np.int32) for n in parts)
    inputs = np.concatenate(list(drawn))
    return inputs, rng.uniform(*WEIGHTS, (cells, fan_in)) * rng.choice([-1.0, 1.0], (cells, fan_in))


class DG:
    """Granule cells: their wiring, and their weights under the current adaptation.

    inputs: dimensions that drive each cell, int32, [cell, fan_in].   weights: on signed counts, [cell, fan_in].   bias: [cell].
    hold: inhibition that no volley overcomes.   levels: drives above which a cell fires, one for each release, falling.
    """

    name = "dg"

    def __init__(self, spec: ModelSpec, seed: int, adaptation: Adaptation | None = None) -> None:
        self.spec = spec
        self.inputs, self._drawn = self._wired(seed)
        self.fan_out = np.bincount(self.inputs.ravel(), minlength=spec.ec.dim)
        """Granule cells that each dimension drives, [d]."""
        self.adapt(adaptation or Adaptation.none(spec.ec.dim))

    def _wired(self, seed: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """`inputs`, and the weights before scaling, [cell, fan_in]."""
        return _wired(seed, self.spec.ec.dim, self.spec.dg.cells, self.spec.dg.fan_in)

    def adapt(self, adaptation: Adaptation) -> None:
        """Set mean and scaling. Codes made before no longer match those made from now on."""
        self.adaptation = adaptation
        isotropic = (ec.charge(self.spec.ec) * self.spec.ec.layer_two) ** 2
        known = adaptation.seen / (adaptation.seen + PRIOR)
        parts = (slice(first, first + BLOCK) for first in range(0, len(self.inputs), BLOCK))
        variance = np.concatenate([self._variance(self.inputs[part], self._drawn[part], known, isotropic) for part in parts])
        scaled = self._drawn / np.sqrt(np.maximum(variance, 1e-6 * isotropic))[:, None]
        self.weights = np.round(scaled / GRID) * GRID
        self.bias = np.round((self.weights * adaptation.mean[self.inputs]).sum(1) / GRID) * GRID
        self.hold = above(float((np.abs(self.weights).sum(1) * WINDOW + np.abs(self.bias)).max()) + 8.0)
        self.levels = dg_levels(self.spec.dg.winners, self.spec.dg.cells, self.hold)

    def _variance(self, inputs: NDArray[np.int32], drawn: NDArray[np.float64], known: float, isotropic: float) -> NDArray[np.float64]:
        """The variance of what some cells receive, [cell]."""
        before, after = inputs[:, :, None], inputs[:, None, :]
        pairs = known * self.adaptation.covariance[before, after] + (1 - known) * isotropic * (before == after)
        return np.einsum("gi,gij,gj->g", drawn, pairs, drawn)

    def codes(self, counts: NDArray[np.int8], lost: NDArray[np.bool_] | None = None) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """The winners of EC volleys [n, d] in firing order, [n, k], and the release at which each fired, [n, k].

        lost: cells that are, [cell]; as many fewer win.
        """
        received, k, bias = ec.layer_two(self.spec.ec, counts), self.spec.dg.winners, self.bias
        if lost is not None and lost.any():
            k, bias = min(winners(k, lost), int((~lost).sum())), bias + LOST * lost
        return self._first(received, bias, k)

    def _first(
        self, received: NDArray[np.int8], bias: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:  # fmt: skip
        """The k cells that fire first to what EC's layer sends, [n, d], and when."""
        return granule_cells.codes(received, self.inputs, self.weights, bias, np.array(self.levels), k)

    def learn(self, counts: NDArray[np.int8]) -> None:
        """Learn mean and scaling from stored volleys of EC, [n, d]."""
        self.adapt(Adaptation.of(ec.layer_two(self.spec.ec, counts)))

    def drive(self, counts: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.float64]:
        """What each cell receives from signed counts of its layer of EC, or from rates s x in their place, [n, d]; float64, [n, cell]."""
        dense = np.zeros((self.spec.ec.dim, self.spec.dg.cells))
        np.add.at(dense, (self.inputs, np.arange(len(self.inputs))[:, None]), self.weights)
        return counts.astype(np.float64) @ dense - self.bias

    def rate_code(self, vectors: NDArray[np.float32]) -> NDArray[np.uint16]:
        """The code of the same wiring from rates instead of spikes: the k largest of W (s x - <n>), [n, k], in the order of their index."""
        drive = self.drive(vectors * np.float32(ec.scale(self.spec.ec) * self.spec.ec.layer_two))
        return np.sort(np.argpartition(-drive, self.spec.dg.winners - 1, axis=1)[:, : self.spec.dg.winners], axis=1).astype(np.uint16)

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ff` and `dg`, and the perforant path from EC."""
        net.add(Population("ff", 1, ec.PERFECT))
        net.add(Population("dg", self.spec.dg.cells, ec.PERFECT, KWinners(GAMMA * DT, k=self.spec.dg.winners)))
        ec.connect_perforant(net, self.spec.ec, self.push_pull())
        net.connect("ff", "dg", Dense(-self.bias[None]))

    def push_pull(self) -> Synapses:
        """From EC's ON and OFF cells, [2d, cell]."""
        (cells, fan_in), dim = self.inputs.shape, self.spec.ec.dim
        source, target, weight = self.inputs.ravel(), np.repeat(np.arange(cells), fan_in), self.weights.ravel()
        return Sparse.from_coo(
            np.concatenate([source, source + dim]), np.tile(target, 2), np.concatenate([weight, -weight]), (2 * dim, cells)
        )

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External current of `dg` [time] and the clamped spikes of `ff` [time, 1]: it fires with each volley of EC."""
        open_, shut, tick = release(self.hold, DG_RELEASE, self.levels), release(self.hold, (), ()), np.zeros(GAMMA, bool)
        tick[0] = True
        volley = [g.mode in (Mode.CUE, Mode.REPLAY) for g in drive.protocol]
        return {
            "dg": np.concatenate([open_ if v else shut for v in volley]),
            "ff": np.concatenate([tick if v else np.zeros_like(tick) for v in volley])[:, None],
        }

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The code of each cue: the granule cells that fire in its first gamma cycle, in firing order."""
        return [recording["dg"].between(0, GAMMA, i).cell for i in range(recording.batches)]
