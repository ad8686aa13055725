"""The spiking memory: it stores and recalls vectors, and, in models with word cells, words and moments, in one hippocampal circuit.

In a recall the cue is held. Two gamma cycles encode and complete it, and in the second CA1's index cells fire in the order of their match;
five more, as many as a theta cycle has, are sampled for attention. Where an answer can spread, it does so in a theta cycle before.
`record=True` simulates the network step by step and reads the answer from its spikes; without it the same winners are computed directly
(`kernels.circuit`, `kernels.index_cells`), and tests compare the two.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import NetworkError, SpecError, VectorError, interruptible
from spikemem.hippocampus.by_attempts import ByAttempts
from spikemem.hippocampus.damage import Bits, Cut, Damage, Drop, Jitter, Leak, Lesion, Noise, Part
from spikemem.hippocampus.keeping import arrays_of, restore
from spikemem.hippocampus.membership import REGIONS, Engram, engrams_of, memories_of, sizes
from spikemem.hippocampus.recall import Completion, Recall
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ec_ctx import FARTHEST
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.excitability import excitable
from spikemem.hippocampus.regions.pathway_cells import PATHWAYS as PATHWAYS
from spikemem.hippocampus.regions.rhythm import CHAIN_SETTLE, GAMMA, RECALL_SETTLE, THETA
from spikemem.hippocampus.spec import MOST_RECALLED, ModelSpec
from spikemem.hippocampus.ways import Cycles
from spikemem.hippocampus.writing import Writing
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.snapshot import Arrays, contents, load_arrays, save_arrays

ATTENTION_CYCLES = THETA // GAMMA
"""Gamma cycles of attention by default: one theta cycle."""
FORMAT = "spikemem-hippocampus-1"
MOST_CYCLES = 10_000
"""Gamma cycles, theta cycles and hops of one call."""
MOST_BITS = 32
"""Bits of a weight."""
check = Checks(VectorError)
check_network = Checks(NetworkError)


class Hippocampus(Writing):
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

    # -- recalling -----------------------------------------------------------------------------------------------------------------

    @interruptible()
    def recall(
        self,
        cue: ArrayLike,
        top_k: int = 1,
        *,
        words: Sequence[Words] | None = None,
        around: float | None = None,
        heard: NDArray[np.bool_] | None = None,
        cycles: int = 2,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        record: bool = False,
        simulator: str = "event",
    ) -> Recall:
        """The memories that cues bring back.

        In an engram model they come one an attempt, in the order of time, and `cycles`, `settle` and `attention_cycles` have no meaning.
        In a model with gates `Recall.read` holds the share of the read gate's cells that fired; memories are given whatever it is.
        Under damage the answer is simulated (by events) even without `record`, but for lost cells of EC, DG, CA3 and CA1 and a cut
        `ca3->ca3` in an engram model, which are computed directly. Gates are not damaged, nor are scores of a model with index cells.

        cue: [n, d] or [d].   top_k: how many memories a cue.   words: the words of each cue, one `Words` a cue.
        around: a moment, s since 1970; memories of that time come more easily, and of the versions of one that which held then.
        heard: the memories that may answer, [memory], as `heard` gives them; by default those that hold.
        cycles: theta cycles; what one recalls primes, for the next, the memories whose cues its words name, its successors, and itself,
            which keeps the lead. Where there are neither cues nor associations, or no `lex`, only one is run.
        settle: gamma cycles of completion after the first.
        attention_cycles: gamma cycles in which the subiculum samples; more make the shares and the read-out finer.
        record: simulate the network, and gates where there are some, and read the answer from the spikes; `.recording` and `.gates` hold
            them.
        simulator: by name, where they are recorded.
        """
        vectors, record = ec.unit(cue, self.spec.ec.dim), check.flag(record, "record")
        top_k = check.integer(top_k, "top_k", least=1, most=MOST_RECALLED)
        check.room(len(vectors) * top_k * len(PATHWAYS), f"the answers to {len(vectors):,} cues", "give fewer cues, or a smaller top_k")
        cycles, settle, attention_cycles = _cycles(cycles, settle, attention_cycles)
        cue_words = self._cue_words(words, around, len(vectors), self._silenced(around, heard))
        volley, target = self.circuit.volley(vectors, cue_words), (simulator, self.device) if record else None
        return self._way.recall(volley, vectors, top_k, Cycles(cycles, settle, attention_cycles), target)

    @interruptible()
    def reads(self, cue: ArrayLike, words: Sequence[Words] | None = None, heard: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Whether the read gate lets out what cues [n, d] recall, [n]; always, in a model without gates.   heard: as in `recall`."""
        vectors = ec.unit(cue, self.spec.ec.dim)
        cue_words = self._cue_words(words, None, len(vectors), self._silenced(None, heard))
        return self._way.reads(self.circuit.volley(vectors, cue_words), vectors)

    @interruptible()
    def complete(self, codes: ArrayLike, settle: int = CHAIN_SETTLE) -> Completion:
        """Let CA3 complete codes that are partly wrong, with the granule cells held to them.

        codes: granule cells in firing order, [n, winners], as from `engrams`.   settle: gamma cycles of completion.
        NetworkError where something is damaged: cells that are held know nothing of it.
        """
        if self.damage:
            raise NetworkError("complete knows no damage; restore() first, or recall with the damage")
        return self._way.complete(codes, check.integer(settle, "settle", least=0, most=MOST_CYCLES))

    @interruptible()
    def stimulate(self, cells: ArrayLike) -> Completion:
        """What fires where cells of CA3 are driven directly, as by light, without a cue: in an engram model, one attempt.

        Recurrent synapses complete the engram of which the cells are a part, a silent one, too. Lost cells and a cut `ca3->ca3` count.
        cells: of CA3, [n, k].   SpecError in a model with index cells, NetworkError where what is damaged has to be simulated.

        >>> import numpy as np
        >>> from spikemem import Hippocampus, load_model
        >>> memory, vectors = Hippocampus(load_model("hippocampus-engram-small")), np.random.default_rng(0).normal(size=(3, 384))
        >>> ids = memory.store(vectors)
        >>> memory.silence(ids[1])
        >>> memory.stimulate(memory.engrams(ids)[:, ::2]).ids.tolist()
        [0, 1, 2]
        """
        circuit = self.engram_circuit
        given = check.indices(cells, "cells", self.spec.dg.cells, shape=(None, None)).astype(np.int64)
        return ByAttempts(circuit).stimulate(given)

    @interruptible()
    def recall_chain(
        self, cue: ArrayLike, hops: int = 1, *, words: Sequence[Words] | None = None, heard: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """The memories that follow the one that a cue recalls, ids [n, hops]; -1 from where the chain ends.   heard: as in `recall`.

        Of two or three successors the one stored first is taken; four or more keep one another from firing. Where a memory has no
        successor and the cue's words are given, the chain goes on, from there to its end, by spreading: to the best match of the cue, not
        yet visited, among the memories that the words of those visited prime; it ends where they prime none.
        Damage is simulated or computed as in `recall`; a chain that is simulated does not spread. In an engram model none does, and noise
        decides between any number of successors, by the seed and the cue.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        hops = check.integer(hops, "hops", least=1, most=MOST_CYCLES)
        cue_words = self._cue_words(words, None, len(vectors), self._silenced(None, heard))
        volley = self.circuit.volley(vectors, cue_words)
        return self._way.chain(volley, vectors, hops, spreads=words is not None)

    # -- simulating ----------------------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The circuit as it stands, with its gates and its damage, as a `Network` for any simulator.

        Lost cells are inhibited by the stimulus of a recall or a chain (`simulate_recall`); here only fewer win where some are lost.
        """
        return self.damage.applied(self._way.network(), {})[0]

    def simulate_recall(
        self,
        cue: ArrayLike,
        *,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        words: Sequence[Words] | None = None,
        around: float | None = None,
        heard: NDArray[np.bool_] | None = None,
        cycles: int = 2,
        simulator: str = "event",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """The spikes of a recall, step by step, in any simulator.   record: voltages, as in `simulate`; the rest as in `recall`."""
        taken, vectors = Cycles(*_cycles(cycles, settle, attention_cycles)), ec.unit(cue, self.spec.ec.dim)
        cue_words = self._cue_words(words, around, len(vectors), self._silenced(around, heard))
        return self._way.simulate_recall(vectors, cue_words, taken, (simulator, self.device), record)

    def simulate_chain(self, cue: ArrayLike, hops: int, simulator: str = "event", words: Sequence[Words] | None = None) -> Recording:
        """The spikes of a chain of associations, step by step, in any simulator; `read_chain` reads the answer from them.

        Where the chain has ended nothing is replayed, and the granule cells that fire all the same in those cycles mean nothing.
        """
        vectors, hops = ec.unit(cue, self.spec.ec.dim), check.integer(hops, "hops", least=1, most=MOST_CYCLES)
        cue_words = self._cue_words(words, None, len(vectors), self._silenced(None, None))
        return self._way.simulate_chain(vectors, cue_words, hops, (simulator, self.device))

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """The answer of a simulated chain, ids [n, hops]."""
        return self._way.read_chain(recording)

    # -- damaging ------------------------------------------------------------------------------------------------------------------

    @property
    def damage(self) -> Damage:
        """What is done to the circuit where it recalls; storing, sleep, gates and `contents` do without, and no file holds it."""
        return self.circuit.damage

    def restore(self) -> None:
        """Undo all damage."""
        self.circuit.damage = Damage()

    def lesion(self, region: str, share: float, seed: int = 0) -> None:
        """Let a share of a population's cells be lost, chosen by the seed: they never fire, and as many fewer of the others win.

        region: a population of `network`; index cells of `ca1` are lost with their dendrites.   share: 0 to 1.
        """
        self._damage(Lesion(self._population(region), check_network.number(share, "share", least=0, most=1), check_network.seed(seed)))

    def cut(self, projection: str) -> None:
        """Take all synapses of a projection of `network`, such as "ca3->ca3", away; in a chain of engrams also "ca3_slow->ca3"."""
        self._damage(Cut(self._projection(projection)))

    def noise(self, region: str, scale: float, seed: int = 0) -> None:
        """Make the membranes of a population noisy (`network.Logistic`); the last noise of a population counts.   scale: > 0."""
        self._damage(Noise(self._population(region), check_network.finite(scale, "scale", above=0), check_network.seed(seed)))

    def jitter(self, projection: str, scale: float, seed: int = 0) -> None:
        """Multiply each weight of a projection by 1 + scale z, z normal.   scale: >= 0."""
        self._damage(Jitter(self._projection(projection), check_network.finite(scale, "scale", least=0), check_network.seed(seed)))

    def bits(self, projection: str, n: int) -> None:
        """Round the weights of a projection to n bits, from 2: to 2^n - 1 values around 0, of which the last is the largest weight."""
        self._damage(Bits(self._projection(projection), check_network.integer(n, "n", least=2, most=MOST_BITS)))

    def drop(self, region: str, share: float, seed: int = 0) -> None:
        """Let a share of a population's spikes get lost on their way. NetworkError where its spikes come back to it, as in CA3.

        The population is simulated, and then clamped to the spikes that are left.
        """
        name = self._population(region)
        if any(p.pre == p.post == name for net in self._way.networks() for p in net.projections):
            raise NetworkError(f"spikes of {name!r} come back to it, and so cannot be dropped; lesion it, or cut a projection")
        self._damage(Drop(name, check_network.number(share, "share", least=0, most=1), check_network.seed(seed)))

    def leak(self, region: str, tau: float) -> None:
        """Give the cells of a population a membrane time constant; the last one counts.   tau: ms, > 0."""
        self._damage(Leak(self._population(region), check_network.number(tau, "tau", above=0, unit=" ms")))

    def _damage(self, part: Part) -> None:
        self.circuit.damage = Damage((*self.damage.parts, part))

    def _population(self, name: str) -> str:
        return check_network.choice(name, "region", dict.fromkeys(p for net in self._way.networks() for p in net.populations))

    def _projection(self, name: str) -> str:
        return check_network.choice(name, "projection", dict.fromkeys(p.name for net in self._way.networks() for p in net.projections))

    # -- looking inside ------------------------------------------------------------------------------------------------------------

    def contents(self, ids: ArrayLike) -> NDArray[np.float64]:
        """What memories hold, decoded from their spike counts, unit length, [n, d]."""
        decoded = ec.decode(self.spec.ec, self._way.contents(self._known(ids)))
        return decoded / np.maximum(np.linalg.norm(decoded, axis=1, keepdims=True), np.finfo(float).tiny)

    def engrams(self, ids: ArrayLike) -> NDArray[np.uint16]:
        """The CA3 cells of memories, in firing order, [n, winners], of which the first `ca3.core` are the core; of engrams these alone."""
        return self.circuit.engrams(self._known(ids))

    def engram(self, memory: int) -> Engram:
        """The cells of a memory by region, `ec`, `dg`, `ca3` and `ca1`, in the order of their index.

        In EC an ON cell for each dimension comes first, then the OFF cells. CA1's are the memory's index cells, or, in an engram model,
        those that its engram makes fire, which other memories share.
        """
        return engrams_of(self.circuit, self._known(check.integer(memory, "memory")))[0]

    def memories_of(self, region: str, cell: int) -> NDArray[np.int64]:
        """The ids of the memories whose engrams hold a cell, in the order of storing.   region: ec, dg, ca3 or ca1."""
        region = check.choice(region, "region", REGIONS)
        cells = sizes(self.circuit)[region]
        return memories_of(self.circuit, region, check.integer(cell, "cell", least=0, most=cells - 1, mend=f"{region} has {cells:,} cells"))

    def excitable(self, when: float) -> NDArray[np.int64]:
        """The cells of CA3 to which a memory of a moment is allocated, in the order of their index (`regions.excitability`).

        when: s since 1970.   SpecError in a model whose engrams do not follow excitability.
        """
        engram = self.spec.engram
        if engram is None or engram.excitable == 1:
            raise SpecError(
                f"engrams of model {self.spec.name!r} follow no excitability; take hippocampus-engram-linked, or engram.excitable < 1"
            )
        moment = check.number(when, "when, a moment in seconds since 1970,", least=-FARTHEST, most=FARTHEST)
        return excitable(moment, self.spec.dg.cells, engram.excitable, engram.lasting, self.seed)

    def density(self) -> tuple[float, float]:
        """How full CA3 is: the share of potentiated synapses, fast and slow."""
        return self._way.density()

    def ca3_bytes(self) -> int:
        """Memory that the recurrent weights take, bytes."""
        return self._way.ca3_bytes()

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
        with contents(path, "hippocampus"):
            return cls.of(ModelSpec.model_validate(head["spec"]), arrays, device, int(str(head["seed"])))

    @classmethod
    @interruptible()
    def of(cls, spec: ModelSpec, arrays: Arrays, device: str = "cpu", seed: int = 0) -> "Hippocampus":
        """A hippocampus from its `arrays()`; the recurrent synapses are derived anew. SnapshotError where they do not fit the model."""
        made = cls(spec, device, seed)
        restore(made.circuit, arrays)
        return made


def _cycles(cycles: int, settle: int, attention_cycles: int) -> tuple[int, int, int]:
    """The cycles of a recall, checked."""
    return (
        check.integer(cycles, "cycles", least=1, most=MOST_CYCLES),
        check.integer(settle, "settle", least=0, most=MOST_CYCLES),
        check.integer(attention_cycles, "attention_cycles", least=1, most=MOST_CYCLES),
    )
