"""How a hippocampus of engrams recalls: attempt after attempt, one memory in each theta cycle, in the order of time."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import NetworkError, VectorError
from spikemem.hippocampus.engram_circuit import EngramCircuit, attempts_protocol, hops_protocol
from spikemem.hippocampus.holding import Target, Volley, names
from spikemem.hippocampus.recall import Completion, Recall, perforant_events
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.engrams import RELEASE
from spikemem.hippocampus.regions.index_cells import NONE
from spikemem.hippocampus.regions.pathway_cells import PATHWAYS
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, THETA
from spikemem.hippocampus.spec import CYCLES
from spikemem.hippocampus.ways import BY_EVENTS, Cycles
from spikemem.kernels import engrams
from spikemem.kernels.engrams import Fork, HeldCues
from spikemem.kernels.priming import nothing
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording

COUNTED = (
    "ec->dg", "ec_two->dg", "dg->ca3", "ca3->ca3", "ec_lex->ca3", "ec_ctx->ca3", "ec_time->ca3",
    "ec_denial->ca3", "dg->ca3_basket", "ca3->ca3_basket", "ca3->ca3_basket#2", "ca3_basket->ca3",
)  # fmt: skip
"""The projections whose synaptic events are counted."""
SPARE = 4
"""Further attempts where some of the first ones found nothing, or what may not answer."""


@dataclass(frozen=True, eq=False)
class Attempts:
    """What fired in the attempts to each cue, by whatever means it is known.

    cells, size: CA3's cells at the end of each, uint16, [n, attempt, k], and how many, [n, attempt].
    step: at which the first of them fires, [n, attempt].
    said: what deep EC says after each, n^, [n, attempt, d].   heard: what EC says of the cue, n, [n, d].
    events: synapses onto DG and CA3 that carried a spike, of those in `COUNTED`, [n].
    """

    cells: NDArray[np.uint16]
    size: NDArray[np.int64]
    step: NDArray[np.int64]
    said: NDArray[np.integer]
    heard: NDArray[np.integer]
    events: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ByAttempts:
    """Recall by engrams (see `ways.Way`)."""

    circuit: EngramCircuit

    def recall(self, volley: Volley, vectors: NDArray[np.float32], top_k: int, cycles: Cycles, target: Target | None) -> Recall:
        """One memory an attempt; where attempts find nothing new there are more, as long as cells are left that fire."""
        volley = self.circuit.damaged_volley(vectors, volley.cue_words)
        where = BY_EVENTS if target is None and not self.circuit.computes else target
        most = self.circuit.spec.dg.cells // self.circuit.spec.ca3.core
        number, wanted = min(top_k, most), min(top_k, int(self._may_answer(volley).sum()))
        while True:
            if where is None:
                made, recording = self._computed(volley, number), None
            else:
                protocol = attempts_protocol(number)
                recording = self.circuit.simulate(protocol, vectors, volley.cue_words, simulator=where[0], device=where[1])
                made = self._read(recording)
            found = self._report(made, volley, top_k)
            if number == most or (((found.ids != NONE).sum(1) >= wanted) | (made.size[:, -1] == 0)).all():
                return replace(found, recording=recording if target else None)
            number = min(2 * number + SPARE, most)

    def _computed(self, volley: Volley, number: int) -> Attempts:
        """The attempts without simulation."""
        (heard, beside), complete = self.circuit.heard(volley), self.circuit.completion(volley.cue_words)
        cells, size, events = engrams.attempts(heard, number, complete, self.circuit.priming())
        events += (beside + perforant_events(self.circuit, volley)) * CYCLES * number
        step = np.broadcast_to(np.arange(1, number + 1) * THETA - GAMMA + RELEASE, size.shape)
        return Attempts(cells, size, step, self.circuit.said(cells, size), volley.counts, events)

    def _read(self, recording: Recording) -> Attempts:
        """The attempts, read from spikes."""
        said, heard = self.circuit.ca1.said(recording), ec.counted(self.circuit.spec.ec, recording)
        return Attempts(*self.circuit.fired(recording), self.circuit.first(recording), said, heard, self._carried(recording))

    def _carried(self, recording: Recording) -> NDArray[np.int64]:
        """Synapses onto DG and CA3 that carried a spike, [n]."""
        events = np.zeros(recording.batches, np.int64)
        for p in self.circuit.network().projections:
            if p.name in COUNTED:
                spikes = recording[p.pre]
                left = np.array([p.counts(step) != 0 for step in range(recording.steps)])[spikes.step]
                for i in range(recording.batches):
                    cells = spikes.cell[left & (spikes.batch == i)]
                    events[i] += p.carried(cells, np.zeros(len(cells), np.int64))
        return events

    def _may_answer(self, volley: Volley) -> NDArray[np.bool_]:
        """The memories that may answer, [memory]."""
        living, silenced = self.circuit.living, volley.cue_words.silenced
        return living if silenced is None else living & ~silenced

    def _report(self, made: Attempts, volley: Volley, top_k: int) -> Recall:
        """The `Recall` of some attempts: each memory once, at the attempt in which its engram fired first."""
        n, circuit = len(made.cells), self.circuit
        memory, share = self._named(made.cells, made.size)
        may = np.append(self._may_answer(volley), False)
        said, heard = made.said.astype(np.float64), made.heard.astype(np.float64)
        length = np.linalg.norm(said, axis=2) * np.linalg.norm(heard, axis=1)[:, None]
        match = (said * heard[:, None]).sum(2) / np.maximum(length, np.finfo(float).tiny)
        ids, at = np.full((n, top_k), NONE, np.int64), np.full((n, top_k), NONE, np.int64)
        for i in range(n):
            _, first = np.unique(memory[i], return_index=True)
            hits = [a for a in np.sort(first) if may[memory[i, a]]][:top_k]
            ids[i, : len(hits)], at[i, : len(hits)] = memory[i, hits], hits
        none = at == NONE
        scores = np.where(none, np.nan, np.take_along_axis(match, at, axis=1))
        drives = np.where(none[:, :, None], np.nan, np.eye(len(PATHWAYS))[0] * scores[:, :, None])
        first = np.where(none[:, :1], 0, at[:, :1])[:, :, None]
        deep = np.where(none[:, :1], 0.0, ec.decode(circuit.spec.ec, np.take_along_axis(made.said, first, axis=1)[:, 0]))
        return Recall(
            ids, scores, drives, np.zeros((n, 0), np.int64), deep / np.maximum(np.linalg.norm(deep, axis=1, keepdims=True), 1e-300),
            np.clip(1 - np.where(np.isnan(scores[:, 0]), 0.0, scores[:, 0]), 0, None), memory, share / circuit.spec.ca3.core,
            made.events, keys=np.where(none, NONE, np.append(circuit.contents, NONE)[ids]),
            latency=np.where(none, np.nan, np.take_along_axis(made.step, at, axis=1) * DT),
        )  # fmt: skip

    def _named(
        self, cells: NDArray[np.uint16], size: NDArray[np.int64], fork: Fork | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
        """The memory whose engram has most of the cells that fired, and how many, [n, attempt]; looked up outside the network."""
        living = self.circuit.living
        return engrams.nearest(cells, size, self.circuit.ca3.allocation.owners(), living, fork)

    def reads(self, volley: Volley, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.ones(len(vectors), bool)

    def complete(self, codes: ArrayLike, settle: int) -> Completion:
        """codes: granule cells, [n, winners]; settle has no meaning here: an attempt is a theta cycle."""
        spec, ca3 = self.circuit.spec, self.circuit.ca3
        if spec.basket is not None:
            raise NetworkError("complete knows no basket cells, whose inhibition has to be simulated; recall a cue instead")
        given = Checks(VectorError).indices(codes, "codes", spec.dg.cells, np.uint16, shape=(None, spec.dg.winners))
        heard = HeldCues(ca3.hetero, ca3.meaning, given, np.tile(-ca3.inhibition, (len(given), 1)))
        cells, size, _ = engrams.attempts(heard, 1, ca3.completion(), nothing())
        return Completion(cells[:, 0], self._named(cells, size)[0][:, 0])

    def stimulate(self, cells: NDArray[np.int64]) -> Completion:
        """What fires where light drives some cells of CA3, [n, k], through an attempt, each as a volley of DG drives those of an engram."""
        if not self.circuit.computes:
            raise NetworkError("stimulate computes what fires, with lost cells or CA3's recurrence cut; restore() what else is damaged")
        spec, ca3 = self.circuit.spec, self.circuit.ca3
        light = np.zeros((len(cells), spec.dg.cells), np.int32)
        np.put_along_axis(light, cells, ca3.meaning * spec.dg.winners, axis=1)
        heard = HeldCues(ca3.hetero, ca3.meaning, np.zeros((len(cells), 0), np.uint16), light)
        fired, size, _ = engrams.attempts(heard, 1, self.circuit.completion(CueWords.nothing(len(cells))), nothing())
        return Completion(fired[:, 0], self._named(fired, size)[0][:, 0])

    def chain(self, volley: Volley, vectors: NDArray[np.float32], hops: int, spreads: bool) -> NDArray[np.int64]:
        if not self.circuit.computes:
            recording = self.simulate_chain(vectors, volley.cue_words, hops, BY_EVENTS)
            return self._read_chain(recording, self._may_answer(volley))
        ca3, complete = self.circuit.ca3, self.circuit.completion(volley.cue_words)
        heard, _ = self.circuit.heard(self.circuit.damaged_volley(vectors, volley.cue_words))
        begin, size, _ = engrams.attempts(heard, 1, complete, nothing())
        fork = Fork(self.circuit.seed, volley.names())
        cells, sizes = engrams.hops(ca3.slow, begin[:, 0], size[:, 0], hops, fork, ca3.level, complete)
        cells, size = np.concatenate([begin, cells], axis=1), np.concatenate([size, sizes], axis=1)
        return self._chained(cells, size, self._may_answer(volley), fork)

    def _chained(
        self, cells: NDArray[np.uint16], size: NDArray[np.int64], may: NDArray[np.bool_], fork: Fork
    ) -> NDArray[np.int64]:  # fmt: skip
        """The memories of a chain, up to where one may not answer, the first included, which the cue recalls.   may: [memory].

        Where engrams fired alike, as two successors can before basket cells, the same noise as that of the cells says which one is named.
        """
        ids, _ = self._named(cells, size, fork)
        return np.where(np.logical_and.accumulate(np.append(may, False)[ids], axis=1), ids, NONE)[:, 1:]

    def network(self) -> Network:
        return self.circuit.network()

    def networks(self) -> tuple[Network, ...]:
        return self.circuit.network(), self.circuit.network(slow=True)

    def simulate_recall(
        self, vectors: NDArray[np.float32], cue_words: CueWords, cycles: Cycles, target: Target, record: dict[str, ArrayLike] | None
    ) -> Recording:
        protocol = attempts_protocol(cycles.theta)
        return self.circuit.simulate(protocol, vectors, cue_words, simulator=target[0], device=target[1], record=record)

    def simulate_chain(self, vectors: NDArray[np.float32], cue_words: CueWords, hops: int, target: Target) -> Recording:
        return self.circuit.simulate(hops_protocol(hops), vectors, cue_words, simulator=target[0], device=target[1])

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        return self._read_chain(recording, self.circuit.living & self.circuit.keys.versions.holds())

    def _read_chain(self, recording: Recording, may: NDArray[np.bool_]) -> NDArray[np.int64]:
        fork = Fork(self.circuit.seed, names(ec.counted(self.circuit.spec.ec, recording)))
        return self._chained(*self.circuit.fired(recording), may, fork)

    def contents(self, memories: NDArray[np.int64]) -> NDArray[np.integer]:
        """What CA1 makes deep EC say of engrams that fire whole."""
        cells, ca1 = self.circuit.engrams(memories)[:, None], self.circuit.ca1
        return ca1.predicted(cells, np.full(cells.shape[:2], cells.shape[2], np.int64), np.zeros(2 * self.circuit.spec.ec.dim, bool))[:, 0]

    def density(self) -> tuple[float, float]:
        _, fast, slow = self.circuit.ca3.density()
        return fast, slow

    def ca3_bytes(self) -> int:
        return self.circuit.ca3.nbytes
