"""Saving and restoring a hippocampus: the arrays from which all of its synapses can be derived."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX, Checks
from spikemem.errors import SnapshotError
from spikemem.hippocampus.associations import Associations
from spikemem.hippocampus.holding import Holding
from spikemem.hippocampus.inputs import no_words
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_ctx import FARTHEST, NO_SESSION
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.index_cells import MOST_NUMBER, NONE, IndexCells
from spikemem.hippocampus.spec import ModelSpec
from spikemem.snapshot import Arrays

NEEDED = ("counts", "codes", "memory", "content", "alive", "links", "mean", "covariance", "seen")
"""Arrays that every version wrote."""
COUNT = 128
"""Spikes of a volley's cell are fewer, int8."""
check = Checks(SnapshotError)


def arrays_of(circuit: Holding) -> dict[str, NDArray[np.generic]]:
    """The state of a circuit as arrays: keys, codes, words, sessions, moments, links and DG's adaptation."""
    a, keys, lexicon = circuit.dg.adaptation, circuit.keys, circuit.keys.lexicon
    return {
        "counts": keys.counts, "codes": keys.codes, "memory": keys.memory, "content": keys.content, "alive": keys.alive,
        "links": circuit.associations.array(),
        "mean": a.mean, "covariance": a.covariance, "seen": np.array([a.seen]),
        "words_ptr": lexicon.ptr, "words_cell": lexicon.cell, "words_spikes": lexicon.spikes, "words_whole": lexicon.whole,
        "cue": lexicon.cue, "session": keys.session, "when": keys.moments.when,
        **_later(keys),
    }  # fmt: skip


def _later(keys: IndexCells) -> dict[str, NDArray[np.generic]]:
    """What only some hippocampi hold; no entries where there is none.

    What was superseded, what happened again, numbers of memories that do not just count them, which are silent, and, where engrams follow
    excitability, when they were encoded, if not when they happened.
    """
    versions, moments = keys.versions, keys.moments
    superseded = {} if versions.holds().all() else {"superseded_by": versions.superseded_by, "until": versions.until}
    numbers = {} if (keys.numbers == np.arange(len(keys.numbers))).all() else {"number": keys.numbers}
    follows = keys.spec.engram is not None and keys.spec.engram.excitable < 1
    apart = follows and not np.array_equal(keys.encoded, moments.when, equal_nan=True)
    encoded: dict[str, NDArray[np.generic]] = {"encoded": keys.encoded} if apart else {}
    encoded |= {"silent": keys.silent} if keys.silent.any() else {}
    return superseded | numbers | encoded | ({"again": moments.again, "earlier": moments.earlier} if len(moments.again) else {})


def restore(circuit: Holding, arrays: Arrays) -> None:
    """Fill a fresh circuit with what `arrays_of` gave; CA3's synapses are derived anew.

    Raises SnapshotError where an array is missing, or holds what the circuit cannot follow.
    """
    whole = checked(circuit.spec, arrays)
    circuit.dg.adapt(Adaptation(whole["mean"], whole["covariance"], int(whole["seen"][0])))
    words = [
        Words(whole["words_cell"][a:b], whole["words_spikes"][a:b], whole["words_whole"][a:b])
        for a, b in pairwise(whole["words_ptr"].tolist())
    ]
    circuit.keys.remember(whole["session"], whole["when"], whole["number"], whole["encoded"])
    for memory, moment in zip(whole["again"], whole["earlier"], strict=True):
        circuit.keys.renew(int(memory), float(moment))
    for old in np.flatnonzero(~np.isnan(whole["until"])):
        circuit.keys.versions.supersede(int(old), int(whole["superseded_by"][old]), float(whole["until"][old]))
    circuit.keys.add(whole["counts"], whole["codes"], whole["memory"], whole["content"], words, whole["cue"])
    circuit.keys.silence(np.flatnonzero(~whole["alive"]))
    circuit.keys.express(np.flatnonzero(whole["silent"]), False)
    circuit.contents = np.unique(circuit.keys.content)
    circuit.associations = Associations((int(a), int(b)) for a, b in whole["links"])
    circuit.rebind()


