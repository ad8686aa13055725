"""The cells that carry words, context, the moment and what lights up again: their populations, synapses and rhythm.

Word cells fire in the first steps of each gamma cycle in which the cue is held (a word once for each time that it is said), context cells
a step later. What is one spike for a memory has to be one spike in the network: cells whose input must meet in a single step are inhibited
from the next step on (`SHUT_FROM`).

    gamma cycle of a cue      0 ec_lex, ec_time    1 ec_ctx, ca1_apical    2 ca1_tuft
    after a read              1 recalled           2 ec_lex_deep           3 ca1_apical_deep    4 ca1_plateau, and so in each later cycle
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.regions import ec, ec_ctx
from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.regions.pathways import TO_DENDRITE, CueWords, Pathways
from spikemem.hippocampus.regions.rhythm import BACK, DT, GAMMA, Gamma, Mode
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.synapses import Sparse, one_to_one

SHUT = 2.0**12
"""Inhibition that ends a window: only spikes of one step meet in it."""
SHUT_FROM = {"ca1_apical": 2, "ca1_tuft": 3, "ec_lex_deep": 3, "ca1_apical_deep": 4, "ca1_plateau": 5}
"""The step of a gamma cycle after that in which these cells may fire, as in the table above."""


def build(p: Pathways, net: Network, links: dict[int, list[int]], passes: int) -> None:
    """Add word, context and moment cells, apical dendrites, and, for more than one pass, what lights up again."""
    if p.spec.lex is None:
        _build_moment(p, net)
        return
    cells, keys = p.spec.lex.cells, len(p.memory)
    cycle = CycleReset(GAMMA * DT)
    for name in ("ec_lex", "ec_ctx"):
        net.add(Population(name, cells, ec.PERFECT, cycle))
    net.connect("ec_lex", "ec_ctx", one_to_one(1.0))
    _onto_ca1(p, net, "ec_lex", p.words.source, p.words.target, p.words.weight, cells)
    _onto_ca1(p, net, "ec_ctx", *_context_synapses(p), cells)
    _build_moment(p, net)
    if len(p.apical_memory):
        net.add(Population("ca1_apical", len(p.apical_memory), ec.PERFECT, cycle))
        net.add(Population("ca1_tuft", len(p.content), ec.PERFECT, cycle))
        net.connect("ec_lex", "ca1_apical", _apical_synapses(p))
        net.connect("ca1_apical", "ca1_tuft", _apical_to_memory(p))
        _lift(p, net, "ca1_tuft", p.gains.key)
    if passes > 1:
        _build_spreading(p, net, links, passes, keys)


def _build_moment(p: Pathways, net: Network) -> None:
    cells = ec_ctx.moment_cells(p.when)
    used = np.unique(cells[cells >= 0])
    if not len(used):
        return
    owner, column = np.nonzero(cells >= 0)
    place = np.searchsorted(used, cells[owner, column])
    key = np.flatnonzero(p.alive)
    of_memory: list[list[int]] = [[] for _ in range(len(p.content))]
    for k in key:
        of_memory[p.memory[k]].append(int(k))
    pairs = [(p, k) for p, m in zip(place, owner, strict=True) for k in of_memory[m]]
    pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
    net.add(Population("ec_time", len(used), ec.PERFECT, CycleReset(GAMMA * DT)))
    _onto_ca1(p, net, "ec_time", pre, post, np.full(len(pre), p.time_weight / UNIT), len(used))


def _onto_ca1(
    p: Pathways, net: Network, name: str, pre: NDArray[np.int64], post: NDArray[np.int64], weight: NDArray[np.float64], cells: int
) -> None:
    shape = (cells, len(p.memory))
    soma = Sparse.from_coo(pre, post, weight, shape)
    net.connect(name, "ca1", soma)
    net.connect(name, "sub", soma)
    net.connect(name, "ca1_dendrite", Sparse(soma.indptr, soma.targets, soma.weights / TO_DENDRITE, soma.post))


def _lift(p: Pathways, net: Network, name: str, gain: int) -> None:
    """One spike of a memory's cell lifts its somata by a gain and opens their dendrites."""
    living = np.flatnonzero(p.alive)
    shape = (len(p.content), len(p.memory))
    soma = Sparse.from_coo(p.memory[living], living, gain / UNIT, shape)
    net.connect(name, "ca1", soma)
    net.connect(name, "sub", soma)
    net.connect(name, "ca1_dendrite", Sparse.from_coo(p.memory[living], living, float(p.spec.dg.winners), shape))


def _context_synapses(p: Pathways) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """From context cells onto index cells: for each neighbour the synapses that its words have onto its own content key."""
    word, key, weight = p.words.source, p.words.target, p.words.weight
    by_key = np.argsort(key, kind="stable")
    ptr = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=len(p.memory)))])
    pre, post, strength = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for k in np.flatnonzero(p.alive):
        for j, w in zip(p.neighbours[p.memory[k]], p.context_weight, strict=True):
            if j >= 0:
                heard = by_key[ptr[p.content[j]] : ptr[p.content[j] + 1]]
                pre.append(word[heard])
                post.append(np.full(len(heard), k))
                strength.append(weight[heard] * w / UNIT)
    return np.concatenate(pre), np.concatenate(post), np.concatenate(strength)


