"""What reaches CA1 beside CA3 and the perforant path: words, context, the moment, and what lights up again; in whole units.

`Pathways` are derived from the keys' words, sessions and moments whenever these have changed. `Spoken` is what a batch of cues says on
them. The network's synapses and the short cut's arrays come from the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels.index_cells import PER_SYNAPSE, Afferents, Gains, Said
from spikemem.network import CycleReset, Network, Population
from spikemem.regions import ec, ec_ctx
from spikemem.regions.bcpnn import UNIT, Fan, Lexicon, volley
from spikemem.regions.ec_lex import Words
from spikemem.regions.rhythm import BACK, DT, GAMMA, GRID, Gamma, Mode
from spikemem.spec import ModelSpec
from spikemem.synapses import Sparse, one_to_one

PATHWAYS = ("meaning", "words", "context", "time", "key", "spreading")
"""The parts of an index cell's drive, in the order in which they are told apart."""
TO_DENDRITE = 32
"""A dendrite weighs words, context and moment by so much less than the soma, in Schaffer synapses."""
SHUT = 2.0**12
"""Inhibition that ends an apical dendrite's window: only spikes of one step meet in it."""


@dataclass(frozen=True, eq=False)
class Spoken:
    """What cues say beside their vectors.   words: one `Words` a cue.   around: s since 1970, or None."""

    words: tuple[Words, ...]
    around: float | None = None

    @classmethod
    def nothing(cls, n: int) -> "Spoken":
        return cls((SILENT,) * n)

    def some(self, which: NDArray[np.integer]) -> "Spoken":
        """What some of the cues say."""
        return Spoken(tuple(self.words[i] for i in which), self.around)

    def flat(self) -> Said:
        """The words of all cues, one after the other."""
        ptr = np.concatenate([[0], np.cumsum([len(w.cells) for w in self.words], dtype=np.int64)])
        everything = (SILENT, *self.words)
        return Said(ptr, np.concatenate([w.cells for w in everything]), np.concatenate([w.spikes for w in everything]))


SILENT = Words(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))


def spoken(words: Sequence[Words] | None, around: float | None, n: int) -> Spoken:
    return Spoken(tuple(volley(w) for w in words) if words is not None else (SILENT,) * n, around)


