"""The regions wired into one network: how it is built, driven through theta and gamma, and how its spikes are read."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network import Network
from spikemem.recording import Recording
from spikemem.regions import ca3, ec
from spikemem.regions.ca1 import CA1, NONE
from spikemem.regions.ca3 import CA3
from spikemem.regions.dg import DG
from spikemem.regions.rhythm import DT, GAMMA, THETA, Gamma, Mode
from spikemem.simulate import simulate
from spikemem.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Volley:
    """A batch of cues as spikes.   counts: EC, ON minus OFF, [n, d].   codes, when: DG's winners in firing order and when, [n, k]."""

    counts: NDArray[np.int8]
    codes: NDArray[np.uint16]
    when: NDArray[np.uint8]

    def one(self, i: int) -> "Volley":
        """The volley of one cue, n = 1."""
        return Volley(self.counts[[i]], self.codes[[i]], self.when[[i]])

    def names(self) -> NDArray[np.int64]:
        """A number for each cue, that names its noise: the same cue meets the same noise wherever it stands in a batch, [n]."""
        return np.array([zlib.crc32(row.tobytes()) for row in self.counts], np.int64)


class Circuit:
    """EC, DG, CA3, CA1 and subiculum with their synapses."""

    def __init__(self, spec: ModelSpec, seed: int) -> None:
        self.spec, self.seed = spec, seed
        self.dg = DG(spec, seed)
        self.ca3 = CA3(spec)
        self.ca1 = CA1(spec)

    def volley(self, vectors: NDArray[np.float32]) -> Volley:
        """What EC and DG make of unit vectors, [n, d]."""
        counts = ec.encode(self.spec.ec, vectors)
        return Volley(counts, *self.dg.codes(counts))

    # -- as a network --------------------------------------------------------------------------------------------------------------

    def network(self, candidates: int | None = None, competitors: int | None = None, slow: bool = True) -> Network:
        """The circuit as it stands.

        candidates, competitors: dendrites and index cells that may fire in a gamma cycle; the model's by default.
        slow: whether CA3's slow synapses transmit; in a recall, where the cue is held, they do not.
        """
        if not len(self.ca1):
            raise NetworkError("the network of an empty hippocampus has no index cells; store a memory first")
        net = Network(dt=DT)
        ec.build(net, self.spec.ec)
        self.dg.build(net)
        self.ca3.build(net, slow)
        self.ca1.build(net, candidates or self.spec.ca1.candidates, competitors or self.spec.ca1.competitors)
        ec.connect_answer(net, self.ca1.counts[self.ca1.content])
        return net

    def stimulus(self, protocol: list[Gamma], vectors: NDArray[np.float32]) -> dict[str, NDArray[np.generic]]:
        """What drives the network through a protocol: the cue's current, and the rhythm of each region."""
        return {
            **ec.stimulus(self.spec.ec, protocol, vectors),
            **self.dg.stimulus(protocol),
            **ca3.stimulus(protocol),
            **self.ca1.stimulus(protocol, self.volley(vectors).names(), self.seed),
        }

    def simulate(
        self,
        protocol: list[Gamma],
        vectors: NDArray[np.float32],
        *,
        candidates: int | None = None,
        competitors: int | None = None,
        simulator: str = "event",
        device: str = "cpu",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """Every spike of a protocol, step by step, with theta and gamma marked."""
        steps = len(protocol) * GAMMA
        slow = any(g.mode is Mode.HOP for g in protocol)
        net, stimulus = self.network(candidates, competitors, slow), self.stimulus(protocol, vectors)
        made = simulate(net, stimulus, steps, simulator=simulator, device=device, record=record)
        return made.marked(gamma=list(range(0, steps, GAMMA)), theta=list(range(0, steps, THETA)))

    # -- reading spikes ------------------------------------------------------------------------------------------------------------

    def read_recall(self, recording: Recording, competitors: int, settle: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Off the spikes of a recall: CA1's keys in firing order in the last cycle of settling, [n, competitors], and the subiculum's
        in each cycle after it, [n, cycles]; NONE-padded."""
        cycles = recording.steps // GAMMA - settle - 1
        order = np.full((recording.batches, competitors), NONE, np.int64)
        winners = np.full((recording.batches, cycles), NONE, np.int64)
        for i in range(recording.batches):
            fired = recording["ca1"].between(settle * GAMMA, (settle + 1) * GAMMA, i).cell
            order[i, : len(fired)] = fired
            for g in range(cycles):
                start = (settle + 1 + g) * GAMMA
                won = recording["sub"].between(start, start + GAMMA, i).cell
                if len(won):
                    winners[i, g] = won[0]
        return order, winners

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """Off the spikes of a chain: the subiculum's key in the hop's gamma cycle of each theta cycle, [n, hops]; NONE-padded."""
        hops = recording.steps // THETA - 1
        keys = np.full((recording.batches, hops), NONE, np.int64)
        for i in range(recording.batches):
            for h in range(hops):
                end = (h + 2) * THETA - GAMMA  # the last but one gamma cycle hops, the last one replays
                fired = recording["sub"].between(end - GAMMA, end, i).cell
                if not len(fired):
                    break
                keys[i, h] = fired[0]
        return keys

    # -- the same, by short cuts ---------------------------------------------------------------------------------------------------

    def follow(self, code: NDArray[np.integer], active: NDArray[np.integer], key: int, hops: int) -> NDArray[np.int64]:
        """The keys that a chain leads to, [hops], NONE-padded; what `read_chain` reads off the simulation.

        code, active: CA3's cells in the cue's first gamma cycle and when it has settled.   key: the subiculum's answer to it.
        """
        none, keys = np.zeros(0, np.int64), np.full(hops, NONE, np.int64)
        active = self._replay(key, active, none)
        counts, lit = self.ca1.counts[self.ca1.content[[key]]], active.astype(np.uint16)[None]
        key = int(self.ca1.rank(counts, lit, np.array([len(active)]), self.spec.ca1.candidates).order[0, 0])
        active = self._replay(key, active, code)
        for h in range(hops):
            hopped = self.ca3.cycle(none, active, none, none)
            keys[h] = self.ca1.on_ca3_alone(hopped)
            if keys[h] == NONE:
                break
            active = self._replay(int(keys[h]), hopped, none)
        return keys

    def _replay(self, key: int, fast_from: NDArray[np.integer], slow_from: NDArray[np.integer]) -> NDArray[np.int64]:
        """CA3's cells in a gamma cycle in which EC replays a key's content."""
        codes, when = self.dg.codes(self.ca1.counts[self.ca1.content[[key]]])
        return self.ca3.cycle(fast_from, slow_from, codes[0], when[0], released=False)
