"""The circuit whose CA3 recalls: how it learns, how it becomes a network with its stimulus, and how spikes are read as engrams."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.hippocampus import teaching
from spikemem.hippocampus.circuit import run
from spikemem.hippocampus.damage import Cut, Lesion
from spikemem.hippocampus.holding import Holding, Target, Volley
from spikemem.hippocampus.regions import ec, ec_ctx
from spikemem.hippocampus.regions.basket_cells import BasketCA3
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring, Region
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg import DG
from spikemem.hippocampus.regions.dg_basket_cells import BasketDG
from spikemem.hippocampus.regions.engram_denial import EngramDenial
from spikemem.hippocampus.regions.engram_words import BesideMeaning, EngramWords, words_of
from spikemem.hippocampus.regions.engrams import EngramCA3, silencing
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.hippocampus.regions.prediction import EngramCA1
from spikemem.hippocampus.regions.rhythm import DT, THETA, Gamma, Mode
from spikemem.hippocampus.regions.titles import Titles
from spikemem.hippocampus.spec import CYCLES, ModelSpec
from spikemem.hippocampus.teaching import NO_CELLS, Lesson
from spikemem.kernels.engrams import AutoAssociation, HeldCues
from spikemem.kernels.priming import Priming, nothing
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording

REPLAYS = 3
"""How often sleep replays each memory to CA1, which learns from its mistakes (`regions.prediction`)."""

COMPUTED = ("ec", "dg", "ca3", "ca1")
"""Populations whose lost cells are left out where a recall is computed without simulation."""
RECURRENT = "ca3->ca3"
"""The projection of CA3's recurrent synapses, which may be cut in such a recall."""


