"""The pathways onto CA1's index cells, one class each: its cells, what drives them, and its share of the drive A_k (`regions.ca1`).

A pathway is a subclass of `Pathway` in the list at the end, with a gain in `spec.CA1Spec`; CA1, its kernel and the rate twin loop over
the list. Moments compute their drive themselves, as one of your own does; the others are computed in `kernels.index_drives`.

Word cells fire in the first steps of each gamma cycle in which the cue is held (as often as the cue repeats the word), cells of context and
denial a step later. What is one spike for a memory has to be one spike in the network: cells whose input must meet in a single step are
inhibited from the next step on (`SHUT_FROM`).

    gamma cycle of a cue      0 ec_lex, ec_time, ec_polarity    1 ec_ctx, ec_denial, ca1_apical    2 ca1_tuft
    after a read              1 recalled           2 ec_lex_deep           3 ca1_apical_deep    4 ca1_plateau, and so in each later cycle
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, ec_ctx, polarity
from spikemem.hippocampus.regions.bcpnn import MOST_CELLS, MOST_SPIKES, UNIT
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.pathways import TO_DENDRITE, Synapses, Taught
from spikemem.hippocampus.regions.rhythm import BACK, DT, GAMMA, SHUT, window
from spikemem.hippocampus.spec import ModelSpec
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.synapses import Dense, Sparse, one_to_one

SHUT_FROM = {"ca1_apical": 2, "ca1_tuft": 3, "ec_lex_deep": 3, "ca1_apical_deep": 4, "ca1_plateau": 5}
"""The step of a gamma cycle from which these cells are inhibited, one after that in which they may fire."""
CYCLE = CycleReset(GAMMA * DT)
"""The gamma cycle, at whose start these cells are reset."""


@dataclass(frozen=True, eq=False)
class RateCue:
    """A cue of the rate twin.

    taught: the learned weights.   words: of the cue.   around: the moment that it is about, or None.   primed: plateaus, [memory].
    """

    taught: Taught
    words: Words
    around: float | None
    primed: NDArray[np.bool_]

    @cached_property
    def by_words(self) -> NDArray[np.float64]:
        """g_words sum over words of x_w W_wk, [key]."""
        onto, total = self.taught.learned.onto_keys, np.zeros(len(self.taught.memory))
        for cell, rate in zip(self.words.cells, self.words.spikes, strict=True):
            part = slice(onto.ptr[cell], onto.ptr[cell + 1])
            np.add.at(total, onto.target[part], rate * onto.weight[part])
        return self.taught.spec.ca1.words * total


class Pathway(ABC):
    """A pathway onto index cells; a subclass says its bound, and overrides what else it needs.

    name: in the parts of a drive (`Recall.drives`).   of_words: whether only models with word cells have it.
    """

    name: ClassVar[str]
    of_words: ClassVar[bool] = False

    @abstractmethod
    def bound(self, spec: ModelSpec) -> float:
        """An upper bound of what it adds to a soma, in coincident spikes."""

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:  # noqa: B027 (one that has no cells of its own builds nothing)
        """Add its cells, and their synapses onto `ca1`, `sub` and `ca1_dendrite` (`onto_index_cells`)."""

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External currents and clamped spikes of its cells (see `Region.stimulus`)."""
        return {}

    def drive(self, s: Synapses, cue_words: CueWords) -> NDArray[np.int64] | None:
        """What it adds to the index cells of each memory, in 1/64, [n or 1, memory], and 1/32 as strong to their dendrites.

        None where it adds nothing, or where `kernels.index_cells` computes it.
        """
        return None

    def rate(self, cue: RateCue) -> NDArray[np.floating] | None:
        """What it adds in the rate twin, where a cue's own copy drives by 1, [memory]; None where nothing, or where the twin does it."""
        return None


class MeaningPathway(Pathway):
    """The perforant path: a cue's spikes against those that an index cell was taught."""

    name = "meaning"

    def bound(self, spec: ModelSpec) -> float:
        """|n| <= s + sqrt(d) e, where e is how far n is rounded up."""
        return spec.ec.dim * (ec.charge(spec.ec) + ec.rounding(spec.ec)) ** 2 * max(spec.ca1.meaning, 1.0)

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        perforant = Dense(ec.push_pull(s.counts.T * (s.gains.meaning / UNIT)))
        ec.connect(net, s.spec.ec, "ca1", perforant)
        ec.connect(net, s.spec.ec, "sub", perforant)