def _apical_synapses(p: Pathways) -> Sparse:
    a, cells = p.apical, p.spec.lex.cells if p.spec.lex else 1
    return Sparse.from_coo(a.source, a.target, a.weight, (cells, len(p.apical_memory)))


def _apical_to_memory(p: Pathways) -> Sparse:
    n = len(p.apical_memory)
    return Sparse.from_coo(np.arange(n), p.apical_memory, 1.0, (n, len(p.content)))


def _build_spreading(p: Pathways, net: Network, links: dict[int, list[int]], passes: int, keys: int) -> None:
    """The subiculum's answer lights up the words of its text, these the apical dendrites that know them, these a plateau."""
    assert p.spec.lex is not None
    cycle, memories, cells = CycleReset(GAMMA * DT), len(p.content), p.spec.lex.cells
    net.add(Population("recalled", memories, ec.PERFECT, cycle))
    net.add(Population("ca1_plateau", memories, ec.PERFECT, cycle))
    net.connect("sub", "recalled", Sparse.from_coo(np.arange(keys), p.memory, 1.0, (keys, memories)), delay=BACK)
    pairs = [(m, m) for m in range(memories)] + [(a, b) for a, after in links.items() for b in after]
    pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
    net.connect("recalled", "ca1_plateau", Sparse.from_coo(pre, post, 1.0, (memories, memories)), delay=3 * DT)
    if len(p.apical_memory):
        words = [p.lexicon.whole_words(int(k)) for k in p.content]
        owner = np.repeat(np.arange(memories), [len(w) for w in words])
        net.add(Population("ec_lex_deep", cells, ec.PERFECT, cycle))
        net.add(Population("ca1_apical_deep", len(p.apical_memory), ec.PERFECT, cycle))
        net.connect("recalled", "ec_lex_deep", Sparse.from_coo(owner, np.concatenate(words), 1.0, (memories, cells)))
        net.connect("ec_lex_deep", "ca1_apical_deep", _apical_synapses(p))
        net.connect("ca1_apical_deep", "ca1_plateau", _apical_to_memory(p))
    net.connect("ca1_plateau", "ca1_plateau", one_to_one(1.0), delay=GAMMA * DT)
    _lift(p, net, "ca1_plateau", p.gains.spreading)
    if passes > 2:
        net.add(Population("visited", memories, ec.PERFECT, cycle))
        net.add(Population("return_inhibition", memories, ec.PERFECT, cycle))
        net.connect("recalled", "visited", one_to_one(1.0))
        net.connect("visited", "visited", one_to_one(1.0), delay=GAMMA * DT)
        net.connect("visited", "return_inhibition", one_to_one(1.0))


def stimulus(p: Pathways, protocol: list[Gamma], cue_words: CueWords, passes: int) -> dict[str, NDArray[np.generic]]:
    """Clamped spikes of `ec_lex` [time, n, cell] and `ec_time` [time, cell], and the rhythm of what hears them, [time]."""
    made: dict[str, NDArray[np.generic]] = {}
    steps, cue = len(protocol) * GAMMA, [g * GAMMA for g, gamma in enumerate(protocol) if gamma.mode is Mode.CUE]
    cells = ec_ctx.moment_cells(p.when)
    used = np.unique(cells[cells >= 0])
    if len(used):
        asked = np.zeros(len(used), bool) if cue_words.around is None else np.isin(used, ec_ctx.moment_cells(np.array([cue_words.around])))
        made["ec_time"] = np.zeros((steps, 1, len(used)), bool)
        made["ec_time"][cue] = asked
    if p.spec.lex is None:
        return made
    words = np.zeros((steps, max(len(cue_words.words), 1), p.spec.lex.cells), bool)
    for i, heard in enumerate(cue_words.words):
        for cell, spikes in zip(heard.cells, heard.spikes, strict=True):
            for start in cue:
                words[start : start + spikes, i, cell] = True
    made |= {"ec_lex": words, "ec_ctx": _window(protocol)}
    if len(p.apical_memory):
        made |= {"ca1_apical": _window(protocol, 0.0, SHUT_FROM["ca1_apical"]), "ca1_tuft": _window(protocol, shut=SHUT_FROM["ca1_tuft"])}
    if passes == 1:
        return made
    made["recalled"] = _window(protocol, only=[g.relight for g in protocol])
    made["ca1_plateau"] = _window(protocol, shut=SHUT_FROM["ca1_plateau"])
    if len(p.apical_memory):
        made["ec_lex_deep"] = _window(protocol, shut=SHUT_FROM["ec_lex_deep"])
        made["ca1_apical_deep"] = _window(protocol, 0.0, SHUT_FROM["ca1_apical_deep"])
    if passes > 2:
        made |= {
            "visited": _window(protocol),
            "return_inhibition": _window(protocol, only=[g.read and not g.noise for g in protocol]),
        }
    return made


def _window(protocol: list[Gamma], tonic: float = HALF, shut: int | None = None, only: Sequence[bool] | None = None) -> NDArray[np.float64]:
    """A current over a protocol, [time]: `tonic` at the start of each gamma cycle, inhibition from step `shut` on.

    only: the cycles in which the cells are not inhibited from the start.
    """
    open_, held = np.zeros(GAMMA), np.zeros(GAMMA)
    open_[0], held[0] = tonic, -SHUT
    if shut is not None:
        open_[shut] -= SHUT
    return np.concatenate([open_ if only is None or only[g] else held for g in range(len(protocol))])
