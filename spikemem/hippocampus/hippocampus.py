"""The spiking memory: it stores and recalls vectors, and, in models with word cells, words and moments, in one hippocampal circuit.

In a recall the cue is held. Two gamma cycles encode and complete it, and in the second CA1's index cells fire in the order of their match;
five more, as many as a theta cycle has, are sampled for attention. Where an answer can spread, it does so in a theta cycle before.
`record=True` simulates the network step by step and reads the answer from its spikes; without it the same winners are computed directly
(`kernels.circuit`, `kernels.index_cells`), and tests compare the two.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import SpecError, UnknownMemoryError
from spikemem.hippocampus import chain, storing
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.gating import Differ, judged, one_thread, read_share
from spikemem.hippocampus.inputs import at_least, check_cue, known
from spikemem.hippocampus.keeping import arrays_of, restore
from spikemem.hippocampus.recall import Completion, Recall, answer, simulate
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gates import MAJORITY, GateCells
from spikemem.hippocampus.regions.pathway_cells import PATHWAYS as PATHWAYS
from spikemem.hippocampus.regions.rhythm import CHAIN_SETTLE, GAMMA, RECALL_SETTLE, THETA, RecallSchedule, chain_protocol
from spikemem.hippocampus.spec import ModelSpec
from spikemem.hippocampus.storing import NewMemories, Recoding, StorePlan
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.snapshot import Arrays, load_arrays, save_arrays

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
        self.plans: list[StorePlan] = []
        """The plan of each event of the last `store`, in a model with gates: what they decided, and what changed."""

    def __len__(self) -> int:
        return int(self.circuit.living.sum())

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

        In a model with gates each is judged as it comes (`plans`): the id is that of the memory which holds it now, and that may be
        an old one, which then gets the cues that it lacks, or a new one that replaces one that is forgotten, whose cues it gets; where
        a later one of the same call has overwritten it, the id is that of the later one. What has a moment overwrites only what is known
        to have happened no later, and what has pieces refreshes nothing; else it is written.

        cue: what recalls a memory, [n, d].   target: what is recalled, [n, d]; the cue itself by default.
        variants: for each memory further cues [v, d], or None.
        words: for each memory the `Words` of each of its keys: content, cue where a target is given, variants; for models with `lex`.
        pieces: for each memory how many of its variants, the first so many, are pieces of its own text and not other cues.
        sessions: of each memory, [n], -1 for none: memories of one session, in the order of storing, are neighbours in time.
        when: moments of the memories, s since 1970, [n], NaN where unknown.
        record: simulate the gates and read what they decide from their spikes; `plans[i].verdict.recording` holds them.
        """
        new, held = NewMemories.of(self.spec, cue, target, variants, words, pieces, sessions, when), list[int]()
        self._may_record(record)
        self.plans, overwritten = [], dict[int, int]()
        while len(held) < len(new):
            size = 1 if self.gates is not None else storing.room(len(self.circuit.contents))
            plan = self.plan(new.part(slice(len(held), len(held) + size)), record)
            self.apply(plan)
            held += plan.memory.tolist()
            if self.gates is not None:
                self.plans.append(plan)
                overwritten |= {plan.forgotten: held[-1]} if plan.forgotten != NONE else {}
            if progress is not None:
                progress(len(held), len(new))
        return np.array(storing.holders(held, overwritten), np.int64)

    def plan(self, new: NewMemories, record: bool = False, differ: Differ | None = None) -> StorePlan:
        """What storing memories would change; nothing changes yet. With gates, of one memory.

        record: as in `store`.   differ: how its wording differs from that of a key, for gates; without it nothing is corrected or denied.
        """
        if self.gates is None:
            self._may_record(record)
            return storing.plan_new(self.circuit, new)
        with one_thread():
            target = ("event", self.device) if record else None
            return storing.plan_event(self.circuit, self.gates, new, target, differ)

    def _may_record(self, record: bool) -> None:
        if record and self.gates is None:
            raise SpecError(f"model {self.spec.name!r} has no [gates] to record; hippocampus-gated has, or leave `record` out")

    def apply(self, plan: StorePlan) -> None:
        """Carry out a plan. The hippocampus must not have changed since the plan was made."""
        storing.apply(self.circuit, plan)

    def teach(self, memory: int, cue: ArrayLike, words: Sequence[Words] | None = None, apart: ArrayLike | None = None) -> tuple[int, ...]:
        """Teach a memory further cues; returns the positions of those that it lacked, and so learned.

        cue: [n, d].   words: of each.   apart: which are not its text in other words, [n]; all by default.
        """
        old, vectors = int(self._known(memory)[0]), ec.unit(cue, self.spec.ec.dim)
        self._cue_words(words, None, len(vectors))
        kind = np.ones(len(vectors), bool) if apart is None else np.asarray(apart, bool)
        plan = storing.plan_keys(self.circuit, old, vectors, words, kind)
        self.apply(plan)
        return tuple(plan.keys.place.tolist())

    def associate(self, a: ArrayLike, b: ArrayLike) -> None:
        """Bind memories a to their successors b, ids of one shape: from a, one hop leads to b."""
        pre, post = self._known(a), self._known(b)
        if len(pre) != len(post):
            raise UnknownMemoryError(f"associate needs as many successors as memories, not {len(post)} for {len(pre)}")
        self.circuit.associate(pre, post)

    def forget(self, ids: ArrayLike) -> None:
        """Silence memories for good: no cue and no hop leads to them.

        Their recurrent synapses go in the next sleep or adaptation, or when a saved memory is opened, which derives the synapses from
        what is alive.
        """
        self.circuit.forget(self._known(ids))

    def consolidate(self) -> None:
        """Sleep: DG learns mean and variance of what is alive, all memories are coded anew, and CA3's synapses derived from them."""
        if (recoding := self.plan_sleep()) is None:
            self.circuit.rebind()
        else:
            storing.recode(self.circuit, recoding)

    def plan_sleep(self) -> Recoding | None:
        """DG's adaptation after a sleep, and the codes of all keys under it; None where nothing is alive."""
        circuit = self.circuit
        living = circuit.contents[circuit.living]
        return storing.recoded(circuit, circuit.ca1.counts[living], circuit.ca1.counts) if len(living) else None

    def _known(self, ids: ArrayLike) -> NDArray[np.int64]:
        return known(ids, self.circuit.living)

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
        """The memories that cues bring back.

        In a model with gates `Recall.read` holds the share of the read gate's cells that fired; memories are given whatever it is.

        cue: [n, d] or [d].   top_k: how many memories a cue.   words: the words of each cue, one `Words` a cue.
        around: a moment, s since 1970; memories of that time come more easily.
        cycles: theta cycles; what one recalls primes, for the next, the memories whose cues its words name, its successors, and itself,
            which keeps the lead. Where there are neither cues nor associations, or no `lex`, only one is run.
        settle: gamma cycles of completion after the first.
        attention_cycles: gamma cycles in which the subiculum samples; more make the shares and the read-out finer.
        record: simulate the network, and gates where there are some, and read the answer from the spikes; `.recording` and `.gates` hold
            them.
        simulator: by name, where they are recorded.
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
        verdicts = judged(self.circuit, self.gates, volley, vectors, target)
        spikes = tuple(v.recording for v in verdicts if v is not None and v.recording is not None)
        return replace(found, read=np.array([read_share(v) for v in verdicts]), gates=spikes)

    def reads(self, cue: ArrayLike, words: Sequence[Words] | None = None) -> NDArray[np.bool_]:
        """Whether the read gate lets out what cues [n, d] recall, [n]; always, in a model without gates."""
        vectors = ec.unit(cue, self.spec.ec.dim)
        if self.gates is None:
            return np.ones(len(vectors), bool)
        volley = self.circuit.volley(vectors, self._cue_words(words, None, len(vectors)))
        return np.array([read_share(v) > MAJORITY for v in judged(self.circuit, self.gates, volley, vectors, None)], bool)

    def _cue_words(self, words: Sequence[Words] | None, around: float | None, n: int) -> CueWords:
        return check_cue(words, around, n, self.spec.lex)

    def _passes(self, cycles: int) -> int:
        """Theta cycles that make a difference: one, where an answer has nothing that it could prime."""
        spreads = self.spec.lex is not None and self.spec.ca1.spreading > 0 and len(self.circuit.ca1)
        return cycles if spreads and (self.circuit.pairs or len(self.circuit.ca1.synapses.apical_memory)) else 1

    def complete(self, codes: ArrayLike, settle: int = CHAIN_SETTLE) -> Completion:
        """Let CA3 complete codes that are partly wrong, with the granule cells held to them.

        codes: granule cells in firing order, [n, winners], as from `engrams`.   settle: gamma cycles of completion.
        """
        at_least(0, settle=settle)
        return chain.complete(self.circuit, codes, settle)

    def recall_chain(self, cue: ArrayLike, hops: int = 1, *, words: Sequence[Words] | None = None) -> NDArray[np.int64]:
        """The memories that follow the one that a cue recalls, ids [n, hops]; -1 from where the chain ends.

        Of two or three successors the one stored first is taken; four or more keep one another from firing. Where a memory has no
        successor and the cue's words are given, the chain goes on, from there to its end, by spreading: to the best match of the cue, not
        yet visited, among the memories that the words of those visited prime; it ends where they prime none.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        at_least(1, hops=hops)
        volley = self.circuit.volley(vectors, self._cue_words(words, None, len(vectors)))
        return chain.recall_chain(self.circuit, volley, hops, spreads=words is not None and self._passes(2) > 1)

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
        """The spikes of a chain of associations, step by step, in any simulator; `read_chain` reads the answer from them.

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
        decoded = ec.decode(self.spec.ec, self.circuit.ca1.counts[self.circuit.contents[self._known(ids)]])
        return decoded / np.linalg.norm(decoded, axis=1, keepdims=True)

    def engrams(self, ids: ArrayLike) -> NDArray[np.uint16]:
        """The CA3 cells of memories in firing order, [n, winners]; the first `ca3.core` are the core."""
        return self.circuit.engrams(self._known(ids))

    def density(self) -> tuple[float, float]:
        """How full CA3 is: the share of potentiated synapses, fast and slow."""
        return self.circuit.ca3.density()

    def ca3_bytes(self) -> int:
        """Memory that the recurrent weights take, bytes."""
        return self.circuit.ca3.nbytes

    # -- keeping -------------------------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays, from which all synapses can be derived: keys, codes, links, and DG's adaptation."""
        return arrays_of(self.circuit)

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
        restore(made.circuit, arrays)
        return made
