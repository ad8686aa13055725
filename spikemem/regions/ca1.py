"""CA1 and subiculum: index cells, one for each stored cue, that need CA3 and EC together.

    dendrite   opens where  |code(key) and CA3| is among the largest, ca1.candidates of them   (Schaffer collaterals)
    soma       fires where the dendrite is open, the largest  n_key . n_cue  first, ca1.competitors of them   (perforant path)
    subiculum  the first of these under noise:  argmax(n_key . n_cue + s^2 / b Gumbel),  so P(key) = softmax(b x cosine)

The first spike of a race under Gumbel noise is a sample of the softmax (Gumbel 1954), so the share of gamma cycles that a cell wins is
its attention, the settle step of a modern Hopfield network (Ramsauer 2021). The soma behind a
dendrite that must spike first is a two-layer neuron (Poirazi 2003); that dendrites, too, compete by a basket cell is the model's.
Perforant weights are the spike counts of the one volley that was stored (teacher-forced Hebb), int8.

Novelty is the mismatch between what CA3 brings and what EC says: 1 - cosine of the best candidate's synapses and the cue's volley.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import circuit
from spikemem.network import KWinners, Network, Population
from spikemem.regions import ec
from spikemem.regions.rhythm import CA1_RELEASE, DENDRITE_RELEASE, DT, GAMMA, GRID, SUB_RELEASE, Gamma, Mode, above, release
from spikemem.spec import ModelSpec
from spikemem.synapses import Dense, Sparse, one_to_one

DENDRITE_HOLD = 2.0**10
GUMBEL_BOUND = 40.0
"""No Gumbel number from 52 random bits is larger."""
FIRST_COSINE = 0.5
"""A soma with at least this cosine fires one step before the rest."""
CA3_SHARES = (0.9, 0.75)
"""After a hop, a dendrite opens first where it hears nine tenths of a core, then where three quarters."""
NONE = -1
"""In place of an id or a place where there is none."""


def ca3_levels(core: int) -> tuple[float, float]:
    """Shared cells that a dendrite must exceed after a hop, at its first and its second release."""
    early, late = (round(share * core) - 0.5 for share in CA3_SHARES)
    return early, late


@dataclass(frozen=True, eq=False)
class Ranking:
    """order: keys in firing order, [n, candidates], NONE-padded.   drive: their n_key . n_cue.   events: synaptic events, [n]."""

    order: NDArray[np.int64]
    drive: NDArray[np.int64]
    events: NDArray[np.int64]


class CA1:
    """The index cells' synapses.

    counts: perforant weights, int8, [key, d].   codes: Schaffer synapses, the CA3 cells heard, uint16, [key, k].
    memory: the memory that a key belongs to, [key].   content: the key whose counts are the memory's content, [key].   alive: [key].
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._size = 0
        self._counts = np.zeros((0, spec.ec.dim), np.int8)
        self._codes = np.zeros((0, spec.dg.winners), np.uint16)
        self._memory, self._content, self._alive = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
        self._built = 0
        self._indptr, self._keys = np.zeros(spec.dg.cells + 1, np.int64), np.zeros(0, np.int32)

    def __len__(self) -> int:
        return self._size

    @property
    def counts(self) -> NDArray[np.int8]:
        return self._counts[: self._size]

    @property
    def codes(self) -> NDArray[np.uint16]:
        return self._codes[: self._size]

    @property
    def memory(self) -> NDArray[np.int64]:
        return self._memory[: self._size]

    @property
    def content(self) -> NDArray[np.int64]:
        return self._content[: self._size]

    @property
    def alive(self) -> NDArray[np.bool_]:
        return self._alive[: self._size]

    def memories(self) -> int:
        """How many memories have a living index cell."""
        return len(np.unique(self.memory[self.alive]))

    def owners(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The memories of keys; NONE stays NONE."""
        return np.where(keys == NONE, NONE, self.memory[keys] if len(self) else NONE)

    def add(self, counts: NDArray[np.int8], codes: NDArray[np.uint16], memory: NDArray[np.int64], content: NDArray[np.int64]) -> None:
        """New index cells, teacher-forced to fire with these volleys and codes."""
        new = self._size + len(counts)
        if new > len(self._counts):
            room = max(new, 2 * self._size, 64)
            for name in ("_counts", "_codes", "_memory", "_content", "_alive"):
                old = getattr(self, name)
                grown = np.zeros((room, *old.shape[1:]), old.dtype)
                grown[: self._size] = old[: self._size]
                setattr(self, name, grown)
        fresh = slice(self._size, new)
        self._counts[fresh], self._codes[fresh], self._memory[fresh] = counts, codes, memory
        self._content[fresh], self._alive[fresh] = content, True
        self._size = new

    def silence(self, keys: NDArray[np.int64]) -> None:
        """These index cells fire no more."""
        self._alive[keys] = False

    def recode(self, codes: NDArray[np.uint16]) -> None:
        """Replace all Schaffer synapses, [key, k]."""
        self._codes[: self._size] = codes
        self._built = 0

    def _index(self) -> None:
        """Bring the lists of each CA3 cell's targets up to date; the few newest keys are compared one by one instead."""
        if self._size - self._built > max(256, self._built // 4) or self._built == 0:
            cells = self.codes.ravel()
            order = np.argsort(cells, kind="stable")
            self._keys = (order // self.spec.dg.winners).astype(np.int32)
            self._indptr = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=self.spec.dg.cells))]).astype(np.int64)
            self._built = self._size

    def rank(self, counts: NDArray[np.int8], active: NDArray[np.uint16], size: NDArray[np.int64], candidates: int) -> Ranking:
        """Which index cells fire to EC volleys [n, d] and CA3 cells [n, k] of which the first `size` count."""
        self._index()
        return Ranking(
            *circuit.rank(
                counts, active, size, self.counts, self.codes, self.alive, self._indptr, self._keys, self._built, self.spec.dg.cells,
                min(candidates, max(len(self), 1)),
            )
        )  # fmt: skip

    def on_ca3_alone(self, active: NDArray[np.int64]) -> int:
        """The key that answers a hop, on CA3's cells alone; NONE where no dendrite hears enough of its engram."""
        self._index()
        shared = circuit.shared_cells(active, self.codes, self.alive, self._indptr, self._keys, self._built, self.spec.dg.cells)
        for level in ca3_levels(self.spec.ca3.core):
            heard = np.flatnonzero(shared > level)
            if len(heard):
                return int(heard[0])
        return NONE

    @property
    def gate(self) -> float:
        """What a dendritic spike lifts the soma by: more than twice any perforant drive and noise, since |n| <= s + sqrt(d) / 2."""
        drive = self.spec.ec.dim * (self.spec.ec.charge + 0.5) ** 2
        return above(4 * (drive + GUMBEL_BOUND * self.noise_size()))

    def noise_size(self) -> float:
        """Scale of the Gumbel noise, in coincident spikes: s^2 / sharpness."""
        return ec.scale(self.spec.ec) ** 2 / self.spec.ca1.sharpness

    def attend(
        self, ranking: Ranking, queries: NDArray[np.int64], competitors: int, cycles: int, start: int, seed: int
    ) -> NDArray[np.int64]:
        """The key that wins the subiculum in each of `cycles` gamma cycles from `start` on, [n, cycles]; NONE where nothing fires.

        queries: the number that names each cue's noise, [n].
        """
        return circuit.attend(ranking.order, ranking.drive, queries, competitors, cycles, start, seed, self.noise_size(), GRID)

    def build(self, net: Network, candidates: int, competitors: int) -> None:
        """Add `ca1_dendrite`, `ca1` and `sub`, and their input from CA3 and EC."""
        cells = len(self)
        gamma = GAMMA * DT
        net.add(Population("ca1_dendrite", cells, ec.PERFECT, KWinners(gamma, k=candidates)))
        net.add(Population("ca1", cells, ec.PERFECT, KWinners(gamma, k=competitors)))
        net.add(Population("sub", cells, ec.PERFECT, KWinners(gamma, k=1)))
        living = np.flatnonzero(self.alive)
        schaffer = Sparse.from_coo(self.codes[living].ravel(), np.repeat(living, self.spec.dg.winners), 1.0, (self.spec.dg.cells, cells))
        perforant = Dense(ec.push_pull(self.counts.T.astype(np.float64)))
        net.connect("ca3", "ca1_dendrite", schaffer)
        net.connect("ca1_dendrite", "ca1", one_to_one(self.gate))
        net.connect("ca1", "sub", one_to_one(self.gate))
        net.connect("ec", "ca1", perforant)
        net.connect("ec", "sub", perforant)

    def stimulus(self, protocol: list[Gamma], queries: NDArray[np.int64], seed: int) -> dict[str, NDArray[np.float64]]:
        """External current of `ca1_dendrite` and `ca1`, [time], and of `sub`, [time, n, cell] where a cycle is noisy."""
        early, late = ca3_levels(self.spec.ca3.core)
        hold, any_gated = 2 * self.gate, self.gate / 2
        first = self.gate + np.floor(FIRST_COSINE * ec.scale(self.spec.ec) ** 2)
        volley = {
            "ca1_dendrite": release(DENDRITE_HOLD, DENDRITE_RELEASE[:1], (0.5,)),
            "ca1": release(hold, CA1_RELEASE, (first, any_gated)),
            "sub": release(hold, SUB_RELEASE[1:], (any_gated,)),
        }
        hop = {
            "ca1_dendrite": release(DENDRITE_HOLD, DENDRITE_RELEASE, (early, late)),
            "ca1": release(hold, CA1_RELEASE[:1], (any_gated,)),
            "sub": release(hold, SUB_RELEASE[:1], (any_gated,)),
        }
        shut = {"ca1_dendrite": release(DENDRITE_HOLD, (), ()), "ca1": release(hold, (), ()), "sub": release(hold, (), ())}
        of_mode = {Mode.CUE: volley, Mode.REPLAY: volley, Mode.HOP: hop, Mode.QUIET: shut}
        currents = {name: np.concatenate([of_mode[g.mode][name] for g in protocol]) for name in ("ca1_dendrite", "ca1")}
        sub = np.concatenate([of_mode[g.mode]["sub"] if g.read else shut["sub"] for g in protocol])
        if any(g.noise for g in protocol):
            noise = circuit.noise(seed, queries, len(protocol), len(self), self.noise_size(), GRID)
            sub = np.broadcast_to(sub[:, None, None], (len(sub), len(queries), len(self))).copy()
            for g, gamma in enumerate(protocol):
                if gamma.noise:
                    sub[g * GAMMA + 1] += noise[:, g]
        return {**currents, "sub": sub}
