"""Chains of associations: CA3 completes the cue, then hops from engram to engram, one hop a theta cycle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import VectorError
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.holding import Volley
from spikemem.hippocampus.recall import Completion, go_on
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.rhythm import CHAIN_SETTLE


def complete(circuit: Circuit, codes: ArrayLike, settle: int) -> Completion:
    """Complete codes that are partly wrong in CA3, and find their memories in CA1 (see `Hippocampus.complete`)."""
    cells, winners, core = circuit.spec.dg.cells, circuit.spec.dg.winners, circuit.spec.ca3.core
    given = Checks(VectorError).indices(codes, "codes", cells, np.uint16, shape=(None, winners))
    when = np.tile(np.arange(winners, dtype=np.uint8), (len(given), 1))  # one after the other, as they stand
    active, size, _ = circuit.ca3.complete(given, when, settle)
    keys = [circuit.ca1.on_ca3_alone(a[: min(n, core)].astype(np.int64)) for a, n in zip(active, size, strict=True)]
    return Completion(active, circuit.ca1.owners(np.array(keys, np.int64)))


def recall_chain(circuit: Circuit, volley: Volley, hops: int, spreads: bool) -> NDArray[np.int64]:
    """The memories that follow the one that each cue recalls, [n, hops]; NONE from where a chain ends.

    spreads: whether a chain that ends goes on to what the words of the memories visited prime.
    """
    active, size, _ = circuit.ca3.complete(volley.codes, volley.when, CHAIN_SETTLE)
    first = circuit.ca1.rank(volley.counts, active, size, circuit.spec.ca1.candidates, volley.cue_words).order[:, 0]
    ids = np.full((len(volley.counts), hops), NONE, np.int64)
    for i in np.flatnonzero(first != NONE):
        keys = circuit.follow(volley.codes[i], active[i, : size[i]], int(first[i]), hops, volley.cue_words.silenced)
        ids[i] = circuit.ca1.owners(keys)
        if spreads:
            start = int(circuit.ca1.memory[first[i]])
            ids[i] = go_on(circuit, volley.some(np.array([i])), (active[[i]], size[[i]]), [start, *ids[i].tolist()])[1:]
    return ids