class Pathways:
    """Synapses onto index cells, in units of 1/64 of a perforant coincidence.

    words: word cells onto index cells.   apical: whole-word cells onto apical dendrites, as shares of the threshold.
    apical_memory: whose each apical dendrite is.   relit: memories onto the word cells of their own texts.
    linked: successors of each memory.   content: the key that holds each memory's content.   neighbours: see `ec_ctx`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        lexicon: Lexicon,
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        alive: NDArray[np.bool_],
        session: NDArray[np.int64],
        when: NDArray[np.float64],
    ) -> None:
        self.spec, self.memory, self.alive, self.lexicon = spec, memory, alive, lexicon
        unit = UNIT * ec.scale(spec.ec) ** 2
        gains = spec.ca1
        learned = lexicon.synapses(memory, content, alive)
        weight = np.round(gains.words * ec.scale(spec.ec) ** 2 * learned.onto_keys.weight)
        self.words = Fan(learned.onto_keys.ptr, learned.onto_keys.target, weight)
        self._whole = weight.astype(np.int64)
        share = np.round(learned.onto_apical.weight / gains.coincidence / GRID) * GRID
        self.apical = Fan(learned.onto_apical.ptr, learned.onto_apical.target, share)
        self.apical_memory = learned.apical_memory
        self.content = np.unique(content)
        self.neighbours = ec_ctx.neighbours(spec.context, session, alive[self.content])
        self.context_weight = ec_ctx.weights(spec.context)
        self.context_fan = self._context_fan(memory, alive, len(content))
        self.when = np.where(alive[self.content], when, np.nan)
        self.time_weight = round(gains.time * unit / (len(ec_ctx.SPANS) * ec_ctx.GRIDS))
        self.gains = Gains(
            round(UNIT * gains.meaning), round(unit * gains.key), round(unit * gains.spreading), PER_SYNAPSE * spec.dg.winners
        )  # fmt: skip

    def _context_fan(self, memory: NDArray[np.int64], alive: NDArray[np.bool_], keys: int) -> NDArray[np.int64]:
        """How many index cells hear the context that each key's words leave, [key]."""
        living = np.bincount(memory[alive], minlength=len(self.content))
        fan = np.zeros(len(self.content), np.int64)
        for d in range(self.neighbours.shape[1]):
            heard = np.flatnonzero(self.neighbours[:, d] >= 0)
            np.add.at(fan, self.neighbours[heard, d], living[heard])
        of_key = np.zeros(keys, np.int64)
        of_key[self.content] = fan
        return of_key

    def afferents(self, around: float | None) -> Afferents:
        """The same as the short cut reads it, with the drive of the moment that is asked for."""
        return Afferents(
            self.words.ptr, self.words.target, self._whole, self.content, self.neighbours, self.context_weight,
            self.context_fan, self.apical.ptr, self.apical.target, self.apical.weight, self.apical_memory, self.time_drive(around),
        )  # fmt: skip

    def time_drive(self, around: float | None) -> NDArray[np.int64]:
        """What each memory's cells hear from the cells of the moment, [memory]."""
        if around is None:
            return np.zeros(len(self.content), np.int64)
        return self.time_weight * ec_ctx.shared_moment(self.when, around)

    def relight(self, memory: int) -> NDArray[np.int64]:
        """The memories one of whose apical dendrites fires when a memory's own words light up again."""
        lit = self.lexicon.whole_words(int(self.content[memory]))
        share = np.zeros(len(self.apical_memory))
        for w in lit:
            part = slice(self.apical.ptr[w], self.apical.ptr[w + 1])
            share[self.apical.target[part]] += self.apical.weight[part]
        return np.unique(self.apical_memory[share > 1.0])

    # -- as a network --------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, links: dict[int, list[int]], passes: int) -> None:
        """Add word, context and moment cells, apical dendrites, and, for more than one pass, what lights up again."""
        if self.spec.lex is None:
            self._build_moment(net)
            return
        cells, keys = self.spec.lex.cells, len(self.memory)
        cycle = CycleReset(GAMMA * DT)
        for name in ("ec_lex", "ec_ctx"):
            net.add(Population(name, cells, ec.PERFECT, cycle))
        net.connect("ec_lex", "ec_ctx", one_to_one(1.0))
        self._onto_ca1(net, "ec_lex", self.words.source, self.words.target, self.words.weight, cells)
        self._onto_ca1(net, "ec_ctx", *self._context_synapses(), cells)
        self._build_moment(net)
        if len(self.apical_memory):
            net.add(Population("ca1_apical", len(self.apical_memory), ec.PERFECT, cycle))
            net.add(Population("ca1_tuft", len(self.content), ec.PERFECT, cycle))
            net.connect("ec_lex", "ca1_apical", self._apical_synapses())
            net.connect("ca1_apical", "ca1_tuft", self._apical_to_memory())
            self._lift(net, "ca1_tuft", self.gains.key)
        if passes > 1:
            self._build_spreading(net, links, passes, keys)

    def _build_moment(self, net: Network) -> None:
        cells = ec_ctx.moment_cells(self.when)
        used = np.unique(cells[cells >= 0])
        if not len(used):
            return
        owner, column = np.nonzero(cells >= 0)
        place = np.searchsorted(used, cells[owner, column])
        key = np.flatnonzero(self.alive)
        of_memory: list[list[int]] = [[] for _ in range(len(self.content))]
        for k in key:
            of_memory[self.memory[k]].append(int(k))
        pairs = [(p, k) for p, m in zip(place, owner, strict=True) for k in of_memory[m]]
        pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
        net.add(Population("ec_time", len(used), ec.PERFECT, CycleReset(GAMMA * DT)))
        self._onto_ca1(net, "ec_time", pre, post, np.full(len(pre), self.time_weight / UNIT), len(used))

    def _onto_ca1(
        self, net: Network, name: str, pre: NDArray[np.int64], post: NDArray[np.int64], weight: NDArray[np.float64], cells: int
    ) -> None:
        shape = (cells, len(self.memory))
        soma = Sparse.from_coo(pre, post, weight, shape)
        net.connect(name, "ca1", soma)
        net.connect(name, "sub", soma)
        net.connect(name, "ca1_dendrite", Sparse(soma.indptr, soma.targets, soma.weights / TO_DENDRITE, soma.post))

    def _lift(self, net: Network, name: str, gain: int) -> None:
        """One spike of a memory's cell lifts its somata by a gain and opens their dendrites."""
        living = np.flatnonzero(self.alive)
        shape = (len(self.content), len(self.memory))
        soma = Sparse.from_coo(self.memory[living], living, gain / UNIT, shape)
        net.connect(name, "ca1", soma)
        net.connect(name, "sub", soma)
        net.connect(name, "ca1_dendrite", Sparse.from_coo(self.memory[living], living, float(self.spec.dg.winners), shape))

    def _context_synapses(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """From context cells onto index cells: for each neighbour the synapses that its words have onto its own content key."""
        word, key, weight = self.words.source, self.words.target, self.words.weight
        by_key = np.argsort(key, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=len(self.memory)))])
        pre, post, strength = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for k in np.flatnonzero(self.alive):
            for j, w in zip(self.neighbours[self.memory[k]], self.context_weight, strict=True):
                if j >= 0:
                    heard = by_key[ptr[self.content[j]] : ptr[self.content[j] + 1]]
                    pre.append(word[heard])
                    post.append(np.full(len(heard), k))
                    strength.append(weight[heard] * w / UNIT)
        return np.concatenate(pre), np.concatenate(post), np.concatenate(strength)

    def _apical_synapses(self) -> Sparse:
        a, cells = self.apical, self.spec.lex.cells if self.spec.lex else 1
        return Sparse.from_coo(a.source, a.target, a.weight, (cells, len(self.apical_memory)))

    def _apical_to_memory(self) -> Sparse:
        n = len(self.apical_memory)
        return Sparse.from_coo(np.arange(n), self.apical_memory, 1.0, (n, len(self.content)))

    def _build_spreading(self, net: Network, links: dict[int, list[int]], passes: int, keys: int) -> None:
        """The subiculum's answer lights up the words of its text, these the apical dendrites that know them, these a plateau."""
        assert self.spec.lex is not None
        cycle, memories, cells = CycleReset(GAMMA * DT), len(self.content), self.spec.lex.cells
        net.add(Population("recalled", memories, ec.PERFECT, cycle))
        net.add(Population("ca1_plateau", memories, ec.PERFECT, cycle))
        net.connect("sub", "recalled", Sparse.from_coo(np.arange(keys), self.memory, 1.0, (keys, memories)), delay=BACK)
        pairs = [(m, m) for m in range(memories)] + [(a, b) for a, after in links.items() for b in after]
        pre, post = np.array(pairs, np.int64).reshape(-1, 2).T
        net.connect("recalled", "ca1_plateau", Sparse.from_coo(pre, post, 1.0, (memories, memories)), delay=3 * DT)
        if len(self.apical_memory):
            words = [self.lexicon.whole_words(int(k)) for k in self.content]
            owner = np.repeat(np.arange(memories), [len(w) for w in words])
            net.add(Population("ec_lex_deep", cells, ec.PERFECT, cycle))
            net.add(Population("ca1_apical_deep", len(self.apical_memory), ec.PERFECT, cycle))
            net.connect("recalled", "ec_lex_deep", Sparse.from_coo(owner, np.concatenate(words), 1.0, (memories, cells)))
            net.connect("ec_lex_deep", "ca1_apical_deep", self._apical_synapses())
            net.connect("ca1_apical_deep", "ca1_plateau", self._apical_to_memory())
        net.connect("ca1_plateau", "ca1_plateau", one_to_one(1.0), delay=GAMMA * DT)
        self._lift(net, "ca1_plateau", self.gains.spreading)
        if passes > 2:
            net.add(Population("visited", memories, ec.PERFECT, cycle))
            net.add(Population("return_inhibition", memories, ec.PERFECT, cycle))
            net.connect("recalled", "visited", one_to_one(1.0))
            net.connect("visited", "visited", one_to_one(1.0), delay=GAMMA * DT)
            net.connect("visited", "return_inhibition", one_to_one(1.0))

    def stimulus(self, protocol: list[Gamma], said: Spoken, passes: int) -> dict[str, NDArray[np.generic]]:
        """Clamped spikes of `ec_lex` [time, n, cell] and `ec_time` [time, cell], and the rhythm of what hears them, [time]."""
        made: dict[str, NDArray[np.generic]] = {}
        steps, cue = len(protocol) * GAMMA, [g * GAMMA for g, gamma in enumerate(protocol) if gamma.mode is Mode.CUE]
        cells = ec_ctx.moment_cells(self.when)
        used = np.unique(cells[cells >= 0])
        if len(used):
            asked = np.zeros(len(used), bool) if said.around is None else np.isin(used, ec_ctx.moment_cells(np.array([said.around])))
            made["ec_time"] = np.zeros((steps, 1, len(used)), bool)
            made["ec_time"][cue] = asked
        if self.spec.lex is None:
            return made
        words = np.zeros((steps, max(len(said.words), 1), self.spec.lex.cells), bool)
        for i, heard in enumerate(said.words):
            for cell, spikes in zip(heard.cells, heard.spikes, strict=True):
                for start in cue:
                    words[start : start + spikes, i, cell] = True
        made |= {"ec_lex": words, "ec_ctx": _window(protocol)}
        if len(self.apical_memory):
            made |= {"ca1_apical": _window(protocol, 0.0, 2), "ca1_tuft": _window(protocol, shut=3)}
        if passes == 1:
            return made
        made |= {"recalled": _window(protocol, only=[g.relight for g in protocol]), "ca1_plateau": _window(protocol, shut=5)}
        if len(self.apical_memory):
            made |= {"ec_lex_deep": _window(protocol, shut=3), "ca1_apical_deep": _window(protocol, 0.0, 4)}
        if passes > 2:
            made |= {
                "visited": _window(protocol),
                "return_inhibition": _window(protocol, only=[g.read and not g.noise for g in protocol]),
            }
        return made


def _window(
    protocol: list[Gamma], tonic: float = ec.HALF, shut: int | None = None, only: Sequence[bool] | None = None
) -> NDArray[np.float64]:
    """A current over a protocol, [time]: `tonic` at the start of each gamma cycle, inhibition from step `shut` on.

    only: the cycles in which the cells are not inhibited from the start.
    """
    open_, held = np.zeros(GAMMA), np.zeros(GAMMA)
    open_[0], held[0] = tonic, -SHUT
    if shut is not None:
        open_[shut] -= SHUT
    return np.concatenate([open_ if only is None or only[g] else held for g in range(len(protocol))])
