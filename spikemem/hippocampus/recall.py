"""Recall: the memories that a batch of cues brings back, read from simulated spikes or computed directly."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.holding import Holding, Volley
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.regions.ca1 import NONE, Answer, Ranking
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.rhythm import RecallSchedule
from spikemem.kernels.index_cells import first_of_each
from spikemem.simulators.recording import Recording


@dataclass(frozen=True, eq=False)
class Recall:
    """What a batch of cues recalled.

    ids: memories, best first, of an engram model in the order in which they fired, int64, [n, top_k]; -1 where there is no further one.
    scores: the cell's drive as a share of what the cue's own copy would give by meaning alone (for a memory of vectors about the cosine;
        words, context, moment and spreading add to it), [n, top_k]; NaN where no id.
    drives: the parts of the scores by pathway, in the order of `PATHWAYS`, [n, top_k, pathway].
    path: the memory that each theta cycle before the last recalled, and whose associations were primed, [n, cycles - 1]; -1 for none.
    vectors: the read-out, unit length, [n, d]: what the subiculum's spikes make deep EC fire.
    novelty: 1 - cosine of the best index cell's synapses and the cue's volley, [n]; 1 where nothing answered.
    competitors, attention: the memories whose index cells competed and their shares of the gamma cycles, [n, c].
    events: synapses that the computation without simulation reads, [n]: from EC's spikes onto DG, among CA3's cells, and in each pass from
        CA3's onto dendrites, from word and context cells onto index cells, and from EC's onto cells whose dendrites are open. A simulation
        (`recording.events`) carries more, since it runs over several gamma cycles and knows no closed dendrite. For the rate twin:
        multiplications.
    recording: the spikes, where the recall was simulated.
    read: in a model with gates the share of the read gate's cells that fired, [n]; None in others. At a half or less the memory holds no
        answer to the cue, and what was recalled is only what comes nearest.
    gates: the recording of each cue at the gates, where the recall was simulated and there are gates.
    keys: the index cell of each memory that answered, [n, top_k]; -1 where no id. None of a rate twin.
    latency: of an engram model when each memory's engram fired, ms after the cue, [n, top_k]; NaN where no id. None of others.

    An engram model scores a memory by the cosine of what deep EC says and what EC says of the cue, counts novelty from the same spikes, and
    gives as competitors and attention what each attempt found, and the share of its engram that fired.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    drives: NDArray[np.float64]
    path: NDArray[np.int64]
    vectors: NDArray[np.float64]
    novelty: NDArray[np.float64]
    competitors: NDArray[np.int64]
    attention: NDArray[np.float64]
    events: NDArray[np.int64]
    recording: Recording | None = None
    read: NDArray[np.float64] | None = None
    gates: tuple[Recording, ...] = ()
    keys: NDArray[np.int64] | None = None
    latency: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Completion:
    """Codes that were partly wrong, completed by CA3.

    cells: CA3's cells in firing order, [n, winners].   ids: the memory that CA1 finds on CA3 alone, [n]; -1 where none.
    """

    cells: NDArray[np.uint16]
    ids: NDArray[np.int64]


class Sizes(NamedTuple):
    """How many of CA1's cells may fire in a gamma cycle.   candidates: dendrites.   competitors: index cells."""

    candidates: int
    competitors: int


@dataclass(frozen=True, eq=False)
class Opened:
    """A batch of cues that CA3 has completed, and how many of CA1's cells must fire so that enough memories are found.

    active: CA3's cells and their number, [n, k] and [n].   still: whether CA3 has settled, [n].   sizes: how many may fire.
    primed, path: plateaus, [n, memory], and memories of the passes before, [n, passes - 1].
    ranking: of the last pass, [n, candidates]; its events are those of the whole recall.
    """

    active: tuple[NDArray[np.uint16], NDArray[np.int64]]
    still: NDArray[np.bool_]
    sizes: Sizes
    primed: NDArray[np.bool_]
    path: NDArray[np.int64]
    ranking: Ranking


def _sizes(circuit: Circuit, top_k: int) -> Sizes:
    """How many dendrites and index cells may fire at first."""
    spec, keys = circuit.spec.ca1, len(circuit.ca1)
    return Sizes(max(spec.candidates, min(top_k, keys)), max(spec.competitors, min(top_k, keys)))


