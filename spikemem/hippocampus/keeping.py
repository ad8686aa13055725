"""Saving and restoring a hippocampus: the arrays from which all of its synapses can be derived."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.inputs import no_words
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.snapshot import Arrays


def arrays_of(circuit: Circuit) -> dict[str, NDArray[np.generic]]:
    """The state of a circuit as arrays: keys, codes, words, sessions, moments, links and DG's adaptation."""
    a, keys, lexicon = circuit.dg.adaptation, circuit.ca1, circuit.ca1.lexicon
    return {
        "counts": keys.counts, "codes": keys.codes, "memory": keys.memory, "content": keys.content, "alive": keys.alive,
        "links": np.array(list(circuit.pairs), np.int64).reshape(-1, 2),
        "mean": a.mean, "covariance": a.covariance, "seen": np.array([a.seen]),
        "words_ptr": lexicon.ptr, "words_cell": lexicon.cell, "words_spikes": lexicon.spikes, "words_whole": lexicon.whole,
        "cue": lexicon.cue, "session": keys.session, "when": keys.moments.when,
        **_later(keys),
    }  # fmt: skip


def _later(keys: IndexCells) -> dict[str, NDArray[np.generic]]:
    """What was superseded, and what happened again; no entries where nothing did."""
    versions, moments = keys.versions, keys.moments
    superseded = {} if versions.holds().all() else {"superseded_by": versions.superseded_by, "until": versions.until}
    return superseded | ({"again": moments.again, "earlier": moments.earlier} if len(moments.again) else {})


def restore(circuit: Circuit, arrays: Arrays) -> None:
    """Fill a fresh circuit with what `arrays_of` gave; CA3's synapses are derived anew."""
    whole: dict[str, NDArray[Any]] = dict(arrays)
    circuit.dg.adapt(Adaptation(whole["mean"], whole["covariance"], int(whole["seen"][0])))
    whole = {**no_words(len(whole["counts"]), len(np.unique(whole["content"]))), **whole}
    words = [
        Words(whole["words_cell"][a:b], whole["words_spikes"][a:b], whole["words_whole"][a:b])
        for a, b in pairwise(whole["words_ptr"].tolist())
    ]
    circuit.ca1.remember(whole["session"], whole["when"])
    for memory, moment in zip(whole.get("again", ()), whole.get("earlier", ()), strict=True):
        circuit.ca1.renew(int(memory), float(moment))
    for old in np.flatnonzero(~np.isnan(whole.get("until", np.zeros(0)))):
        circuit.ca1.versions.supersede(int(old), int(whole["superseded_by"][old]), float(whole["until"][old]))
    circuit.ca1.add(whole["counts"], whole["codes"], whole["memory"], whole["content"], words, whole["cue"])
    circuit.ca1.silence(np.flatnonzero(~whole["alive"]))
    circuit.contents = np.unique(circuit.ca1.content)
    circuit.link((int(a), int(b)) for a, b in whole["links"])
    circuit.rebind()