def checked(spec: ModelSpec, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays of a hippocampus, complete and with every index in its bounds, since compiled code follows them."""
    given: dict[str, NDArray[Any]] = dict(arrays)
    if missing := [name for name in NEEDED if name not in given]:
        raise SnapshotError(f"the arrays of a hippocampus lack {missing[0]!r}; take those of `Hippocampus.arrays`")
    dim, counts = spec.ec.dim, check.array(given["counts"], "counts", "i", shape=(None, spec.ec.dim))
    keys = len(counts)
    content = check.indices(given["content"], "content", keys, shape=(keys,))
    contents = np.unique(content)
    given = {**no_words(keys, len(contents)), **given}
    n = len(contents)
    memory = check.indices(given["memory"], "memory", n, shape=(keys,))
    if (content != contents[memory]).any():
        raise SnapshotError("content: it must name one key for each memory, in the order of the memories")
    number = check.indices(given["number"], "number", MOST_NUMBER + 1, shape=(n,)).astype(np.int64)
    if (np.diff(number) <= 0).any():
        raise SnapshotError("number: the numbers of memories must rise")
    statistics = {
        "mean": check.floats(given["mean"], "mean", shape=(dim,)),
        "covariance": check.floats(given["covariance"], "covariance", shape=(dim, dim)),
        "seen": _seen(given["seen"]),
    }  # fmt: skip
    for name, most in (("mean", COUNT), ("covariance", COUNT**2)):
        if np.abs(statistics[name]).max(initial=0.0) > most:
            raise SnapshotError(f"{name}: {np.abs(statistics[name]).max():g} is more than volleys can have")
    return {
        **statistics,
        "counts": check.indices(counts, "counts", COUNT, np.int8, shape=counts.shape, least=1 - COUNT),
        "codes": check.indices(given["codes"], "codes", spec.dg.cells, np.uint16, shape=(keys, spec.dg.winners)),
        "memory": memory, "content": content, "number": number, "alive": check.array(given["alive"], "alive", "b", shape=(keys,)),
        "silent": check.array(given["silent"], "silent", "b", shape=(n,)),
        "links": check.indices(given["links"], "links", n, shape=(None, 2)),
        "session": check.indices(given["session"], "session", 2**62, shape=(n,), least=NO_SESSION),
        "when": _moments(given["when"], "when", n), "encoded": _moments(given.get("encoded", given["when"]), "encoded", n),
        "cue": check.array(given["cue"], "cue", "b", shape=(keys,)),
        "superseded_by": check.indices(given["superseded_by"], "superseded_by", n, shape=(n,), least=NONE),
        "until": _moments(given["until"], "until", n), "again": check.indices(given["again"], "again", n),
        "earlier": _moments(given["earlier"], "earlier", len(given["again"])),
        **_checked_words(given, keys, spec.lex.cells if spec.lex else 1),
    }  # fmt: skip


def _seen(given: NDArray[Any]) -> NDArray[np.int64]:
    """How many memories DG has adapted to, which files of memories hold as a float, [1]."""
    seen = check.array(given, "seen", "fiu", shape=(1,))
    if not (0 <= seen[0] <= INDEX and seen[0] == round(float(seen[0]))):
        raise SnapshotError(f"seen is {seen[0]}; it must be a whole number from 0 to {INDEX}")
    return seen.astype(np.int64)


def _moments(given: NDArray[Any], name: str, n: int) -> NDArray[np.float64]:
    """Moments of n memories, s since 1970, or NaN."""
    when = check.array(given, name, "f", shape=(n,), finite=False).astype(np.float64)
    if (np.abs(when) > FARTHEST).any():
        raise SnapshotError(f"{name}: moments are s since 1970, up to {FARTHEST:g}, or NaN")
    return when


def _checked_words(given: dict[str, NDArray[Any]], keys: int, cells: int) -> dict[str, NDArray[Any]]:
    """The words of all keys, one after the other."""
    cell = check.indices(given["words_cell"], "words_cell", cells)
    ptr = check.indices(given["words_ptr"], "words_ptr", len(cell) + 1, shape=(keys + 1,))
    if ptr[0] != 0 or ptr[-1] != len(cell) or (np.diff(ptr) < 0).any():
        raise SnapshotError(f"words_ptr: it must rise from 0 to the {len(cell)} word cells")
    spikes = check.indices(given["words_spikes"], "words_spikes", INDEX, shape=cell.shape)
    whole = check.array(given["words_whole"], "words_whole", "b", shape=cell.shape)
    return {"words_ptr": ptr, "words_cell": cell, "words_spikes": spikes, "words_whole": whole}