class WordsPathway(Pathway):
    """Word cells onto the index cells of the keys that have their words."""

    name, of_words = "words", True

    def bound(self, spec: ModelSpec) -> float:
        saturation = spec.lex.saturation if spec.lex else 0.0
        return MOST_CELLS * MOST_SPIKES * (spec.ca1.words * ec.scale(spec.ec) ** 2 * (1 + saturation) + 1)

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        net.add(Population("ec_lex", _lexicon(s), ec.PERFECT, CYCLE))
        onto_index_cells(s, net, "ec_lex", s.words.source, s.words.target, s.words.weight)

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        return {"ec_lex": drive.spikes_of_words(_lexicon(s))}


class ContextPathway(Pathway):
    """Context cells, which fire with the word cells, onto the index cells of what was stored around a text that has these words."""

    name, of_words = "context", True

    def bound(self, spec: ModelSpec) -> float:
        return WORDS.bound(spec) * float(ec_ctx.weights(spec.context).sum()) / UNIT

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        net.add(Population("ec_ctx", _lexicon(s), ec.PERFECT, CYCLE))
        net.connect("ec_lex", "ec_ctx", one_to_one(1.0))
        onto_index_cells(s, net, "ec_ctx", *_context_synapses(s))

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        return {"ec_ctx": window(drive.protocol)}

    def rate(self, cue: RateCue) -> NDArray[np.floating]:
        taught = cue.taught
        own = np.append(cue.by_words[taught.content], 0.0)  # the last entry is for no neighbour, -1
        return own[taught.neighbours] @ ec_ctx.shares(taught.spec.context)


class TimePathway(Pathway):
    """Cells of the moment that a cue is about, onto the index cells of memories of that time."""

    name = "time"

    def bound(self, spec: ModelSpec) -> float:
        return spec.ca1.time * ec.scale(spec.ec) ** 2

    def weight(self, s: Synapses) -> int:
        """The weight of one cell of the moment, in 1/64."""
        return round(s.spec.ca1.time * s.unit / (len(ec_ctx.SPANS) * ec_ctx.GRIDS))

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        owner, cells = s.moments.cells()
        used, position = np.unique(cells, return_inverse=True)
        if not len(used):
            return
        of_memory: list[list[int]] = [[] for _ in range(len(s.content))]
        for k in np.flatnonzero(s.alive):
            of_memory[s.memory[k]].append(int(k))
        pairs = [(cell, k) for cell, m in zip(position, owner, strict=True) for k in of_memory[m]]
        pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
        net.add(Population("ec_time", len(used), ec.PERFECT, CYCLE))
        onto_index_cells(s, net, "ec_time", pre, post, np.full(len(pre), self.weight(s) / UNIT))

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        used = np.unique(s.moments.cells()[1])
        if not len(used):
            return {}
        around, spikes = drive.cue_words.around, np.zeros((len(drive.protocol) * GAMMA, 1, len(used)), bool)
        if around is not None:
            spikes[drive.starts] = np.isin(used, ec_ctx.moment_cells(np.array([around])))
        return {"ec_time": spikes}

    def drive(self, s: Synapses, cue_words: CueWords) -> NDArray[np.int64] | None:
        return None if cue_words.around is None else self.weight(s) * ec_ctx.shared_moment(s.moments, cue_words.around)[None]

    def rate(self, cue: RateCue) -> NDArray[np.floating] | None:
        if cue.around is None:
            return None
        return cue.taught.spec.ca1.time * ec_ctx.shared_moment(cue.taught.moments, cue.around) / (len(ec_ctx.SPANS) * ec_ctx.GRIDS)


class KeyPathway(Pathway):
    """Apical dendrites that have learned the words of one of a memory's cues, and fire when these are active together."""

    name, of_words = "key", True

    def bound(self, spec: ModelSpec) -> float:
        return spec.ca1.key * ec.scale(spec.ec) ** 2

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        if len(s.apical_memory):
            net.add(Population("ca1_apical", len(s.apical_memory), ec.PERFECT, CYCLE))
            net.add(Population("ca1_tuft", len(s.content), ec.PERFECT, CYCLE))
            net.connect("ec_lex", "ca1_apical", _apical_synapses(s))
            net.connect("ca1_apical", "ca1_tuft", _apical_to_memory(s))
            _lift(s, net, "ca1_tuft", s.gains.key)

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        if not len(s.apical_memory):
            return {}
        return {
            "ca1_apical": window(drive.protocol, 0.0, SHUT_FROM["ca1_apical"]),
            "ca1_tuft": window(drive.protocol, shut=SHUT_FROM["ca1_tuft"]),
        }

    def rate(self, cue: RateCue) -> NDArray[np.floating]:
        onto, taught = cue.taught.learned.onto_apical, cue.taught
        share = np.zeros(len(taught.apical_memory))
        for cell in cue.words.cells:
            part = slice(onto.ptr[cell], onto.ptr[cell + 1])
            np.add.at(share, onto.target[part], onto.weight[part])
        fired = taught.apical_memory[share > taught.spec.ca1.coincidence]
        return taught.spec.ca1.key * np.isin(np.arange(len(taught.content)), fired)


