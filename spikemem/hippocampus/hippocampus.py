"""The spiking memory: EC, DG, CA3, CA1 and subiculum in one circuit, on vectors, and, in models with word cells, on words and moments.

In a recall the cue is held. Two gamma cycles encode and complete it, and in the second CA1's index cells fire in the order of their match;
five more, as many as a theta cycle has, are sampled for attention. Where an answer can spread, it does so in a theta cycle before.
`record=True` simulates the network step by step and reads the answer off its spikes; without it the same winners are computed by short
cuts (`kernels.circuit`, `kernels.index_cells`), and tests hold the two together.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import SpecError, UnknownMemoryError, VectorError
from spikemem.hippocampus.circuit import Circuit, Volley
from spikemem.hippocampus.gating import Action, Judged, Outcome, add_missing_keys, cues_of, holders, judge, one_thread
from spikemem.hippocampus.inputs import Inputs, at_least, check_cue, empty, known, no_words
from spikemem.hippocampus.recall import Completion, Recall, answer, go_on, simulate
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.ca3 import CA3
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gates import MAJORITY, GateCells
from spikemem.hippocampus.regions.pathway_cells import PATHWAYS as PATHWAYS
from spikemem.hippocampus.regions.rhythm import CHAIN_SETTLE, GAMMA, RECALL_SETTLE, THETA, RecallSchedule, chain_protocol
from spikemem.hippocampus.spec import ModelSpec
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.snapshot import Arrays, load_arrays, save_arrays

ADAPTATIONS = tuple(2**i for i in range(5, 13))
"""DG adapts when so many memories have been stored (32 to 4,096); after that only in sleep (`consolidate`)."""
BLOCK = 1024
"""Memories that are coded in one batch."""
ATTENTION_CYCLES = THETA // GAMMA
"""Gamma cycles of attention by default: one theta cycle."""
FORMAT = "spikemem-hippocampus-1"
Progress = Callable[[int, int], None]


class Hippocampus:
    """A one-shot associative memory of spiking populations.

    spec: the model.   device: "cpu", or a torch device for simulations (`record=True`).   seed: of the wiring and of the noise.

    >>> import numpy as np
    >>> from spikemem import Hippocampus, load_model
    >>> memory = Hippocampus(load_model("hippocampus-small"), seed=0)
    >>> vectors = np.random.default_rng(0).normal(size=(100, 384))
    >>> ids = memory.store(vectors)
    >>> memory.associate(ids[:3], ids[1:4])
    >>> memory.recall(vectors[7], top_k=1).ids.tolist()
    [[7]]
    >>> memory.recall_chain(vectors[0], hops=3).tolist()
    [[1, 2, 3]]
    """

    def __init__(self, spec: ModelSpec | None = None, device: str = "cpu", seed: int = 0) -> None:
        if spec is not None and not isinstance(spec, ModelSpec):
            raise SpecError(f"a hippocampus is made from a ModelSpec, not from {spec!r}; use load_model(name_or_path)")
        self.spec = spec or ModelSpec()
        if not 0 <= seed < 2**63:
            raise SpecError(f"seed is {seed}; it must lie between 0 and 2^63 - 1")
        self.device, self.seed = device, seed
        self.circuit = Circuit(self.spec, seed)
        self.gates = None if self.spec.gates is None else GateCells.of(self.spec)
        self.outcomes: list[Outcome] = []
        """What became of each event of the last `store`, in a model with gates."""
        self._content = np.zeros(0, np.int64)  # [memory]: the key that holds its content
        self._links: dict[tuple[int, int], None] = {}

    def __len__(self) -> int:
        return int(self.circuit.ca1.alive[self._content].sum())

    # -- storing -------------------------------------------------------------------------------------------------------------------

    def store(
        self,
        cue: ArrayLike,
        target: ArrayLike | None = None,
        variants: Sequence[ArrayLike | None] | None = None,
        progress: Progress | None = None,
        *,
        words: Sequence[Sequence[Words]] | None = None,
        pieces: Sequence[int] | None = None,
        sessions: ArrayLike | None = None,
        when: ArrayLike | None = None,
        record: bool = False,
    ) -> NDArray[np.int64]:
        """Store memories, one volley each; returns their ids, [n].

        In a model with gates each is judged as it comes (`outcomes`): the id is that of the memory which holds it now, and that may be
        an old one, which then gets the cues that it lacks, or a new one in the place of one that is forgotten, whose cues it gets; where
        a later one of the same call has overwritten it, the id is that one's. What has a moment overwrites only what is known to have
        happened no later, and what has pieces refreshes nothing; else it is written.

        cue: what recalls a memory, [n, d].   target: what is recalled, [n, d]; the cue itself by default.
        variants: for each memory further cues [v, d], or None.
        words: for each memory the `Words` of each of its keys: content, cue where a target is given, variants. Models with `lex` hear them.
        pieces: for each memory how many of its variants, the first so many, are pieces of its own text and not other cues.
        sessions: of each memory, [n], -1 for none: memories of one session, in the order of storing, are neighbours in time.
        when: moments of the memories, s since 1970, [n], NaN where unknown.
        record: simulate the gates and read what they decide off their spikes; each outcome's `.recording` holds them.
        """
        if record and self.gates is None:
            raise SpecError(f"model {self.spec.name!r} has no [gates] to record; hippocampus-gated has, or leave `record` out")
        cues = ec.unit(cue, self.spec.ec.dim)
        targets = cues if target is None else ec.unit(target, self.spec.ec.dim)
        extra = [None] * len(cues) if variants is None else list(variants)
        if len(targets) != len(cues) or len(extra) != len(cues):
            raise VectorError(f"{len(cues)} cues need as many targets and variants, not {len(targets)} and {len(extra)}")
        more = [None if v is None or empty(v) else ec.unit(v, self.spec.ec.dim) for v in extra]
        sizes = [0 if v is None else len(v) for v in more]
        beside = Inputs.of(len(cues), sizes, target is not None, words, pieces, sessions, when, self.spec.lex)
        if self.gates is not None:
            simulated, self.outcomes = ("event", self.device) if record else None, []
            for i in range(len(cues)):
                own = None if target is None else targets[[i]]
                with one_thread():
                    self.outcomes.append(self._gated(cues[[i]], own, more[i], beside.part(slice(i, i + 1)), simulated))
                if progress is not None:
                    progress(i + 1, len(cues))
            taken = {outcome.old: outcome.memory for outcome in self.outcomes if outcome.action is Action.OVERWRITE}
            return np.array(holders([outcome.memory for outcome in self.outcomes], taken), np.int64)
        return self._write(cues, None if target is None else targets, more, beside, progress)

    def _write(
        self,
        cues: NDArray[np.float32],
        targets: NDArray[np.float32] | None,
        more: list[NDArray[np.float32] | None],
        beside: Inputs,
        progress: Progress | None = None,
    ) -> NDArray[np.int64]:
        """New memories, whatever is stored."""
        ids = np.arange(len(self._content), len(self._content) + len(cues))
        done = 0
        while done < len(cues):
            due = next((n for n in ADAPTATIONS if n > len(self._content)), len(self._content) + BLOCK)
            block = min(due - len(self._content), BLOCK, len(cues) - done)
            part = slice(done, done + block)
            self._store_block(cues[part], None if targets is None else targets[part], more[part], beside.part(part))
            done += block
            if len(self._content) in ADAPTATIONS:
                self.consolidate()
            if progress is not None:
                progress(done, len(cues))
        return ids

    def _gated(
        self,
        cue: NDArray[np.float32],
        target: NDArray[np.float32] | None,
        more: NDArray[np.float32] | None,
        beside: Inputs,
        simulated: tuple[str, str] | None,
    ) -> Outcome:
        """One event at the gates, and what they decide."""
        assert self.gates is not None
        content = cue if target is None else target
        volley = self.circuit.volley(content, check_cue([beside.words[0][0]], None, 1, self.spec.lex))
        judged = judge(self.circuit, self.gates, volley, content, simulated)
        old = int(self.circuit.ca1.owners(np.array([judged.key]))[0])
        if old != NONE:
            judged = replace(judged, barred=self._barred(beside, old))
        if judged.action in (Action.REFRESH, Action.RENEW):
            keys = np.concatenate([x for x in (content, None if target is None else cue, more) if x is not None])
            wanted = [i for i, apart in enumerate(beside.cue[0]) if apart or judged.action is Action.REFRESH]
            heard, apart = [beside.words[0][i] for i in wanted], [beside.cue[0][i] for i in wanted]
            added = tuple(wanted[i] for i in self.teach(old, keys[wanted], heard, apart)) if wanted else ()
            if not np.isnan(beside.when[0]):
                self.circuit.ca1.renew(old, float(beside.when[0]))
            return judged.decided(old, old, added)
        if judged.action is Action.WRITE:
            new = int(self._write(cue, target, [more], beside)[0])
        else:
            links, (counts, cue_words) = [link for link in self._links if old in link], cues_of(self.circuit.ca1, old)
            self.forget([old])
            new = int(self._write(cue, target, [more], beside)[0])
            add_missing_keys(self.circuit, new, int(self._content[new]), counts, cue_words, np.ones(len(cue_words), bool))
            for a, b in links:
                self.associate([new if a == old else a], [new if b == old else b])
        return judged.decided(new, old, tuple(range(len(beside.words[0]))))

    def _barred(self, beside: Inputs, old: int) -> frozenset[Action]:
        """What an event may not do to a memory: overwrite it, where the event has a moment, and the memory none, or a later one; refresh
        it, where the event is of several pieces, of which its vector tells the first alone."""
        late = not np.isnan(beside.when[0]) and not beside.when[0] >= self.circuit.ca1.when[old]
        long = beside.cue[0].count(False) > 1
        return frozenset([Action.OVERWRITE] * late + [Action.REFRESH] * long)

    def teach(self, memory: int, cue: ArrayLike, words: Sequence[Words] | None = None, apart: ArrayLike | None = None) -> tuple[int, ...]:
        """Teach a memory those of further cues [n, d] that it lacks; returns which.   apart: which are not its text in other words."""
        old, vectors = int(self._known(memory)[0]), ec.unit(cue, self.spec.ec.dim)
        self._cue_words(words, None, len(vectors))
        kind = np.ones(len(vectors), bool) if apart is None else np.asarray(apart, bool)
        return add_missing_keys(self.circuit, old, int(self._content[old]), self.circuit.volley(vectors).counts, words, kind)

    def _store_block(
        self, cues: NDArray[np.float32], targets: NDArray[np.float32] | None, variants: list[NDArray[np.float32] | None], beside: Inputs
    ) -> None:
        first_memory, first_key = len(self._content), len(self.circuit.ca1)
        content = cues if targets is None else targets
        keys, owner = [content], [np.arange(len(cues))]
        if targets is not None:
            keys.append(cues)
            owner.append(np.arange(len(cues)))
        for i, vectors in enumerate(variants):
            if vectors is not None:
                keys.append(vectors)
                owner.append(np.full(len(vectors), i))
        volley = self.circuit.volley(np.concatenate(keys))
        whose = np.concatenate(owner)
        heard, cue = beside.of_keys(whose)
        self.circuit.ca1.remember(beside.sessions, beside.when)
        self.circuit.ca1.add(volley.counts, volley.codes, first_memory + whose, first_key + whose, heard, cue)
        self._content = np.concatenate([self._content, first_key + np.arange(len(cues))])
        self.circuit.ca3.bind(volley.codes[: len(cues)])

    def associate(self, a: ArrayLike, b: ArrayLike) -> None:
        """Bind memories a to their successors b, ids of one shape: from a, one hop leads to b."""
        pre, post = self._known(a), self._known(b)
        if len(pre) != len(post):
            raise UnknownMemoryError(f"associate needs as many successors as memories, not {len(post)} for {len(pre)}")
        self.circuit.ca3.chain(self._engram(pre), self._engram(post))
        self._links.update(dict.fromkeys(zip(pre.tolist(), post.tolist(), strict=True)))
        self._successors()

    def _successors(self) -> None:
        self.circuit.links = {}
        for a, b in self._links:
            self.circuit.links.setdefault(a, []).append(b)

    def forget(self, ids: ArrayLike) -> None:
        """Silence memories for good: no cue and no hop leads to them.

        Their recurrent synapses go in the next sleep or adaptation, or when a saved memory is opened, which derives the synapses from
        what is alive.
        """
        gone = self._known(ids)
        self.circuit.ca1.silence(np.flatnonzero(np.isin(self.circuit.ca1.memory, gone)))
        lost = set(gone.tolist())
        self._links = {link: None for link in self._links if not lost & set(link)}
        self._successors()

    def consolidate(self) -> None:
        """Sleep: let DG learn mean and variance of what is alive and code it anew, then W = 0 and every surviving pair once more."""
        living = self._content[self.circuit.ca1.alive[self._content]]
        if len(living):
            self.circuit.dg.learn(self.circuit.ca1.counts[living])
            self.circuit.ca1.recode(self.circuit.dg.codes(self.circuit.ca1.counts)[0])
        self._rebind()

    def _rebind(self) -> None:
        """Derive the recurrent synapses from codes and links."""
        self.circuit.ca3 = CA3(self.spec)
        living = self._content[self.circuit.ca1.alive[self._content]]
        self.circuit.ca3.bind(self.circuit.ca1.codes[living])
        if self._links:
            pairs = np.array(list(self._links))
            self.circuit.ca3.chain(self._engram(pairs[:, 0]), self._engram(pairs[:, 1]))

    def _engram(self, ids: NDArray[np.int64]) -> NDArray[np.uint16]:
        return self.circuit.ca1.codes[self._content[ids]]

    def _known(self, ids: ArrayLike) -> NDArray[np.int64]:
        return known(ids, self.circuit.ca1.alive[self._content])

    # -- recalling -----------------------------------------------------------------------------------------------------------------

    def recall(
        self,
        cue: ArrayLike,
        top_k: int = 1,
        *,
        words: Sequence[Words] | None = None,
        around: float | None = None,
        cycles: int = 2,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        record: bool = False,
        simulator: str = "event",
    ) -> Recall:
        """The memories that cues bring back; in a model with gates whatever the read gate says, of which `read` holds the share that fired.

        cue: [n, d] or [d].   top_k: how many memories a cue.   words: what each cue says, one `Words` a cue.
        around: a moment, s since 1970; memories of that time come more easily.
        cycles: theta cycles; what one recalls lights up, for the next, the memories that its words name by their cues, its successors, and
            itself, which keeps the lead. Where there are neither cues nor associations, or no `lex`, one is all that is run.
        settle: gamma cycles of completion after the first.
        attention_cycles: gamma cycles in which the subiculum samples; more make the shares and the read-out finer.
        record: simulate the network, and gates where there are some, and read the answer off the spikes; `.recording` and `.gates` hold
            them.
        simulator: which one, where they are recorded.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        at_least(1, top_k=top_k, attention_cycles=attention_cycles, cycles=cycles)
        at_least(0, settle=settle)
        volley = self.circuit.volley(vectors, self._cue_words(words, around, len(vectors)))
        schedule, target = RecallSchedule(settle, attention_cycles, self._passes(cycles)), (simulator, self.device) if record else None
        if target is None:
            found = answer(self.circuit, volley, top_k, schedule)
        else:
            found = simulate(self.circuit, volley, vectors, top_k, schedule, target)
        if self.gates is None:
            return found
        judged = self._judged(volley, vectors, target)
        spikes = tuple(j.recording for j in judged if j.recording is not None)
        return replace(found, read=np.array([j.read for j in judged]), gates=spikes)

    def _judged(self, volley: Volley, vectors: NDArray[np.float32], target: tuple[str, str] | None) -> list[Judged]:
        """What the gates make of cues, one by one."""
        assert self.gates is not None
        with one_thread():
            rows = (np.array([i]) for i in range(len(vectors)))
            return [judge(self.circuit, self.gates, volley.some(row), vectors[row], target) for row in rows]

    def reads(self, cue: ArrayLike, words: Sequence[Words] | None = None) -> NDArray[np.bool_]:
        """Whether the read gate lets out what cues [n, d] recall, [n]; always, in a model without gates."""
        vectors = ec.unit(cue, self.spec.ec.dim)
        if self.gates is None:
            return np.ones(len(vectors), bool)
        volley = self.circuit.volley(vectors, self._cue_words(words, None, len(vectors)))
        return np.array([judged.read > MAJORITY for judged in self._judged(volley, vectors, None)], bool)

    def _cue_words(self, words: Sequence[Words] | None, around: float | None, n: int) -> CueWords:
        return check_cue(words, around, n, self.spec.lex)

    def _passes(self, cycles: int) -> int:
        """Theta cycles that make a difference: one, where an answer has nothing that it could light up."""
        spreads = self.spec.lex is not None and self.spec.ca1.spreading > 0 and len(self.circuit.ca1)
        return cycles if spreads and (self._links or len(self.circuit.ca1.synapses.apical_memory)) else 1

    def complete(self, codes: ArrayLike, settle: int = CHAIN_SETTLE) -> Completion:
        """Let CA3 complete codes that are partly wrong, with the granule cells held to them.

        codes: granule cells in firing order, [n, winners], as from `engrams`.   settle: gamma cycles of completion.
        """
        given = np.asarray(codes)
        cells, winners = self.spec.dg.cells, self.spec.dg.winners
        if given.ndim != 2 or given.shape[1] != winners or given.dtype.kind not in "iu" or np.any((given < 0) | (given >= cells)):
            raise VectorError(f"codes are whole numbers below {cells} of shape [n, {winners}], not {given.dtype} {given.shape}")
        at_least(0, settle=settle)
        when = np.tile(np.arange(winners, dtype=np.uint8), (len(given), 1))  # one after the other, as they stand
        active, size, _ = self.circuit.ca3.complete(given.astype(np.uint16), when, settle)
        core = self.spec.ca3.core
        keys = np.array(
            [self.circuit.ca1.on_ca3_alone(a[: min(n, core)].astype(np.int64)) for a, n in zip(active, size, strict=True)], np.int64
        )
        return Completion(active, self.circuit.ca1.owners(keys))

    def recall_chain(self, cue: ArrayLike, hops: int = 1, *, words: Sequence[Words] | None = None) -> NDArray[np.int64]:
        """The memories that follow the one that a cue recalls, ids [n, hops]; -1 from where the chain ends.

        Of two or three successors the one stored first is taken; four or more keep one another from firing. Where a memory has no
        successor and the cue's words are given, the chain goes on, from there to its end, by spreading: to the best match of the cue, not
        yet visited, among the memories that the words of those visited light up; it ends where they light up none.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        at_least(1, hops=hops)
        volley = self.circuit.volley(vectors, self._cue_words(words, None, len(vectors)))
        active, size, _ = self.circuit.ca3.complete(volley.codes, volley.when, CHAIN_SETTLE)
        first = self.circuit.ca1.rank(volley.counts, active, size, self.spec.ca1.candidates, volley.cue_words).order[:, 0]
        ids = np.full((len(vectors), hops), NONE, np.int64)
        for i in np.flatnonzero(first != NONE):
            keys = self.circuit.follow(volley.codes[i], active[i, : size[i]], int(first[i]), hops)
            ids[i] = self.circuit.ca1.owners(keys)
            if words is not None and self._passes(2) > 1:
                start = int(self.circuit.ca1.memory[first[i]])
                ids[i] = go_on(self.circuit, volley.some(np.array([i])), (active[[i]], size[[i]]), [start, *ids[i].tolist()])[1:]
        return ids

    # -- simulating ----------------------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The circuit as it stands, with its gates, as a `Network` for any simulator."""
        net = self.circuit.network()
        if self.gates is not None:
            self.gates.build(net, self.circuit.ca1, self.seed)
        return net

    def simulate_recall(
        self,
        cue: ArrayLike,
        *,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        words: Sequence[Words] | None = None,
        around: float | None = None,
        cycles: int = 2,
        simulator: str = "event",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """The spikes of a recall, step by step, in any simulator.   record: voltages, as in `simulate`."""
        vectors, passes = ec.unit(cue, self.spec.ec.dim), self._passes(cycles)
        protocol, cue_words = RecallSchedule(settle, attention_cycles, passes).protocol, self._cue_words(words, around, len(vectors))
        return self.circuit.simulate(protocol, vectors, cue_words, passes=passes, simulator=simulator, device=self.device, record=record)

    def simulate_chain(self, cue: ArrayLike, hops: int, simulator: str = "event", words: Sequence[Words] | None = None) -> Recording:
        """The spikes of a chain of associations, step by step, in any simulator; `read_chain` reads the answer off them.

        Where the chain has ended nothing is replayed, and the granule cells that fire all the same in those cycles mean nothing.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        cue_words = self._cue_words(words, None, len(vectors))
        return self.circuit.simulate(chain_protocol(hops), vectors, cue_words, simulator=simulator, device=self.device)

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """The answer of a simulated chain, ids [n, hops]."""
        return self.circuit.ca1.owners(self.circuit.read_chain(recording))

    # -- looking inside ------------------------------------------------------------------------------------------------------------

    def contents(self, ids: ArrayLike) -> NDArray[np.float64]:
        """What memories hold, decoded from their spike counts, unit length, [n, d]."""
        decoded = ec.decode(self.spec.ec, self.circuit.ca1.counts[self._content[self._known(ids)]])
        return decoded / np.linalg.norm(decoded, axis=1, keepdims=True)

    def engrams(self, ids: ArrayLike) -> NDArray[np.uint16]:
        """The CA3 cells of memories in firing order, [n, winners]; the first `ca3.core` are the core."""
        return self._engram(self._known(ids))

    @property
    def adaptation(self) -> Adaptation:
        """What DG has learned of its input; a new object after each adaptation."""
        return self.circuit.dg.adaptation

    def density(self) -> tuple[float, float]:
        """How full CA3 is: the share of potentiated synapses, fast and slow."""
        return self.circuit.ca3.density()

    def ca3_bytes(self) -> int:
        """Memory that the recurrent weights take, bytes."""
        return self.circuit.ca3.nbytes

    # -- keeping -------------------------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What all synapses can be derived from: keys, codes, links, and DG's adaptation."""
        a, keys, lexicon = self.adaptation, self.circuit.ca1, self.circuit.ca1.lexicon
        return {
            "counts": keys.counts, "codes": keys.codes, "memory": keys.memory, "content": keys.content, "alive": keys.alive,
            "links": np.array(list(self._links), np.int64).reshape(-1, 2),
            "mean": a.mean, "covariance": a.covariance, "seen": np.array([a.seen]),
            "words_ptr": lexicon.ptr, "words_cell": lexicon.cell, "words_spikes": lexicon.spikes, "words_whole": lexicon.whole,
            "cue": lexicon.cue, "session": keys.session, "when": keys.when,
        }  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write a snapshot: a safetensors file with a checksum."""
        head = {"format": FORMAT, "spec": self.spec.model_dump(), "seed": self.seed}
        return save_arrays(path, self.arrays(), head)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> "Hippocampus":
        """Read a snapshot; SnapshotError where it is damaged or something else."""
        arrays, head = load_arrays(path, FORMAT)
        return cls.of(ModelSpec.model_validate(head["spec"]), arrays, device, int(str(head["seed"])))

    @classmethod
    def of(cls, spec: ModelSpec, arrays: Arrays, device: str = "cpu", seed: int = 0) -> "Hippocampus":
        """A hippocampus from its `arrays()`; the recurrent synapses are derived anew."""
        made = cls(spec, device, seed)
        whole: dict[str, NDArray[Any]] = dict(arrays)
        made.circuit.dg.adapt(Adaptation(whole["mean"], whole["covariance"], int(whole["seen"][0])))
        keys, memories = len(whole["counts"]), len(np.unique(whole["content"]))
        whole = {**no_words(keys, memories), **whole}
        heard = [
            Words(whole["words_cell"][a:b], whole["words_spikes"][a:b], whole["words_whole"][a:b])
            for a, b in pairwise(whole["words_ptr"].tolist())
        ]
        made.circuit.ca1.remember(whole["session"], whole["when"])
        made.circuit.ca1.add(whole["counts"], whole["codes"], whole["memory"], whole["content"], heard, whole["cue"])
        made.circuit.ca1.silence(np.flatnonzero(~whole["alive"]))
        made._content = np.unique(made.circuit.ca1.content)
        made._links = {(int(a), int(b)): None for a, b in whole["links"]}
        made._successors()
        made._rebind()
        return made
