"""Rate against spikes, population by population: what each region's spikes decode to, beside what rates would have computed there.

EC         counts / gain                       against the vector itself                              cosine
DG         the cells that win the first gamma  against the k largest of W x                           share of common cells
CA3        the cells of the last settling      against the k largest of sum_m core_m core_m^T x       share of common cells
CA1        the first index cell to fire        against the nearest memory by cosine                   share of equal answers
subiculum  spike shares over gamma cycles      against softmax(16 Z_S x)                              total variation
read-out   counts replayed in deep EC          against normalise(Z_S^T softmax(16 Z_S x))             cosine

Beside them stands what nearest neighbour by cosine, which answers with one vector whole, would come to in the last three. 16 is the model's
sharpness, in spikes as in rates.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.evaluate.compare import Pair, check, shares, total_variation, vectors_of
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.rhythm import RECALL_SETTLE, RecallSchedule
from spikemem.simulators.registry import defaults


@dataclass(frozen=True)
class RegionRow:
    """One region: how close its spikes come to its rates, for each simulator, over n cues.

    cosine: what nearest neighbour comes to; NaN where it has no such region.
    """

    region: str
    measure: str
    n: int
    values: dict[str, float]
    cosine: float = math.nan

    def json(self) -> dict[str, object]:
        beside = None if math.isnan(self.cosine) else round(self.cosine, 6)
        rounded = {k: round(v, 6) for k, v in self.values.items()}
        return {"region": self.region, "measure": self.measure, "n": self.n, **rounded, "cosine": beside}


def by_region(
    pair: Pair,
    vectors: NDArray[np.float32],
    cues: NDArray[np.float32],
    simulators: Sequence[str] = (),
    cycles: int = 10,
    stage: Callable[[str], None] = lambda name: None,
) -> list[RegionRow]:
    """The table, each recall simulated whole in each simulator.

    simulators: all but variants by default, as in `validate`.   pair: filled with `vectors` [memory, d], no variants.
    cues: [n, d].   cycles: gamma cycles of attention.   stage: gets what begins.
    """
    check.instance(pair, "pair", Pair, "give one of Pair.of")
    vectors, cues = vectors_of(vectors, "vectors", len(pair.spiking)), vectors_of(cues, "cues")
    simulators = [check.text(name, "a name of a simulator") for name in check.listed(simulators, "simulators", "names")]
    cycles = check.integer(cycles, "cycles", least=1)
    made: dict[str, dict[tuple[str, str], float]] = {}
    schedule = RecallSchedule(RECALL_SETTLE, cycles)
    simulators = simulators or defaults()
    for simulator in simulators:
        stage(f"simulating {len(cues)} recalls in {simulator}")
        recall = pair.spiking.recall(cues, attention_cycles=cycles, record=True, simulator=simulator)
        made[simulator] = _measured(pair, vectors, ec.unit(cues, pair.spiking.spec.ec.dim), recall, schedule)
    rows, beside = made[simulators[0]], _nearest(pair, vectors, ec.unit(cues, pair.spiking.spec.ec.dim))
    return [RegionRow(*row, len(cues), {s: made[s][row] for s in simulators}, beside.get(row[0], math.nan)) for row in rows]


def _nearest(pair: Pair, vectors: NDArray[np.float32], cues: NDArray[np.float32]) -> dict[str, float]:
    """What nearest neighbour by cosine comes to, by region: all its attention is on one memory, whose vector it reads out."""
    memories, softmax = pair.rate.first_attention(cues)
    expected, nearest = np.einsum("nc,ncd->nd", softmax, vectors[memories]), memories[:, 0]
    tv = [total_variation({int(m): 1.0}, shares(*both)) for m, *both in zip(nearest, memories, softmax, strict=True)]
    equal = float((nearest == memories[np.arange(len(cues)), softmax.argmax(axis=1)]).mean())
    return {"CA1": equal, "subiculum": float(np.mean(tv)), "read-out": _cosine(vectors[nearest], expected)}


def _measured(
    pair: Pair, vectors: NDArray[np.float32], cues: NDArray[np.float32], answer: Recall, schedule: RecallSchedule
) -> dict[tuple[str, str], float]:
    circuit, n = pair.spiking.index, len(cues)
    assert answer.recording is not None
    encoded, replayed = circuit.ec.read(answer.recording, schedule)
    memories, softmax = pair.rate.first_attention(cues)
    expected = np.einsum("nc,ncd->nd", softmax, vectors[memories])
    tv = [total_variation(shares(answer.competitors[i], answer.attention[i]), shares(memories[i], softmax[i])) for i in range(n)]
    nearest = memories[np.arange(n), softmax.argmax(axis=1)]
    return {
        ("EC", "cosine"): _cosine(encoded, cues),
        ("DG", "code overlap"): _overlap(circuit.dg.read(answer.recording, schedule), list(circuit.dg.rate_code(cues))),
        ("CA3", "code overlap"): _overlap(circuit.ca3.read(answer.recording, schedule), _completed(pair, cues)),
        ("CA1", "equal answers"): float((answer.ids[:, 0] == nearest).mean()),
        ("subiculum", "total variation"): float(np.mean(tv)),
        ("read-out", "cosine"): _cosine(replayed, expected),
    }


def _completed(pair: Pair, cues: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """Rate completion: the cells of the cue's rate code stay, but for those that additive Hebbian recurrence replaces.

    x <- the k largest of code + W x / core, W = sum over memories of core core^T; as often as CA3 settles.
    """
    circuit = pair.spiking.index
    k, cells, core = circuit.spec.dg.winners, circuit.spec.dg.cells, circuit.spec.ca3.core
    engrams = np.zeros((len(circuit.ca1.codes), cells))
    np.put_along_axis(engrams, circuit.ca1.codes[:, :core].astype(np.int64), 1.0, axis=1)
    completed = []
    for code in circuit.dg.rate_code(cues):
        cue = np.zeros(cells)
        cue[code] = 1.0
        x = cue
        for _ in range(RECALL_SETTLE):
            drive = cue + engrams.T @ (engrams @ x) / core
            x = np.zeros(cells)
            x[np.argsort(-drive, kind="stable")[:k]] = 1.0
        completed.append(np.flatnonzero(x))
    return completed


def _cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean())


def _overlap(a: Sequence[NDArray[np.integer]], b: Sequence[NDArray[np.integer]]) -> float:
    """Mean share of common cells, of the larger set."""
    return float(np.mean([len(np.intersect1d(x, y)) / max(len(x), len(y), 1) for x, y in zip(a, b, strict=True)]))