class SpreadingPathway(Pathway):
    """Plateaus that prime what was recalled a theta cycle before, its successors, and memories whose cues its text names."""

    name, of_words = "spreading", True

    def bound(self, spec: ModelSpec) -> float:
        return spec.ca1.spreading * ec.scale(spec.ec) ** 2

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        """The subiculum's answer excites the words of its text, these the apical dendrites that know them, these a plateau."""
        if wiring.passes == 1:
            return
        memories, keys = len(s.content), len(s.memory)
        net.add(Population("recalled", memories, ec.PERFECT, CYCLE))
        net.add(Population("ca1_plateau", memories, ec.PERFECT, CYCLE))
        net.connect("sub", "recalled", Sparse.from_coo(np.arange(keys), s.memory, 1.0, (keys, memories)), delay=BACK)
        pairs = [(m, m) for m in range(memories)] + [(a, b) for a, after in wiring.links.items() for b in after]
        pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
        net.connect("recalled", "ca1_plateau", Sparse.from_coo(pre, post, 1.0, (memories, memories)), delay=3 * DT)
        if len(s.apical_memory):
            self._build_words(s, net)
        net.connect("ca1_plateau", "ca1_plateau", one_to_one(1.0), delay=GAMMA * DT)
        _lift(s, net, "ca1_plateau", s.gains.spreading)
        if wiring.passes > 2:
            net.add(Population("visited", memories, ec.PERFECT, CYCLE))
            net.add(Population("return_inhibition", memories, ec.PERFECT, CYCLE))
            net.connect("recalled", "visited", one_to_one(1.0))
            net.connect("visited", "visited", one_to_one(1.0), delay=GAMMA * DT)
            net.connect("visited", "return_inhibition", one_to_one(1.0))

    def _build_words(self, s: Synapses, net: Network) -> None:
        memories, words = len(s.content), [s.lexicon.whole_words(int(k)) for k in s.content]
        owner = np.repeat(np.arange(memories), [len(w) for w in words])
        net.add(Population("ec_lex_deep", _lexicon(s), ec.PERFECT, CYCLE))
        net.add(Population("ca1_apical_deep", len(s.apical_memory), ec.PERFECT, CYCLE))
        net.connect("recalled", "ec_lex_deep", Sparse.from_coo(owner, np.concatenate(words), 1.0, (memories, _lexicon(s))))
        net.connect("ec_lex_deep", "ca1_apical_deep", _apical_synapses(s))
        net.connect("ca1_apical_deep", "ca1_plateau", _apical_to_memory(s))

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        if drive.passes == 1:
            return {}
        protocol = drive.protocol
        made: dict[str, NDArray[np.generic]] = {
            "recalled": window(protocol, only=[g.primes for g in protocol]),
            "ca1_plateau": window(protocol, shut=SHUT_FROM["ca1_plateau"]),
        }
        if len(s.apical_memory):
            made["ec_lex_deep"] = window(protocol, shut=SHUT_FROM["ec_lex_deep"])
            made["ca1_apical_deep"] = window(protocol, 0.0, SHUT_FROM["ca1_apical_deep"])
        if drive.passes > 2:
            made["visited"] = window(protocol)
            made["return_inhibition"] = window(protocol, only=[g.read and not g.noise for g in protocol])
        return made

    def rate(self, cue: RateCue) -> NDArray[np.floating]:
        return cue.taught.spec.ca1.spreading * cue.primed


