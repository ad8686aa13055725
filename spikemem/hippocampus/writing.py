"""What a hippocampus holds: storing, versions, associations, forgetting, sleep. Recalling is in `hippocampus.hippocampus`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import SpecError, UnknownMemoryError, VectorError, interruptible
from spikemem.hippocampus import storing
from spikemem.hippocampus.by_attempts import ByAttempts
from spikemem.hippocampus.by_index import ByIndex
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.engram_circuit import EngramCircuit
from spikemem.hippocampus.gating import Differ
from spikemem.hippocampus.holding import Holding, Target
from spikemem.hippocampus.inputs import check_cue, known
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_ctx import FARTHEST
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gates import GateCells
from spikemem.hippocampus.regions.index_cells import MOST_NUMBER
from spikemem.hippocampus.spec import ModelSpec
from spikemem.hippocampus.storing import NewMemories, Recoding, StorePlan
from spikemem.hippocampus.ways import Way
from spikemem.simulators.recording import Recording

check = Checks(VectorError)
Progress = Callable[[int, int], None]


class Writing:
    """What a hippocampus stores.   spec: the model.   device: of simulations.   seed: of the wiring and of the noise."""

    def __init__(self, spec: ModelSpec | None = None, device: str = "cpu", seed: int = 0) -> None:
        if spec is not None and not isinstance(spec, ModelSpec):
            raise SpecError(f"a hippocampus is made from a ModelSpec, not from {shown(spec)}; use load_model(name_or_path)")
        self.spec = spec or ModelSpec()
        check = Checks(SpecError)
        self.device, self.seed = check.text(device, "device"), check.seed(seed)
        self.gates = None if self.spec.gates is None else GateCells.of(self.spec)
        self._way: Way
        self.circuit = Circuit(self.spec, self.seed) if self.spec.engram is None else EngramCircuit(self.spec, self.seed)
        self.plans: list[StorePlan] = []
        """The plan of each event of the last `store`, in a model with gates: what they decided, and what changed."""
        self.learned: list[Recording] = []
        """The simulations of the last `store(record=True)` of an engram model: spikes, and the weights that they left."""

    @property
    def circuit(self) -> Holding:
        """What holds the memories: a `Circuit` with index cells, or an `EngramCircuit`."""
        return self._way.circuit

    @circuit.setter
    def circuit(self, circuit: Circuit | EngramCircuit) -> None:
        """Take another circuit, with regions or pathways of one's own."""
        self._way = ByAttempts(circuit) if isinstance(circuit, EngramCircuit) else ByIndex(circuit, self.gates)

    @property
    def index(self) -> Circuit:
        """The circuit of a model with index cells; SpecError for an engram model, which has none."""
        if not isinstance(circuit := self.circuit, Circuit):
            raise SpecError(f"model {self.spec.name!r} recalls by engrams and has no index cells; take another, such as hippocampus-base")
        return circuit

    @property
    def engram_circuit(self) -> EngramCircuit:
        """The circuit of a model that recalls by engrams; SpecError for one with index cells."""
        if not isinstance(circuit := self.circuit, EngramCircuit):
            raise SpecError(f"model {self.spec.name!r} recalls by index cells, not by engrams; take another, such as hippocampus-engram")
        return circuit

    def __len__(self) -> int:
        return int(self.circuit.living.sum())

    # -- storing -------------------------------------------------------------------------------------------------------------------

    @interruptible()
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
        simulator: str = "event",
    ) -> NDArray[np.int64]:
        """Store memories, one volley each; returns their ids, [n].

        In a model with gates each is judged as it comes (`plans`): the id is that of the memory which holds it now, and that may be
        an old one, which then gets the cues that it lacks, or a new one that supersedes an old one, whose cues it gets. What has a moment
        supersedes only what is known to have happened no later, and what has pieces refreshes nothing; else it is written.

        cue: what recalls a memory, [n, d].   target: what is recalled, [n, d]; the cue itself by default.
        variants: for each memory further cues [v, d], or None.
        words: for each memory the `Words` of each of its keys: content, cue where a target is given, variants; for models with `lex`.
        pieces: for each memory how many of its variants, the first so many, are pieces of its own text and not other cues.
        sessions: of each memory, [n], -1 for none: memories of one session, in the order of storing, are neighbours in time.
        when: moments of the memories, s since 1970, [n], NaN where unknown.
        record: simulate the gates and read what they decide from their spikes; `plans[i].verdict.recording` holds them. In an engram model:
            learn by plastic synapses in a simulation (`teaching`), whose spikes and weights are in `learned`.
        simulator: by name, where an engram model learns in one.
        """
        more = None if variants is None else check.listed(variants, "variants", "vectors, one item a memory")
        new, held = NewMemories.of(self.spec, cue, target, more, words, pieces, sessions, when), list[int]()
        record = check.flag(record, "record")
        self._may_record(record)
        self.plans, self.learned = [], []
        while len(held) < len(new):
            size = 1 if self.gates is not None else storing.room(len(self.circuit.contents))
            plan = self.plan(new.part(slice(len(held), len(held) + size)), record and self.gates is not None)
            learned = storing.apply(self.circuit, plan, self._teacher(record, simulator))
            self.learned += learned if record else []
            held += plan.memory.tolist()
            if self.gates is not None:
                self.plans.append(plan)
            if progress is not None:
                progress(len(held), len(new))
        return np.array(held, np.int64)

    @interruptible()
    def plan(
        self, new: NewMemories, record: bool = False, heard: NDArray[np.bool_] | None = None, differ: Differ | None = None
    ) -> StorePlan:
        """What storing memories would change; nothing changes yet. With gates, of one memory.

        record: as in `store`.   heard: the memories that may answer it, [memory]; those that hold, where None.
        differ: how its wording differs from that of a key, for gates; without it nothing is corrected or denied.
        """
        if self.gates is None:
            self._may_record(record)
            return storing.plan_new(self.circuit, new)
        target, silenced = ("event", self.device) if record else None, self._silenced(None, heard)
        return storing.plan_event(self.index, self.gates, new, target, time.time(), silenced, differ)

    def _teacher(self, record: bool = False, simulator: str = "event") -> Target | None:
        """Where plastic synapses learn; None where they are set at once."""
        plastic = self.spec.engram is not None and self.spec.engram.plastic
        return (simulator, self.device) if record or plastic else None

    def _may_record(self, record: bool) -> None:
        if record and self.gates is None and self.spec.engram is None:
            raise SpecError(f"model {self.spec.name!r} has no [gates] to record; hippocampus-gated has, or leave `record` out")
        if record and self.spec.engram is not None:
            try:
                self.spec.learns_in_simulation()
            except ValueError as error:
                raise SpecError(f"{error}; or leave `record` out") from error

    @interruptible()
    def apply(self, plan: StorePlan, numbers: ArrayLike | None = None, now: float | None = None) -> None:
        """Carry out a plan. The hippocampus must not have changed since the plan was made.

        numbers: of the new memories, rising, [n], which their engrams follow; those after the largest ever given by default.
        now: the time, s since 1970, at which those are encoded whose moment is not known; None: at no known time.
        """
        least, n = int(self.circuit.keys.numbers.max(initial=-1)) + 1, len(plan.sessions)
        own = None if numbers is None else check.indices(numbers, "numbers", MOST_NUMBER + 1, shape=(n,), least=least).astype(np.int64)
        if own is not None and (np.diff(own) <= 0).any():
            raise VectorError(f"numbers must rise, and be none's before: {shown(numbers)}")
        encoded = None if now is None else np.where(np.isnan(plan.when), now, plan.when)
        storing.apply(self.circuit, plan, self._teacher(), own, encoded)

    @interruptible()
    def plan_all(self, new: NewMemories) -> StorePlan:
        """What storing memories past the gates would change; nothing changes yet."""
        return storing.plan_new(self.circuit, new)

    @interruptible()
    def plan_version(self, new: NewMemories, old: int, until: float | None = None) -> StorePlan:
        """What storing one memory would change that supersedes an old one, whose cues and associations it gets; nothing changes yet.

        until: the moment from which the old one no longer holds, s since 1970; that of the new one by default, or now.
        """
        plan = storing.plan_version(self.circuit, new, int(self._known(old)[0]), time.time())
        return plan if until is None else replace(plan, until=until)

    def supersede(self, old: int, new: int, until: float | None = None) -> None:
        """Let a memory no longer hold, since another one does: it is kept, and recalled with `history` or `around` an earlier moment.

        until: the moment from which it no longer holds, s since 1970; now by default.
        """
        known = [self._known(i) for i in (old, new)]
        if any(len(ids) != 1 for ids in known):
            raise UnknownMemoryError(f"one memory supersedes one, not {shown(new)} {shown(old)}")
        before, after = (int(ids[0]) for ids in known)
        if before == after:
            raise UnknownMemoryError(f"memory {old} cannot supersede itself")
        since = time.time() if until is None else check.number(until, "until, s since 1970,", least=-FARTHEST, most=FARTHEST)
        self.circuit.supersede(before, after, since)

    def holds(self, around: float | None = None) -> NDArray[np.bool_]:
        """Which memories hold, forgotten ones apart, [memory].   around: at that moment, s since 1970; now, where None."""
        return self.circuit.living & self.circuit.keys.versions.holds(around)

    def heard(self, around: float | None = None, among: NDArray[np.bool_] | None = None, history: bool = False) -> NDArray[np.bool_]:
        """The memories that may answer a cue, [memory]: those that hold, at a moment where it is given, and are among some.

        around: s since 1970.   among: [memory].   history: also those that were superseded.
        """
        n = len(self.circuit.contents)
        if around is not None:
            around = check.number(around, "around, a moment in seconds since 1970,", least=-FARTHEST, most=FARTHEST)
        there = np.ones(n, bool) if history else self.circuit.keys.versions.holds(around)
        return there if among is None else there & check.array(among, "among, which memories may answer,", "b", shape=(n,))

    def _silenced(self, around: float | None, heard: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """The memories that may not answer, [memory]; None where all may."""
        there = self.heard(around) if heard is None else self.heard(None, heard, history=True)
        return None if there.all() else ~there

    @interruptible()
    def teach(self, memory: int, cue: ArrayLike, words: Sequence[Words] | None = None, apart: ArrayLike | None = None) -> tuple[int, ...]:
        """Teach a memory further cues; returns the positions of those that it lacked, and so learned.

        cue: [n, d].   words: of each.   apart: which are not its text in other words, [n]; all by default.
        """
        old = int(self._known(check.integer(memory, "memory", least=0, most=INDEX))[0])
        vectors = ec.unit(cue, self.spec.ec.dim)
        self._cue_words(words, None, len(vectors))
        kind = np.ones(len(vectors), bool) if apart is None else check.array(apart, "apart", "b", shape=(len(vectors),))
        plan = storing.plan_keys(self.circuit, old, vectors, words, kind)
        self.apply(plan)
        return tuple(plan.keys.place.tolist())

    @interruptible()
    def associate(self, a: ArrayLike, b: ArrayLike) -> None:
        """Bind memories a to their successors b, ids of one shape: from a, one hop leads to b."""
        pre, post = self._known(a), self._known(b)
        if len(pre) != len(post):
            raise UnknownMemoryError(f"associate needs as many successors as memories, not {len(post)} for {len(pre)}")
        self.circuit.associate(pre, post)

    @interruptible()
    def forget(self, ids: ArrayLike) -> None:
        """Silence memories for good: no cue and no hop leads to them.

        In a model with index cells their recurrent synapses go in the next sleep or adaptation, or when a saved memory is opened, which
        derives the synapses from what is alive; in an engram model at once, but for CA1's.
        """
        self.circuit.forget(self._known(ids))

    @interruptible()
    def silence(self, ids: ArrayLike) -> None:
        """Make engrams silent: DG, words, context and moments no longer reach them, while their cells still excite one another.

        No cue recalls them, `stimulate` does (Ryan et al. 2015; Roy et al. 2016), until they are presented again: `reinstate`, or `teach`.
        A snapshot holds it, the file of a `Memory` does not. SpecError for a model with index cells.
        """
        self.engram_circuit.express(self._known(ids), False)

    @interruptible()
    def reinstate(self, ids: ArrayLike) -> None:
        """Present silent memories again with all that they were stored with, so that cues reach them as before."""
        self.engram_circuit.express(self._known(ids), True)

    @interruptible()
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
        return storing.recoded(circuit, circuit.keys.counts[living], circuit.keys.counts) if len(living) else None

    def _known(self, ids: ArrayLike) -> NDArray[np.int64]:
        return known(ids, self.circuit.living)

    def _cue_words(
        self, words: Sequence[Words] | None, around: float | None, n: int, silenced: NDArray[np.bool_] | None = None
    ) -> CueWords:
        return check_cue(words, around, n, self.spec.lex, silenced)
