"""The spiking memory on vectors: EC, DG, CA3, CA1 and subiculum in one circuit.

A recall is three gamma cycles of the held cue (encode, and complete twice), after which CA1's index cells fire in the order of their
match, and then a theta cycle of attention. `record=True` simulates the network step by step and reads the answer off its spikes; without
it the same winners are computed by short cuts (`kernels.circuit`), and tests hold the two together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError, UnknownMemoryError, VectorError
from spikemem.network import Network
from spikemem.recording import Recording
from spikemem.regions import ca1, ca3, dg, ec
from spikemem.regions.ca1 import CA1, NONE, Ranking
from spikemem.regions.ca3 import CA3
from spikemem.regions.dg import DG, Adaptation
from spikemem.regions.rhythm import DT, GAMMA, RECALL_SETTLE, THETA, Gamma, chain_protocol, recall_protocol
from spikemem.simulate import simulate
from spikemem.snapshot import Arrays, load_arrays, save_arrays
from spikemem.spec import ModelSpec

FIRST_ADAPTATION, LAST_ADAPTATION = 32, 4096
"""DG adapts when the number of memories reaches these and each power of two between; after that in sleep (`consolidate`)."""
ATTENTION_CYCLES = THETA // GAMMA
"""Gamma cycles of attention by default: one theta cycle."""
FORMAT = "spikemem-hippocampus-1"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Recall:
    """What a batch of cues recalled.

    ids: memories, best first, int64, [n, top_k]; -1 where there is no further one.
    scores: the cell's drive as a share of what the cue's own copy would give (about the cosine), [n, top_k]; NaN where no id.
    vectors: the read-out, unit length, [n, d]: what the subiculum's spikes make deep EC fire.
    novelty: 1 - cosine of the best index cell's synapses and the cue's volley, [n]; 1 where nothing answered.
    competitors, attention: the memories whose index cells competed and their shares of the gamma cycles, [n, c].
    events: synapses that carried a spike up to the ranking, [n].
    recording: the spikes, where asked for.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    vectors: NDArray[np.float64]
    novelty: NDArray[np.float64]
    competitors: NDArray[np.int64]
    attention: NDArray[np.float64]
    events: NDArray[np.int64]
    recording: Recording | None = None


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
        self.spec = spec or ModelSpec()
        self.device, self.seed = device, seed
        self._dg = DG(self.spec, seed)
        self._ca3 = CA3(self.spec)
        self._ca1 = CA1(self.spec)
        self._content = np.zeros(0, np.int64)  # [memory]: the key that holds its content
        self._links: dict[tuple[int, int], None] = {}

    def __len__(self) -> int:
        return int(self._ca1.alive[self._content].sum())

    # -- storing -------------------------------------------------------------------------------------------------------------------

    def store(
        self,
        cue: ArrayLike,
        target: ArrayLike | None = None,
        variants: Sequence[ArrayLike | None] | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.int64]:
        """Store memories, one volley each; returns their ids, [n].

        cue: what recalls a memory, [n, d].   target: what is recalled, [n, d]; the cue itself by default.
        variants: for each memory further cues [v, d], or None.
        """
        cues = ec.unit(cue, self.spec.ec.dim)
        targets = cues if target is None else ec.unit(target, self.spec.ec.dim)
        extra = [None] * len(cues) if variants is None else list(variants)
        if len(targets) != len(cues) or len(extra) != len(cues):
            raise VectorError(f"{len(cues)} cues need as many targets and variants, not {len(targets)} and {len(extra)}")
        more = [ec.unit(v, self.spec.ec.dim) if v is not None and np.size(v) else None for v in extra]
        ids = np.arange(len(self._content), len(self._content) + len(cues))
        done = 0
        while done < len(cues):
            block = min(self._next_adaptation() - len(self._content), 1024, len(cues) - done)
            part = slice(done, done + block)
            self._store_block(cues[part], None if target is None else targets[part], more[part])
            done += block
            if len(self._content) + 1 > self._next_adaptation(after=len(self._content) - 1):
                self.adapt()
            if progress is not None:
                progress(done, len(cues))
        return ids

    def _next_adaptation(self, after: int | None = None) -> int:
        """The number of memories at which DG adapts next, once there are more than `after`."""
        size = len(self._content) if after is None else after
        due = FIRST_ADAPTATION
        while due <= size:
            due *= 2
        return due if due <= LAST_ADAPTATION else 2**62

    def _store_block(
        self, cues: NDArray[np.float32], targets: NDArray[np.float32] | None, variants: list[NDArray[np.float32] | None]
    ) -> None:
        first_memory, first_key = len(self._content), len(self._ca1)
        content = cues if targets is None else targets
        keys, owner = [content], [np.arange(len(cues))]
        for further in [cues] if targets is not None else []:
            keys.append(further)
            owner.append(np.arange(len(cues)))
        for i, vectors in enumerate(variants):
            if vectors is not None:
                keys.append(vectors)
                owner.append(np.full(len(vectors), i))
        counts = ec.encode(self.spec.ec, np.concatenate(keys))
        codes, _ = self._dg.codes(counts)
        whose = np.concatenate(owner)
        self._ca1.add(counts, codes, first_memory + whose, first_key + whose)
        self._content = np.concatenate([self._content, first_key + np.arange(len(cues))])
        self._ca3.bind(codes[: len(cues)])

    def associate(self, a: ArrayLike, b: ArrayLike) -> None:
        """Bind memories a to their successors b, ids of one shape: from a, one hop leads to b."""
        pre, post = np.atleast_1d(np.asarray(a)), np.atleast_1d(np.asarray(b))
        if pre.shape != post.shape or pre.ndim != 1:
            raise UnknownMemoryError(f"associate needs as many successors as memories, not {pre.shape} and {post.shape}")
        pre, post = self._known(pre), self._known(post)
        self._ca3.chain(self._engram(pre), self._engram(post))
        self._links.update(dict.fromkeys(zip(pre.tolist(), post.tolist(), strict=True)))

    def forget(self, ids: ArrayLike) -> None:
        """Silence memories for good: no cue and no hop leads to them. Their recurrent synapses go in the next `consolidate`."""
        gone = self._known(np.atleast_1d(np.asarray(ids)))
        self._ca1.silence(np.flatnonzero(np.isin(self._ca1.memory, gone)))
        lost = set(gone.tolist())
        self._links = {link: None for link in self._links if not lost & set(link)}

    def consolidate(self) -> None:
        """Sleep: adapt DG to all that is alive, then W = 0 and every surviving engram and association once more."""
        self.adapt()

    def adapt(self) -> None:
        """Let DG learn mean and variance of the stored volleys, and code everything anew under them."""
        living = self._content[self._ca1.alive[self._content]]
        if len(living):
            self._dg.adapt(Adaptation.of(self._ca1.counts[living]))
            self._ca1.recode(self._dg.codes(self._ca1.counts)[0])
        self._rebind()

    def _rebind(self) -> None:
        """Derive the recurrent synapses from codes and links."""
        self._ca3 = CA3(self.spec)
        living = self._content[self._ca1.alive[self._content]]
        self._ca3.bind(self._ca1.codes[living])
        if self._links:
            pairs = np.array(list(self._links))
            self._ca3.chain(self._engram(pairs[:, 0]), self._engram(pairs[:, 1]))

    def _engram(self, ids: NDArray[np.int64]) -> NDArray[np.uint16]:
        return self._ca1.codes[self._content[ids]]

    def _known(self, ids: NDArray[np.generic]) -> NDArray[np.int64]:
        if ids.dtype.kind not in "iu":
            raise UnknownMemoryError(f"memory ids are whole numbers, not {ids.dtype}")
        for i in ids.tolist():
            if not 0 <= i < len(self._content) or not self._ca1.alive[self._content[i]]:
                raise UnknownMemoryError(f"no memory {i}; it was never stored or has been forgotten")
        return ids.astype(np.int64)

    # -- recalling -----------------------------------------------------------------------------------------------------------------

    def recall(
        self,
        cue: ArrayLike,
        top_k: int = 1,
        *,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        record: bool = False,
    ) -> Recall:
        """The memories that cues bring back.

        cue: [n, d] or [d].   top_k: how many memories a cue.   settle: gamma cycles of completion after the first.
        attention_cycles: gamma cycles in which the subiculum samples; more make the shares and the read-out finer.
        record: simulate the network and read the answer off its spikes; `.recording` holds them.
        """
        vectors = ec.unit(cue, self.spec.ec.dim)
        _at_least(1, top_k=top_k, attention_cycles=attention_cycles)
        _at_least(0, settle=settle)
        counts = ec.encode(self.spec.ec, vectors)
        codes, when = self._dg.codes(counts)
        active, size, still = self._ca3.complete(codes, when, settle)
        ranking = self._ca1.rank(counts, active, size, max(self.spec.ca1.candidates, top_k))
        competitors = self._competitors(ranking, top_k)
        if record:
            recording = self.simulate_recall(vectors, settle=settle, attention_cycles=attention_cycles, competitors=competitors)
            order, winners = self._read(recording, len(vectors), competitors, settle, attention_cycles)
            ranking = Ranking(order, self._drive(order, counts), ranking.events)
            return self._report(ranking, counts, winners, competitors, top_k, recording)
        queries = np.arange(len(vectors))
        winners = self._ca1.attend(ranking, queries, competitors, attention_cycles, settle + 1, self.seed)
        for g in range(attention_cycles if not still.all() else 0):  # where CA3 has not settled, each cycle has its own ranking
            moving = queries[~still]
            active, size, _ = self._ca3.complete(codes[moving], when[moving], settle + 1 + g)
            now = self._ca1.rank(counts[moving], active, size, self.spec.ca1.candidates)
            winners[moving, g] = self._ca1.attend(now, moving, competitors, 1, settle + 1 + g, self.seed)[:, 0]
        return self._report(ranking, counts, winners, competitors, top_k, None)

    def _competitors(self, ranking: Ranking, top_k: int) -> int:
        """How many index cells must fire so that every cue finds top_k different memories, if there are as many."""
        needed = self.spec.ca1.competitors
        for row in self._owners(ranking.order):
            _, first = np.unique(row[row != NONE], return_index=True)
            if len(first):
                needed = max(needed, int(np.sort(first)[:top_k][-1]) + 1)
        return needed

    def _owners(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The memories of keys; NONE stays NONE."""
        return np.where(keys == NONE, NONE, self._ca1.memory[keys] if len(self._ca1) else NONE)

    def _drive(self, order: NDArray[np.int64], counts: NDArray[np.int8]) -> NDArray[np.int64]:
        """n_key . n_cue for the keys of a ranking, [n, c]; 0 where there is none."""
        synapses = self._ca1.counts[order].astype(np.int64) if len(self._ca1) else np.zeros((*order.shape, counts.shape[1]), np.int64)
        return np.where(order == NONE, 0, np.einsum("ncd,nd->nc", synapses, counts.astype(np.int64)))

    def _report(
        self,
        ranking: Ranking,
        counts: NDArray[np.int8],
        winners: NDArray[np.int64],
        competitors: int,
        top_k: int,
        recording: Recording | None,
    ) -> Recall:
        n, own = len(counts), (counts.astype(np.int64) ** 2).sum(1)
        order, drive = ranking.order[:, :competitors], ranking.drive[:, :competitors]
        ids, scores = np.full((n, top_k), NONE, np.int64), np.full((n, top_k), np.nan)
        vectors, novelty = np.zeros((n, self.spec.ec.dim)), np.ones(n)
        shares = np.zeros(order.shape)
        for i, row in enumerate(self._owners(order)):
            _, first = np.unique(row, return_index=True)
            places = np.array([p for p in np.sort(first) if row[p] != NONE][:top_k], np.int64)
            if not len(places):
                continue
            ids[i, : len(places)], scores[i, : len(places)] = row[places], drive[i, places] / own[i]
            best = self._ca1.counts[order[i, 0]].astype(np.int64)
            novelty[i] = 1.0 - drive[i, 0] / np.sqrt(float(own[i] * (best**2).sum()))
            won = winners[i][winners[i] != NONE]
            shares[i] = (won[:, None] == order[i]).sum(0) / winners.shape[1]
            volley = ec.decode(self.spec.ec, self._ca1.counts[self._ca1.content[won]]).sum(0)
            vectors[i] = volley / max(float(np.linalg.norm(volley)), np.finfo(float).tiny)
        events = ranking.events + self._perforant_events(counts)
        return Recall(ids, scores, vectors, np.maximum(novelty, 0.0), self._owners(order), shares, events, recording)

    def _perforant_events(self, counts: NDArray[np.int8]) -> NDArray[np.int64]:
        """Synapses from EC onto DG that carry the spikes of a volley, [n]."""
        fan_out = np.bincount(self._dg.inputs.ravel(), minlength=self.spec.ec.dim)
        return np.abs(counts.astype(np.int64)) @ fan_out

    def recall_chain(self, cue: ArrayLike, hops: int = 1) -> NDArray[np.int64]:
        """The memories that follow the one that a cue recalls, ids [n, hops]; -1 from where the chain ends."""
        vectors = ec.unit(cue, self.spec.ec.dim)
        _at_least(1, hops=hops)
        if not len(self):
            return np.full((len(vectors), hops), NONE, np.int64)
        counts = ec.encode(self.spec.ec, vectors)
        codes, when = self._dg.codes(counts)
        active, size, _ = self._ca3.complete(codes, when, RECALL_SETTLE)
        order = self._ca1.rank(counts, active, size, self.spec.ca1.candidates).order[:, 0]
        return np.stack([self._hop_on(active[i, : size[i]], int(order[i]), hops) for i in range(len(vectors))])

    def _hop_on(self, active: NDArray[np.uint16], key: int, hops: int) -> NDArray[np.int64]:
        """From CA3 as the cue left it: two cycles that replay the winner's content, then a hop and its completion in each theta cycle."""
        none = np.zeros(0, np.int64)
        ids = np.full(hops, NONE, np.int64)
        if key == NONE:
            return ids
        patterns: list[NDArray[np.integer]] = []
        before: NDArray[np.integer] = active
        for _ in range(2):
            counts = self._ca1.counts[self._ca1.content[[key]]]
            codes, when = self._dg.codes(counts)
            before = self._ca3.cycle(before, none, codes[0], when[0])
            patterns.append(before)
            padded = before.astype(np.uint16)[None]
            key = int(self._ca1.rank(counts, padded, np.array([len(before)]), self.spec.ca1.candidates).order[0, 0])
        first, second = patterns
        for h in range(hops):
            first = self._ca3.cycle(none, first, none, none)
            second = self._ca3.cycle(first, second, none, none)
            found = self._ca1.after_hop(second)
            if found == NONE:
                break
            ids[h] = self._ca1.memory[found]
        return ids

    # -- simulating ----------------------------------------------------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The circuit as it stands, as a `Network` for any simulator."""
        return self.build_network()

    def build_network(self, competitors: int | None = None) -> Network:
        """The circuit as it stands.   competitors: index cells that may fire in a gamma cycle; the model's by default."""
        if not len(self._ca1):
            raise NetworkError("the network of an empty hippocampus has no index cells; store a memory first")
        net = Network(dt=DT)
        ec.build(net, self.spec.ec)
        self._dg.build(net)
        self._ca3.build(net)
        self._ca1.build(net, competitors or self.spec.ca1.competitors)
        ec.connect_answer(net, self._ca1.counts[self._ca1.content])
        return net

    def stimulus(self, protocol: list[Gamma], vectors: ArrayLike) -> dict[str, NDArray[np.generic]]:
        """What drives the network through a protocol: the cue's current, and the rhythm of each region."""
        unit = ec.unit(vectors, self.spec.ec.dim)
        return {
            **ec.stimulus(self.spec.ec, protocol, unit),
            **dg.stimulus(protocol),
            **ca3.stimulus(protocol),
            **self._ca1.stimulus(protocol, len(unit), self.seed),
        }

    def simulate_recall(
        self,
        cue: ArrayLike,
        *,
        settle: int = RECALL_SETTLE,
        attention_cycles: int = ATTENTION_CYCLES,
        competitors: int | None = None,
        simulator: str = "event",
        record: dict[str, ArrayLike] | None = None,
    ) -> Recording:
        """The spikes of a recall, step by step, in any simulator.   record: voltages, as in `simulate`."""
        return self._run(recall_protocol(settle, attention_cycles), cue, competitors, simulator, record)

    def simulate_chain(self, cue: ArrayLike, hops: int, simulator: str = "event") -> Recording:
        """The spikes of a chain, step by step, in any simulator."""
        return self._run(chain_protocol(hops), cue, None, simulator, None)

    def _run(
        self, protocol: list[Gamma], cue: ArrayLike, competitors: int | None, simulator: str, record: dict[str, ArrayLike] | None
    ) -> Recording:
        steps = len(protocol) * GAMMA
        net, stimulus = self.build_network(competitors), self.stimulus(protocol, cue)
        made = simulate(net, stimulus, steps, simulator=simulator, device=self.device, record=record)
        marks = {"gamma": list(range(0, steps, GAMMA)), "theta": list(range(0, steps, THETA))}
        return Recording(made.dt, made.steps, made.batches, made.spikes, made.voltages, made.cells, marks, made.events)

    def _read(
        self, recording: Recording, n: int, competitors: int, settle: int, cycles: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ranking and the attention, off the spikes: CA1 in the last cycle of settling, the subiculum in each one after it."""
        order, winners = np.full((n, competitors), NONE, np.int64), np.full((n, cycles), NONE, np.int64)
        for i in range(n):
            fired = recording["ca1"].between(settle * GAMMA, (settle + 1) * GAMMA, i).cell
            order[i, : len(fired)] = fired
            for g in range(cycles):
                start = (settle + 1 + g) * GAMMA
                first = recording["sub"].between(start, start + GAMMA, i).cell
                if len(first):
                    winners[i, g] = first[0]
        return order, winners

    def read_chain(self, recording: Recording) -> NDArray[np.int64]:
        """The answer of a simulated chain, ids [n, hops]: the subiculum's winner in the last gamma cycle of each hop's theta cycle."""
        hops = recording.steps // THETA - 1
        ids = np.full((recording.batches, hops), NONE, np.int64)
        for i in range(recording.batches):
            for h in range(hops):
                end = (h + 2) * THETA
                key = recording["sub"].between(end - GAMMA, end, i).cell
                if not len(key):
                    break
                ids[i, h] = self._ca1.memory[key[0]]
        return ids

    # -- looking inside ------------------------------------------------------------------------------------------------------------

    def contents(self, ids: ArrayLike) -> NDArray[np.float64]:
        """What memories hold, decoded from their spike counts, unit length, [n, d]."""
        known = self._known(np.asarray(ids))
        decoded = ec.decode(self.spec.ec, self._ca1.counts[self._content[known]])
        return decoded / np.linalg.norm(decoded, axis=1, keepdims=True)

    def engrams(self, ids: ArrayLike) -> NDArray[np.uint16]:
        """The CA3 cells of memories in firing order, [n, winners]; the first `ca3.core` are the core."""
        return self._engram(self._known(np.asarray(ids)))

    def density(self) -> tuple[float, float]:
        """How full CA3 is: the share of potentiated synapses, fast and slow."""
        return self._ca3.density()

    def ca3_bytes(self) -> int:
        """Memory that the recurrent weights take, bytes."""
        return self._ca3.nbytes

    # -- keeping -------------------------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything that was learned and is not derived: keys, codes, links, and DG's adaptation."""
        a = self._dg.adaptation
        return {
            "counts": self._ca1.counts, "codes": self._ca1.codes, "memory": self._ca1.memory, "content": self._ca1.content,
            "alive": self._ca1.alive, "links": np.array(list(self._links), np.int64).reshape(-1, 2),
            "mean": a.mean, "covariance": a.covariance, "seen": np.array([a.seen]),
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
        whole = {name: np.asarray(a) for name, a in arrays.items()}
        made._dg.adapt(Adaptation(whole["mean"], whole["covariance"], int(whole["seen"][0])))
        made._ca1.add(whole["counts"], whole["codes"], whole["memory"], whole["content"])
        made._ca1.silence(np.flatnonzero(~whole["alive"]))
        made._content = np.unique(made._ca1.content)
        made._links = {(int(a), int(b)): None for a, b in whole["links"]}
        made._rebind()
        return made


def _at_least(least: int, **given: int) -> None:
    for name, value in given.items():
        if value < least:
            raise VectorError(f"{name} is {value}; it must be at least {least}")