class DenialPathway(Pathway):
    """Words of a cue that affirms inhibit memories that deny, and the other way round (`regions.polarity`)."""

    name, of_words = "denial", True

    def bound(self, spec: ModelSpec) -> float:
        return WORDS.bound(spec) * spec.ca1.denial  # that of words has room for how each weight is rounded

    def build(self, s: Synapses, net: Network, wiring: CircuitWiring) -> None:
        """Words excite a cell for each polarity; the cue's polarity inhibits those of the other, and both do in a cue that asks."""
        if s.denial is not None:
            word, said = s.denial.words()
            net.add(Population("ec_polarity", 2, ec.PERFECT, CYCLE))
            net.add(Population("ec_denial", len(word), ec.PERFECT, CYCLE))
            net.connect("ec_lex", "ec_denial", Sparse.from_coo(word, np.arange(len(word)), 1.0, (_lexicon(s), len(word))))
            net.connect("ec_polarity", "ec_denial", Sparse.from_coo(1 - said, np.arange(len(word)), -SHUT, (2, len(word))))
            onto_index_cells(s, net, "ec_denial", *s.denial.synapses(s))

    def stimulus(self, s: Synapses, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        if s.denial is None:
            return {}
        spikes = np.zeros((len(drive.protocol) * GAMMA, len(drive.cue_words.words), 2), bool)
        spikes[drive.starts] = polarity.cells(polarity.of_cues(drive.cue_words, _lexicon(s)))
        return {"ec_polarity": spikes, "ec_denial": window(drive.protocol)}

    def rate(self, cue: RateCue) -> NDArray[np.floating] | None:
        s, gain = cue.taught, cue.taught.spec.ca1.denial
        return -gain * np.where(polarity.opposed(s, cue.words), cue.by_words[s.content], 0.0) if gain else None


WORDS = WordsPathway()
ALL: tuple[Pathway, ...] = (MeaningPathway(), WORDS, ContextPathway(), TimePathway(), KeyPathway(), SpreadingPathway(), DenialPathway())
"""The pathways onto index cells; a new one is added at the end."""
PATHWAYS = tuple(pathway.name for pathway in ALL)
"""Names of the pathways: the parts of an index cell's drive, in this order."""


# -- synapses and currents -------------------------------------------------------------------------------------------------------------


def onto_index_cells(
    s: Synapses, net: Network, name: str, pre: NDArray[np.int64], post: NDArray[np.int64], weight: NDArray[np.float64]
) -> None:
    """Synapses from a population onto somata, subiculum, and, 1/32 as strong, dendrites.   weight: a multiple of 1/64, [synapse]."""
    soma = Sparse.from_coo(pre, post, weight, (net.populations[name].size, len(s.memory)))
    net.connect(name, "ca1", soma)
    net.connect(name, "sub", soma)
    net.connect(name, "ca1_dendrite", Sparse(soma.indptr, soma.targets, soma.weights / TO_DENDRITE, soma.post))


def _lift(s: Synapses, net: Network, name: str, gain: int) -> None:
    """Synapses by which one spike of a memory's cell drives its somata with a gain and opens their dendrites."""
    living = np.flatnonzero(s.alive)
    shape = (len(s.content), len(s.memory))
    soma = Sparse.from_coo(s.memory[living], living, gain / UNIT, shape)
    net.connect(name, "ca1", soma)
    net.connect(name, "sub", soma)
    net.connect(name, "ca1_dendrite", Sparse.from_coo(s.memory[living], living, float(s.spec.dg.winners), shape))


def _lexicon(s: Synapses) -> int:
    return s.spec.lex.cells if s.spec.lex else 1


def _context_synapses(s: Synapses) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """From context cells onto index cells: for each neighbour the synapses that its words have onto its own content key."""
    word, key, weight = s.words.source, s.words.target, s.words.weight
    by_key = np.argsort(key, kind="stable")
    ptr = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=len(s.memory)))])
    pre, post, strength = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for k in np.flatnonzero(s.alive):
        for j, w in zip(s.neighbours[s.memory[k]], s.context_weight, strict=True):
            if j >= 0:
                own = by_key[ptr[s.content[j]] : ptr[s.content[j] + 1]]
                pre.append(word[own])
                post.append(np.full(len(own), k))
                strength.append(weight[own] * w / UNIT)
    return np.concatenate(pre), np.concatenate(post), np.concatenate(strength)


def _apical_synapses(s: Synapses) -> Sparse:
    return Sparse.from_coo(s.apical.source, s.apical.target, s.apical.weight, (_lexicon(s), len(s.apical_memory)))


def _apical_to_memory(s: Synapses) -> Sparse:
    n = len(s.apical_memory)
    return Sparse.from_coo(np.arange(n), s.apical_memory, 1.0, (n, len(s.content)))