def _more(circuit: Circuit, order: NDArray[np.int64], top_k: int, sizes: Sizes, cue_words: CueWords) -> Sizes | None:
    """How many may fire next, where a cue has found fewer than top_k memories; None where all have, or where no more can.

    order: the index cells that fired to each cue, NONE-padded, [n, c].
    """
    found = first_of_each(circuit.ca1.owners(order), top_k, len(circuit.contents))[1]
    if found.min(initial=top_k) >= top_k or found.min() >= (wanted := min(top_k, circuit.ca1.memories(cue_words.silenced))):
        return None
    fired = (order != NONE).sum(axis=1)
    short = fired[found < wanted]
    if short.max() >= sizes.competitors:
        return Sizes(max(sizes.candidates, 2 * sizes.competitors), 2 * sizes.competitors)
    return Sizes(4 * sizes.candidates, sizes.competitors) if sizes.candidates < len(circuit.ca1) else None


def _open(circuit: Circuit, volley: Volley, top_k: int, schedule: RecallSchedule) -> Opened:
    """Complete cues in CA3, and open CA1 until every cue finds top_k memories, if there are as many."""
    sizes, settled = _sizes(circuit, top_k), circuit.ca3.complete(volley.codes, volley.when, schedule.settle)
    while True:
        opened = _opened(circuit, volley, schedule, sizes, settled)
        order = opened.ranking.order[:, : sizes.competitors]
        if (grown := _more(circuit, order, top_k, sizes, volley.cue_words)) is None:
            return replace(opened, sizes=sizes._replace(competitors=min(sizes.competitors, opened.ranking.order.shape[1])))
        sizes = grown


def _opened(
    circuit: Circuit, volley: Volley, schedule: RecallSchedule, sizes: Sizes,
    settled: tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.bool_]],
) -> Opened:  # fmt: skip
    """Let so many of CA1's cells fire.   settled: CA3's cells, their number, and whether CA3 is still (`CA3.complete`)."""
    active, size, still = settled
    primed, path, spent = spread(circuit, volley, (active, size), schedule.passes, *sizes)
    ranking = circuit.ca1.rank(volley.counts, active, size, sizes.candidates, volley.cue_words, primed)
    events = spent + _index_events(ranking, volley) + perforant_events(circuit, volley) + schedule.settle * circuit.ca3.events(volley.codes)
    return Opened((active, size), still, sizes, primed, path, replace(ranking, events=events))


def answer(circuit: Circuit, volley: Volley, top_k: int, schedule: RecallSchedule) -> Recall:
    """What cues recall, computed without simulation (see `Hippocampus.recall`)."""
    opened, ca1 = _open(circuit, volley, top_k, schedule), circuit.ca1
    lottery, ranking = ca1.lottery(opened.sizes.competitors, schedule.start, circuit.seed), opened.ranking
    winners = ca1.attend(ranking, volley.names(), lottery, schedule.attention)
    if (moving := np.flatnonzero(~opened.still)).size:
        some, (active, size) = volley.some(moving), opened.active
        cues, cells = (some.names(), some.counts, some.codes, some.when), (active[moving], size[moving])
        winners[moving] = ca1.attend_unsettled(
            cues, circuit.ca3.recurrent, lottery, schedule.attention, cells, opened.sizes.candidates, some.cue_words, opened.primed[moving]
        )
    kept = Ranking(ranking.order[:, : opened.sizes.competitors], ranking.parts[:, : opened.sizes.competitors], ranking.events)
    return _report(circuit, kept, volley, Answer(kept.order, winners, opened.path, opened.primed, ca1.saying(winners)), top_k)


def simulate(
    circuit: Circuit, volley: Volley, vectors: NDArray[np.float32], top_k: int, schedule: RecallSchedule, target: tuple[str, str]
) -> Recall:
    """What cues recall, read from simulated spikes, which `Recall.recording` holds.   vectors: of the cues, [n, d].   target: simulator and
    device.
    """
    if not len(circuit.ca1) or not len(vectors):
        return answer(circuit, volley, top_k, schedule)
    sizes, (simulator, device) = _sizes(circuit, top_k), target
    while True:  # what spikes say decides whether more may fire
        recording = circuit.simulate(
            schedule.protocol, vectors, volley.cue_words, passes=schedule.passes, **sizes._asdict(), simulator=simulator, device=device
        )
        read = circuit.ca1.read(recording, schedule)
        if (grown := _more(circuit, read.order, top_k, sizes, volley.cue_words)) is None:
            break
        sizes = grown
    order = np.full((len(vectors), min(*sizes, len(circuit.ca1))), NONE)
    order[:, : read.order.shape[1]] = read.order
    parts = circuit.ca1.parts(order, volley.counts, volley.cue_words, read.primed)
    settled = circuit.ca3.complete(volley.codes, volley.when, schedule.settle)
    events = _opened(circuit, volley, schedule, sizes, settled).ranking.events  # a count of costs alone
    return replace(_report(circuit, Ranking(order, parts, events), volley, read, top_k), recording=recording)