class EngramCircuit(Holding):
    """EC, DG, CA3 and CA1, of which none has a cell for a memory.

    `keys` is the record beside the circuit from which its synapses can be derived anew (in sleep, or when a file is opened). A recall takes
    from it the log-odds of words and the titles (`regions.titles`), and names by it the memory whose engram fired.
    """

    def __init__(self, spec: ModelSpec, seed: int, further: Sequence[Region] = ()) -> None:
        super().__init__(spec, seed)
        self.keys = IndexCells(spec)
        self.ca3, self.ca1 = (EngramCA3 if spec.basket is None else BasketCA3)(spec, seed, self.keys), EngramCA1(spec)
        given = spec, self.ca3.allocation, self.keys
        self.words = EngramWords(*given) if spec.lex else None
        self.titles = Titles(*given) if spec.lex else None
        self.denial = EngramDenial(*given) if spec.lex and spec.ca1.denial else None
        """What reaches CA3 beside meaning; None in a model of vectors alone, or without a gain of denials."""
        self.further = tuple(further)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions in the order in which they are built. One that is added to the circuit has its line here."""
        return (self.ec, self.dentate, self.ca3, self.ca1, *self.beside, *self.further)

    @property
    def beside(self) -> tuple[BesideMeaning, ...]:
        """The regions that reach CA3 beside meaning."""
        return tuple(region for region in (self.words, self.titles, self.denial) if region is not None)

    @property
    def dentate(self) -> DG | BasketDG:
        """DG as it recalls."""
        basket = self.spec.basket
        return self.dg if basket is None or basket.granule is None else BasketDG(self.dg, basket, basket.granule)

    # -- learning ------------------------------------------------------------------------------------------------------------------

    def engrams(self, memories: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The CA3 cells of memories, [n, core]."""
        return self.ca3.allocation.engrams(memories)

    def ca1_cells(self, memories: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The cells of CA1, ON and OFF, that whole engrams of memories make fire, [n]."""
        own = self.engrams(memories)
        counts = self.said(own[:, None], np.full((len(own), 1), own.shape[1], np.int64))[:, 0]
        return [np.flatnonzero(np.concatenate([row > 0, row < 0])) for row in counts]

    def learn(self, first: int, target: Target | None) -> list[Recording]:
        """Bind the keys from `first` on to the engrams of their memories, and the new ones of these to themselves and to CA1.

        target: where the store protocol is simulated (`teaching`); None: the same changes at once.
        """
        new = np.flatnonzero(self.contents >= first)
        keys = first + np.arange(len(self.keys) - first)
        if self.keys.silent[self.keys.memory[keys]].any():  # what is learned anew is no longer silent
            self.express(self.keys.memory[keys], True)
        if target is not None:
            return teaching.learn(self, [lesson for key in keys for lesson in self._lessons(int(key))], *target)
        self._hear(keys)
        self._place(new)
        self.ca3.bind(new)
        self.ca1.learn(self.engrams(new), self.keys.counts[self.contents[new]])
        return []

    def _lessons(self, key: int) -> list[Lesson]:
        """What teaches a key: its own theta cycle, and one for each turn before that lingers while its text is heard."""
        memory, keys = int(self.keys.memory[key]), self.keys
        content = key == self.contents[memory]
        engram = self.engrams(np.array([memory]))[0]
        lesson = Lesson(engram, ec.decode(self.spec.ec, keys.counts[[key]]).astype(np.float32)[0], content)
        if self.words is None:
            return [lesson]
        own = words_of(keys.lexicon, np.array([key]), np.array([memory])).cell
        lesson = lesson._replace(words=own)
        if not content:
            return [lesson]
        around = self.words.around(np.array([memory]), self.expressed)
        before = np.unique(around.memory[around.memory < memory])
        of_turn = words_of(keys.lexicon, self.contents[before], before)
        denial = NO_CELLS if self.denial is None else self.denial.opposing(np.array([key])).cell
        times, said = self.words.moments(np.array([memory])).cell, keys.lexicon.whole_words(key)
        lesson = lesson._replace(context=of_turn.cell, times=times, said=said, denial=denial)
        return [lesson, *(Lesson(cells, context=own) for cells in self.engrams(before))]

    def forget(self, memories: NDArray[np.int64]) -> None:
        """Depress the synapses in CA3 of memories, but for those that others need, and drop their associations.

        What CA1 has learned of them goes in the next sleep.
        """
        cells, around = np.unique(self.engrams(memories)), self._around(memories)
        super().forget(memories)
        self.ca3.depress(cells)
        for region in self.beside:
            region.depress(cells, np.unique(self.engrams(np.append(memories, around))))
        self._bind(self._owners(cells), self._mask(cells))
        if len(around):  # others are their neighbours now
            self._place(self._owners(moved := np.unique(self.engrams(around))), self._mask(moved))

    @property
    def expressed(self) -> NDArray[np.bool_]:
        """The living memories that cues reach, [memory]."""
        return self.living & ~self.keys.silent

    def express(self, memories: NDArray[np.int64], expressed: bool) -> None:
        """Let cues reach memories, or make these silent: what reaches their engrams is lost, what binds their cells is kept.

        All synapses are derived anew, as in sleep.
        """
        self.keys.express(memories, expressed)
        self.rebind()

    def rebind(self) -> None:
        """Derive all synapses anew from what is alive, as sleep does: each memory is replayed some times to CA1."""
        for region in teaching.learners(self):
            region.clear()
        memories = np.flatnonzero(self.living)
        self._bind(memories)
        for _ in range(REPLAYS):
            self.ca1.learn(self.engrams(memories), self.keys.counts[self.contents[memories]])

    def renew(self, memory: int, when: float) -> None:
        super().renew(memory, when)
        self._place(np.array([memory]))

    def _bind(self, memories: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind memories in CA3 with all their keys and associations.   only: cells onto or from which alone synapses may grow, [cell]."""
        self.ca3.bind(memories, only)
        self._hear(np.flatnonzero(self.keys.alive & np.isin(self.keys.memory, memories)), only)
        self._place(memories, only)
        self._link(memories)

    def supersede(self, old: int, new: int, until: float) -> None:
        """As in `Holding`; slow synapses are derived anew from the associations that are left."""
        super().supersede(old, new, until)
        self.ca3.part()
        self._link(np.flatnonzero(self.living))

    def _link(self, memories: NDArray[np.int64]) -> None:
        """Bind some memories to their successors, and those that they succeed to them."""
        pairs = self.associations.array()
        some = np.isin(pairs, memories).any(axis=1)
        self.ca3.chain(pairs[some, 0], pairs[some, 1])

    def _hear(self, keys: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind the codes and the words of keys to the engrams of their memories, but for silent ones."""
        keys = keys[~self.keys.silent[self.keys.memory[keys]]]
        self.ca3.hear(self.keys.codes[keys], self.keys.memory[keys], only)
        for region in self.beside:
            region.hear(keys, only)

    def _place(self, memories: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind memories, no silent ones, to what was stored around them and their moments, and their engrams to the words that they say."""
        for region in self.beside:
            region.place(memories[~self.keys.silent[memories]], self.expressed, only)

    def _around(self, memories: NDArray[np.int64]) -> NDArray[np.int64]:
        """The living memories around some, which are to be forgotten."""
        if self.words is None:
            return np.zeros(0, np.int64)
        beside = np.unique(ec_ctx.neighbours(self.spec.context, self.keys.session, self.expressed)[memories])
        return np.setdiff1d(beside[beside >= 0], memories)

    def _owners(self, cells: NDArray[np.uint16]) -> NDArray[np.int64]:
        """The living memories whose engrams have one of some cells."""
        living = np.flatnonzero(self.living)
        return living[self._mask(cells)[self.engrams(living)].any(axis=1)]

    def _mask(self, cells: NDArray[np.uint16]) -> NDArray[np.bool_]:
        return np.isin(np.arange(self.spec.dg.cells), cells)

    def _chain(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        self.ca3.chain(pre, post)

    # -- as a network --------------------------------------------------------------------------------------------------------------

    def network(self, slow: bool = False, silences: bool = False) -> Network:
        """The circuit as a `Network`, with all that is stored.

        slow: for a chain, in which CA3's slow synapses transmit.   silences: with the cells that silence CA3's where some memories may not
        answer.
        """
        net = Network(dt=DT)
        for region in self.regions:
            region.build(net, CircuitWiring(1, 1, slow, silences=silences))
        return net

    def closed(self, cue_words: CueWords | None) -> NDArray[np.bool_] | None:
        """The cells of CA3 that are in no engram which may answer, [cell]; None where all memories may."""
        if cue_words is None or cue_words.silenced is None:
            return None
        may = np.flatnonzero(self.living & ~cue_words.silenced)
        return ~np.isin(np.arange(self.spec.dg.cells), self.engrams(may))

    def stimulus(
        self, protocol: list[Gamma], vectors: NDArray[np.float32], cue_words: CueWords | None = None
    ) -> dict[str, NDArray[np.generic]]:  # fmt: skip
        """What drives the network through a protocol: the cue's current and words, and the rhythm of each region."""
        names = self.volley(vectors).names()
        drive = CircuitDrive(protocol, vectors, cue_words or CueWords.nothing(len(vectors)), 1, names, self.seed)
        made = {name: what for region in self.regions for name, what in region.stimulus(drive).items()}
        return made if (closed := self.closed(cue_words)) is None else {**made, **silencing(closed, len(protocol))}

    def simulate(
        self,
        protocol: list[Gamma],
        vectors: NDArray[np.float32],
        cue_words: CueWords | None = None,
        *,
        simulator: str = "event",
        device: str = "cpu",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """Every spike of a protocol, step by step, with theta and gamma marked."""
        slow = any(g.mode is Mode.HOP for g in protocol)
        net = self.network(slow, silences=self.closed(cue_words) is not None)
        damaged = self.damage.applied(net, self.stimulus(protocol, vectors, cue_words))
        return run(*damaged, len(protocol), simulator, device, record)

    # -- without simulation --------------------------------------------------------------------------------------------------------

    @property
    def computes(self) -> bool:
        """Whether what it recalls under its damage is computed without simulation: cells are lost, or CA3's recurrence is cut.

        Never with basket cells, whose race no short cut foretells.
        """
        lesions = (part.region in COMPUTED for part in self.damage.parts if isinstance(part, Lesion))
        others = (part == Cut(RECURRENT) for part in self.damage.parts if not isinstance(part, Lesion))
        return self.spec.basket is None and all(lesions) and all(others)

    def damaged_volley(self, vectors: NDArray[np.float32], cue_words: CueWords) -> Volley:
        """As `volley`, without the cells that are lost."""
        if not self.damage:
            return self.volley(vectors, cue_words)
        counts, spikes = ec.volley(self.spec.ec, vectors, self.damage.lost("ec", 2 * self.spec.ec.dim))
        return Volley(counts, spikes, *self.dg.codes(counts, self.damage.lost("dg", self.spec.dg.cells)), cue_words)

    def heard(self, volley: Volley) -> tuple[HeldCues, NDArray[np.int64]]:
        """What reaches CA3 while cues are held, for the kernels, and the synapses beside DG's that carried a spike, [n]."""
        beside, events = np.tile(-self.ca3.inhibition, (len(volley.codes), 1)), np.zeros(len(volley.codes), np.int64)
        for region in self.beside:
            events += region.heard(volley.cue_words, beside)
        return HeldCues(self.ca3.hetero, self.ca3.meaning, volley.codes, beside), events

    def priming(self) -> Priming:
        """The dendrites by which what was recalled primes others, for the kernels."""
        return nothing() if self.titles is None else self.titles.priming()

    def completion(self, cue_words: CueWords) -> AutoAssociation:
        """What the kernels complete an engram with, without the cells that are lost, and those that are silenced."""
        whole = self.ca3.completion(self.damage.lost("ca3", self.spec.dg.cells), Cut(RECURRENT) in self.damage.parts)
        return whole if (closed := self.closed(cue_words)) is None else whole._replace(live=whole.live & ~closed)

    def said(self, fired: NDArray[np.uint16], size: NDArray[np.int64]) -> NDArray[np.integer]:
        """What CA1's cells, without those that are lost, make deep EC say of CA3's (see `EngramCA1.predicted`)."""
        return self.ca1.predicted(fired, size, self.damage.lost("ca1", 2 * self.spec.ec.dim))

    # -- reading spikes ------------------------------------------------------------------------------------------------------------

    def fired(self, recording: Recording) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """CA3's cells in the last gamma cycle of each theta cycle, [n, theta, k] in the order of their index, and how many."""
        spikes, at = recording["ca3"], self._ending(recording)
        size = np.zeros((recording.batches, recording.steps // THETA), np.int64)
        np.add.at(size, at[:2], 1)
        cells = np.zeros((*size.shape, size.max(initial=self.spec.ca3.core)), np.uint16)
        for i, a in zip(*np.nonzero(size), strict=True):
            cells[i, a, : size[i, a]] = np.sort(spikes.cell[at[2]][(at[0] == i) & (at[1] == a)])
        return cells, size

    def first(self, recording: Recording) -> NDArray[np.int64]:
        """The step of the first of these spikes, [n, theta]; the number of steps where there is none."""
        first = np.full((recording.batches, recording.steps // THETA), recording.steps)
        item, theta, last = self._ending(recording)
        np.minimum.at(first, (item, theta), recording["ca3"].step[last])
        return first

    def _ending(self, recording: Recording) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.bool_]]:
        """Item and theta cycle of CA3's spikes in the last gamma cycle of a theta cycle, [spike], and which of all spikes these are."""
        spikes = recording["ca3"]
        last = spikes.step % THETA >= THETA - THETA // CYCLES
        return spikes.batch[last], spikes.step[last] // THETA, last


def attempts_protocol(attempts: int) -> list[Gamma]:
    """The gamma cycles of a recall: a theta cycle an attempt, under a held cue, and one more in which deep EC says what came last."""
    return [Gamma(Mode.CUE)] * (CYCLES * attempts) + [Gamma(Mode.QUIET)]


def hops_protocol(hops: int) -> list[Gamma]:
    """The gamma cycles of a chain: a theta cycle under the cue, then one for each hop, in which CA3's slow synapses alone drive it."""
    return [Gamma(Mode.CUE)] * CYCLES + [Gamma(Mode.HOP)] * (CYCLES * hops) + [Gamma(Mode.QUIET)]
