"""The circuit of all regions: what it stores, how it becomes a network with its stimulus, and how spikes are read as answers."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.hippocampus.holding import Holding, Target
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import CA1, NONE, ca3_levels
from spikemem.hippocampus.regions.ca3 import CA3, HOLD
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring, Region
from spikemem.hippocampus.regions.cue_words import SILENT, CueWords
from spikemem.hippocampus.regions.pathway_cells import ALL, Pathway
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, THETA, Gamma, Mode, RecallSchedule
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.chain import Replays, follow
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate


class Circuit(Holding):
    """EC, DG, CA3, CA1 and subiculum with their synapses.

    pathways: all that drives CA1's index cells except CA3.   further: regions that are built after these.
    """

    def __init__(self, spec: ModelSpec, seed: int, pathways: Sequence[Pathway] = ALL, further: Sequence[Region] = ()) -> None:
        super().__init__(spec, seed)
        self.ca3 = CA3(spec)
        self.ca1 = self.keys = CA1(spec, pathways)
        self.further = tuple(further)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions in the order in which they are built. One that is added to the circuit has its line here."""
        return (self.ec, self.dg, self.ca3, self.ca1, *self.further)

    # -- what it holds -------------------------------------------------------------------------------------------------------------

    def engrams(self, memories: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The CA3 cells of memories in firing order, [n, k]."""
        return self.ca1.codes[self.contents[memories]]

    def ca1_cells(self, memories: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The living index cells of memories, [n]."""
        keys = np.flatnonzero(self.keys.alive & np.isin(self.keys.memory, memories))
        keys = keys[np.argsort(self.keys.memory[keys], kind="stable")]
        ends = np.searchsorted(self.keys.memory[keys], memories, side="right")
        return [keys[a:b] for a, b in zip(np.searchsorted(self.keys.memory[keys], memories), ends, strict=True)]

    def learn(self, first: int, target: Target | None) -> list[Recording]:
        """Bind the engrams of new memories by CA3's fast synapses, at once; their index cells have learned already."""
        self.ca3.bind(self.ca1.codes[self.contents[self.contents >= first]])
        return []

    def rebind(self) -> None:
        """Derive CA3's recurrent synapses anew from the engrams and associations of what is alive."""
        self.ca3 = CA3(self.spec)
        self.ca3.bind(self.ca1.codes[self.contents[self.living]])
        if self.associations:
            self._chain(*self.associations.array().T)

    def _chain(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        self.ca3.chain(self.engrams(pre), self.engrams(post))

    # -- as a network --------------------------------------------------------------------------------------------------------------

    def network(
        self, candidates: int | None = None, competitors: int | None = None, slow: bool = True, passes: int = 1, silences: bool = False
    ) -> Network:
        """The circuit as a `Network`, with all that is stored.

        candidates, competitors: dendrites and index cells that may fire in a gamma cycle; the model's by default.
        slow: whether CA3's slow synapses transmit; in a recall, where the cue is held, they do not.
        passes: of a recall; the cells that let an answer spread are there from two up.
        silences: whether it has the cells that silence memories (`regions.versions`).
        """
        if not len(self.ca1):
            raise NetworkError("the network of an empty hippocampus has no index cells; store a memory first")
        most = self.spec.ca1
        wiring, net = (
            CircuitWiring(
                candidates or most.candidates, competitors or most.competitors, slow, passes, self.associations.successors, silences
            ),
            Network(dt=DT),
        )
        for region in self.regions:
            region.build(net, wiring)
        return net

    def stimulus(
        self, protocol: list[Gamma], vectors: NDArray[np.float32], cue_words: CueWords | None = None, passes: int = 1
    ) -> dict[str, NDArray[np.generic]]:
        """What drives the network through a protocol: the cue's current and words, and the rhythm of each region."""
        names = self.volley(vectors).names()
        drive = CircuitDrive(protocol, vectors, cue_words or CueWords.nothing(len(vectors)), passes, names, self.seed)
        return {name: what for region in self.regions for name, what in region.stimulus(drive).items()}

    def simulate(
        self,
        protocol: list[Gamma],
        vectors: NDArray[np.float32],
        cue_words: CueWords | None = None,
        *,
        passes: int = 1,
        candidates: int | None = None,
        competitors: int | None = None,
        simulator: str = "event",
        device: str = "cpu",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """Every spike of a protocol, step by step, with theta and gamma marked."""
        slow = any(g.mode is Mode.HOP for g in protocol)
        silences = cue_words is not None and cue_words.silenced is not None
        net = self.network(candidates, competitors, slow, passes, silences)
        damaged = self.damage.applied(net, self.stimulus(protocol, vectors, cue_words, passes))
        return run(*damaged, len(protocol), simulator, device, record)

    # -- reading spikes ------------------------------------------------------------------------------------------------------------

    def read(self, recording: Recording, schedule: RecallSchedule) -> dict[str, object]:
        """What the spikes of each region say in a recall, by its name."""
        return {region.name: region.read(recording, schedule) for region in self.regions}

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """The keys of a simulated chain, [n, hops], NONE-padded: the subiculum's in the gamma cycle of each theta cycle that hops."""
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

    # -- without simulation --------------------------------------------------------------------------------------------------------

    def follow(
        self, code: NDArray[np.integer], active: NDArray[np.integer], key: int, hops: int, silenced: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """The keys that a chain leads to, [hops], NONE-padded, computed without simulation; `read_chain` reads the same from spikes.

        code, active: CA3's cells in the cue's first gamma cycle and when it has settled.   key: the subiculum's answer to it.
        silenced: memories that do not answer, [memory].
        """
        none, keys = np.zeros(0, np.int64), np.full(hops, NONE, np.int64)
        active = self._replay(key, active, none)
        counts, primed = self.ca1.counts[self.ca1.content[[key]]], active.astype(np.uint16)[None]
        cue_words = CueWords((SILENT,), silenced=silenced)
        key = int(self.ca1.rank(counts, primed, np.array([len(active)]), self.spec.ca1.candidates, cue_words).order[0, 0])
        active = self._replay(key, active, code)
        recurrent = self.ca3.recurrent
        received = ec.layer_two(self.spec.ec, np.arange(-128, 128).astype(np.int8))
        wired = received, self.dg.inputs, self.dg.weights, self.dg.bias, np.array(self.dg.levels)
        follow(
            active, keys, recurrent, self.ca3.slow, recurrent._replace(level=HOLD), self.ca1.flat(silenced),
            Replays(self.ca1.content, self.ca1.codes, *wired), ca3_levels(self.spec.ca3.core),
        )  # fmt: skip
        return keys

    def _replay(self, key: int, fast_from: NDArray[np.integer], slow_from: NDArray[np.integer]) -> NDArray[np.int64]:
        """CA3's cells in a gamma cycle in which EC replays a key's content."""
        codes, when = self.dg.codes(self.ca1.counts[self.ca1.content[[key]]])
        return self.ca3.cycle(fast_from, slow_from, codes[0], when[0], released=False)


def run(
    net: Network,
    stimulus: Mapping[str, ArrayLike],
    cycles: int,
    simulator: str,
    device: str,
    record: Mapping[str, ArrayLike] | None = None,
) -> Recording:
    """Simulate a circuit for some gamma cycles, with theta and gamma marked."""
    steps = cycles * GAMMA
    made = simulate(net, stimulus, steps, simulator=simulator, device=device, record=record)
    return made.marked(gamma=list(range(0, steps, GAMMA)), theta=list(range(0, steps, THETA)))
