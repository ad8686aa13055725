"""A recall: what the circuit answers to a batch of cues, off its spikes or by short cuts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.circuit import Circuit, Volley
from spikemem.recording import Recording
from spikemem.regions import ec
from spikemem.regions.ca1 import NONE, Ranking
from spikemem.regions.rhythm import recall_protocol


@dataclass(frozen=True, eq=False)
class Recall:
    """What a batch of cues recalled.

    ids: memories, best first, int64, [n, top_k]; -1 where there is no further one.
    scores: the cell's drive as a share of what the cue's own copy would give (about the cosine), [n, top_k]; NaN where no id.
    vectors: the read-out, unit length, [n, d]: what the subiculum's spikes make deep EC fire.
    novelty: 1 - cosine of the best index cell's synapses and the cue's volley, [n]; 1 where nothing answered.
    competitors, attention: the memories whose index cells competed and their shares of the gamma cycles, [n, c].
    events: synapses that the short cut reads for a cue, [n]: from EC's spikes onto DG, from CA3's onto dendrites, and from EC's onto the
        cells whose dendrites are open (CA3's own, a few thousand, apart). A simulation (`recording.events`) carries more, since it runs
        over several gamma cycles and knows no closed dendrite. For the rate twin: multiplications.
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


@dataclass(frozen=True, eq=False)
class Completion:
    """cells: CA3's cells in firing order, [n, winners].   ids: the memory that CA1 finds on CA3 alone, [n]; -1 where none."""

    cells: NDArray[np.uint16]
    ids: NDArray[np.int64]


def answer(circuit: Circuit, vectors: NDArray[np.float32], top_k: int, settle: int, cycles: int, place: tuple[str, str] | None) -> Recall:
    """What unit vectors [n, d] recall (see `Hippocampus.recall`).   place: simulator and device; None takes short cuts."""
    volley, candidates = circuit.volley(vectors), max(circuit.spec.ca1.candidates, top_k)
    active, size, still = circuit.ca3.complete(volley.codes, volley.when, settle)
    ranking = circuit.ca1.rank(volley.counts, active, size, candidates)
    while candidates < len(circuit.ca1) and (found := _fewest(circuit, ranking)) < top_k and found < circuit.ca1.memories():
        candidates *= 4
        ranking = circuit.ca1.rank(volley.counts, active, size, candidates)
    competitors = _competitors(circuit, ranking, top_k)
    if place is not None and len(circuit.ca1) and len(vectors):
        protocol = recall_protocol(settle, cycles)
        simulator, device = place
        recording = circuit.simulate(
            protocol, vectors, candidates=candidates, competitors=competitors, simulator=simulator, device=device
        )  # fmt: skip
        order, winners = circuit.read_recall(recording, competitors, settle)
        ranking = Ranking(order, _drive(circuit, order, volley.counts), ranking.events)
        return _report(circuit, ranking, volley.counts, winners, competitors, top_k, recording)
    winners = circuit.ca1.attend(ranking, volley.names(), competitors, cycles, settle + 1, circuit.seed)
    for i in np.flatnonzero(~still):
        _attend_unsettled(circuit, winners[i], volley.one(i), active[i, : size[i]], candidates, competitors, settle + 1)
    return _report(circuit, ranking, volley.counts, winners, competitors, top_k, None)


def _attend_unsettled(
    circuit: Circuit, winners: NDArray[np.int64], volley: Volley, active: NDArray[np.uint16], candidates: int, competitors: int, start: int
) -> None:
    """Correct the keys that win the subiculum, [cycles], in those cycles in which CA3 fires other cells than `active`."""
    name, none = volley.names(), np.zeros(0, np.int64)
    cells, ranked, ranking = active.astype(np.int64), set(active.tolist()), None
    for g in range(len(winners)):
        before, cells = cells, circuit.ca3.cycle(cells, none, volley.codes[0], volley.when[0])
        if ranked != (fired := set(cells.tolist())):
            ranked, lit = fired, cells[None].astype(np.uint16)
            ranking = circuit.ca1.rank(volley.counts, lit, np.array([len(cells)]), candidates)
        if ranking is not None:
            winners[g] = circuit.ca1.attend(ranking, name, competitors, 1, start + g, circuit.seed)[0, 0]
        elif np.array_equal(before, cells):
            break


def _fewest(circuit: Circuit, ranking: Ranking) -> int:
    """How many different memories the poorest ranking of a batch holds."""
    return min((len(set(row.tolist()) - {NONE}) for row in circuit.ca1.owners(ranking.order)), default=0)


def _competitors(circuit: Circuit, ranking: Ranking, top_k: int) -> int:
    """How many index cells must fire so that every cue finds top_k different memories, if there are as many."""
    needed = circuit.spec.ca1.competitors
    for row in circuit.ca1.owners(ranking.order):
        _, first = np.unique(row[row != NONE], return_index=True)
        if len(first):
            needed = max(needed, int(np.sort(first)[:top_k][-1]) + 1)
    return needed


def _drive(circuit: Circuit, order: NDArray[np.int64], counts: NDArray[np.int8]) -> NDArray[np.int64]:
    """n_key . n_cue for the keys of a ranking, [n, c]; 0 where there is none."""
    synapses = circuit.ca1.counts[order].astype(np.int64) if len(circuit.ca1) else np.zeros((*order.shape, counts.shape[1]), np.int64)
    return np.where(order == NONE, 0, np.einsum("ncd,nd->nc", synapses, counts.astype(np.int64)))


def _report(
    circuit: Circuit,
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
    vectors, novelty = np.zeros((n, circuit.spec.ec.dim)), np.ones(n)
    shares = np.zeros(order.shape)
    for i, row in enumerate(circuit.ca1.owners(order)):
        _, first = np.unique(row, return_index=True)
        places = np.array([p for p in np.sort(first) if row[p] != NONE][:top_k], np.int64)
        if not len(places):
            continue
        ids[i, : len(places)], scores[i, : len(places)] = row[places], drive[i, places] / own[i]
        best = circuit.ca1.counts[order[i, 0]].astype(np.int64)
        novelty[i] = 1.0 - drive[i, 0] / np.sqrt(float(own[i] * (best**2).sum()))
        won = winners[i][winners[i] != NONE]
        shares[i] = (won[:, None] == order[i]).sum(0) / winners.shape[1]
        volley = ec.decode(circuit.spec.ec, circuit.ca1.counts[circuit.ca1.content[won]]).sum(0)
        vectors[i] = volley / max(float(np.linalg.norm(volley)), np.finfo(float).tiny)
    events = ranking.events + _perforant_events(circuit, counts)
    return Recall(ids, scores, vectors, np.maximum(novelty, 0.0), circuit.ca1.owners(order), shares, events, recording)


def _perforant_events(circuit: Circuit, counts: NDArray[np.int8]) -> NDArray[np.int64]:
    """Synapses from EC onto DG that carry the spikes of a volley, [n]."""
    fan_out = np.bincount(circuit.dg.inputs.ravel(), minlength=circuit.spec.ec.dim)
    return np.abs(counts.astype(np.int64)) @ fan_out