def spread(
    circuit: Circuit, volley: Volley, active: tuple[NDArray[np.uint16], NDArray[np.int64]], passes: int, candidates: int, competitors: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Spread activation in the theta cycles before the last, each of which recalls a memory and primes what is associated with it.

    Returns the plateaus that prime memories in the last cycle, [n, memory], the memories recalled, [n, passes - 1], and their events, [n].

    active: CA3's cells and their number, the same in each pass.
    """
    ca1, n = circuit.ca1, len(volley.counts)
    primed, path = np.zeros((n, len(ca1.session)), bool), np.full((n, passes - 1), NONE, np.int64)
    spent = np.zeros(n, np.int64)
    for p in range(passes - 1):
        ranking = ca1.rank(volley.counts, *active, candidates, volley.cue_words, primed)
        spent += _index_events(ranking, volley)
        owners = ca1.owners(ranking.order[:, :competitors])
        for i in range(n):
            memory = next((int(m) for m in owners[i] if m != NONE and m not in path[i, :p]), NONE)
            if memory != NONE:
                path[i, p] = memory
                primed[i, [memory, *circuit.associations.after(memory)]] = True
                primed[i, ca1.synapses.primed_by(memory)] = True
    return primed, path, spent


def go_on(circuit: Circuit, volley: Volley, active: tuple[NDArray[np.uint16], NDArray[np.int64]], chain: list[int]) -> list[int]:
    """Continue a chain of memories by spreading from where its associations end (its first NONE), for one cue (n = 1).

    active: CA3's cells and their number under the cue.   The next memory is the first to fire of those not yet visited that the words of
    those visited excite.
    """
    ca1, done = circuit.ca1, list(chain)
    primed = np.zeros((1, len(ca1.session)), bool)
    for h in range(len(done)):
        if done[h] == NONE:
            ranking = ca1.rank(volley.counts, *active, circuit.spec.ca1.candidates, volley.cue_words, primed)
            owners = ca1.owners(ranking.order[0, : circuit.spec.ca1.competitors]).tolist()
            done[h] = next((m for m in owners if m != NONE and primed[0, m] and m not in done[:h]), NONE)
            if done[h] == NONE:
                break
        primed[0, ca1.synapses.primed_by(done[h])] = True
    return done


def _report(circuit: Circuit, ranking: Ranking, volley: Volley, read: Answer, top_k: int) -> Recall:
    """The `Recall` of a batch: the memories of index cells, best first, and the vectors that they make deep EC replay."""
    counts, order, owners = volley.counts.astype(np.int64), ranking.order, circuit.ca1.owners(ranking.order)
    own, winners = (counts**2).sum(1), read.winners
    place, found = first_of_each(owners, top_k, len(circuit.contents))
    there, place = place != NONE, np.maximum(place, 0)
    ids, keys = (np.where(there, np.take_along_axis(a, place, axis=1), NONE) for a in (owners, order))
    parts = np.take_along_axis(ranking.parts, place[:, :, None], axis=1)
    scores = np.where(there, parts.sum(2) / UNIT / own[:, None], np.nan)
    drives = np.where(there[:, :, None], parts / UNIT / own[:, None, None], np.nan)
    vectors, novelty = np.zeros((len(counts), circuit.spec.ec.dim)), np.ones(len(counts))
    fired = np.flatnonzero(found)
    best = circuit.ca1.counts[order[fired, 0]].astype(np.int64)
    novelty[fired] -= (best * counts[fired]).sum(1) / np.sqrt((own[fired] * (best**2).sum(1)).astype(float))
    for i in fired:
        volley_back = ec.decode(circuit.spec.ec, read.said[i])
        vectors[i] = volley_back / max(float(np.linalg.norm(volley_back)), np.finfo(float).tiny)
    won = (winners[:, :, None] == order[:, None]) & (winners != NONE)[:, :, None]
    novelty, shares = np.clip(novelty, 0.0, None), won.sum(1) / winners.shape[1]
    return Recall(ids, scores, drives, read.path, vectors, novelty, owners, shares, ranking.events, keys=keys)


def _index_events(ranking: Ranking, volley: Volley) -> NDArray[np.int64]:
    """Synapses of a pass onto index cells that carry spikes, [n]: from EC only those of cells whose dendrites are open."""
    return ranking.events + (ranking.order != NONE).sum(1) * volley.spikes.sum(1, dtype=np.int64)


def perforant_events(circuit: Holding, volley: Volley) -> NDArray[np.int64]:
    """Synapses from EC onto DG that carry the spikes of a volley, [n]."""
    spec = circuit.spec.ec
    spikes = volley.spikes if spec.layer_two == 1 else np.abs(ec.layer_two(spec, volley.counts))
    return spikes.astype(np.int64) @ circuit.dg.fan_out
