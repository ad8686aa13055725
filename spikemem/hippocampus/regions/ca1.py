"""CA1 and subiculum: index cells, one for each stored cue, that need CA3 and EC together.

    A_k =   g_meaning  n_key . n_cue                                                perforant path          ec -> ca1
          + g_words    s^2 sum over words of x_w W_wk                               word cells              ec_lex -> ca1
          + g_words    s^2 sum over neighbours j in time of c_j sum of x_w W_wj     context cells           ec_ctx -> ca1
          + g_time     s^2 share of the cells of its moment that are asked for      cells of the moment     ec_time -> ca1
          + g_key      s^2  where the cue's words excite an apical dendrite of k's memory                   ca1_tuft -> ca1
          + g_spread   s^2  where k's memory was recalled a pass before, is its successor, or has an apical dendrite
                            that the words of what was recalled excite                                      ca1_plateau -> ca1

    dendrite   opens where  |code(key) and CA3| + (words + context + moment) / 32 + apical is among the largest, ca1.candidates of them
    soma       fires where the dendrite is open, the largest A_k first, ca1.competitors of them
    subiculum  the first of these under noise:  argmax(A_k + s^2 / b Gumbel),  so P(key) = softmax(b A_k / s^2)

The gains are the model file's (`ca1`), s^2 is what a cue's own copy gives by meaning alone; W and x are those of `bcpnn`, c of `ec_ctx`.
A model without word cells has the first line only, and cells of the moment.

The first spike of a race under Gumbel noise is a sample of the softmax (Gumbel 1954), so the share of gamma cycles that a cell wins is
its attention, the settle step of a modern Hopfield network (Ramsauer 2021). The soma behind a
dendrite that must spike first is a two-layer neuron (Poirazi 2003); that dendrites, too, compete by a basket cell is the model's. Words
open dendrites by themselves and have no synapses onto DG: opening all dendrites finds no more (`sims/memory/candidates.py`).
Perforant weights are the spike counts of the one volley that was stored (teacher-forced Hebb), int8.

Novelty is the mismatch between what CA3 brings and what EC says: 1 - cosine of the best candidate's synapses and the cue's volley.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpecError
from spikemem.hippocampus.regions import ec, pathway_cells
from spikemem.hippocampus.regions.bcpnn import MOST_CELLS, MOST_SPIKES, UNIT, Lexicon
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION
from spikemem.hippocampus.regions.ec_ctx import weights as context_weights
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.pathways import PATHWAYS, SILENT, TO_DENDRITE, CueWords, Pathways
from spikemem.hippocampus.regions.rhythm import CA1_RELEASE, DENDRITE_RELEASE, DT, GAMMA, GRID, SUB_RELEASE, Gamma, Mode, above, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import circuit, index_cells
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.synapses import Dense, Sparse, one_to_one

DENDRITE_HOLD = 2.0**10
GUMBEL_BOUND = 40.0
"""No Gumbel number from 52 random bits is larger."""
FIRST_COSINE = 0.5
"""A soma with at least this cosine fires one step before the rest."""
CA3_SHARES = (1.0, 0.75)
"""After a hop a dendrite opens first where it hears a whole core, then where three quarters; a near duplicate rarely has the whole."""
EXACT = 2.0**38
"""Below it, sums of multiples of 2^-14 are exact in float64 with a bit to spare."""
NONE = -1
"""In place of an id or a place where there is none."""


def ca3_levels(core: int) -> tuple[float, float]:
    """Shared cells that a dendrite must exceed after a hop, at its first and its second release."""
    early, late = (round(share * core) - 0.5 for share in CA3_SHARES)
    return early, late


@dataclass(frozen=True, eq=False)
class Ranking:
    """order: keys in firing order, [n, candidates], NONE-padded.   parts: A_k by `PATHWAYS`, in 1/64, [n, candidates, 6].
    events: synaptic events, [n]."""

    order: NDArray[np.int64]
    parts: NDArray[np.int64]
    events: NDArray[np.int64]

    @property
    def drive(self) -> NDArray[np.float64]:
        """A_k in perforant coincidences, [n, candidates]."""
        return self.parts.sum(axis=2) / UNIT


class CA1:
    """The index cells' synapses.

    counts: perforant weights, int8, [key, d].   codes: Schaffer synapses, the CA3 cells heard, uint16, [key, k].
    memory: the memory that a key belongs to, [key].   content: the key whose counts are the memory's content, [key].   alive: [key].
    lexicon: the words of the keys.   session, when: those of the memories, [memory].
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._size = 0
        self._counts = np.zeros((0, spec.ec.dim), np.int8)
        self._codes = np.zeros((0, spec.dg.winners), np.uint16)
        self._memory, self._content, self._alive = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
        self._built = 0
        self._indptr, self._keys = np.zeros(spec.dg.cells + 1, np.int64), np.zeros(0, np.int32)
        self.lexicon = Lexicon(spec)
        self.session, self.when = np.zeros(0, np.int64), np.zeros(0)
        self._pathways: Pathways | None = None
        if 2 * self.gate >= EXACT:
            raise SpecError(
                f"model {spec.name!r}: drives up to {self.gate:.0f} are no longer exact; make gains, ec.charge or ec.dim smaller"
            )

    def __len__(self) -> int:
        return self._size

    @property
    def counts(self) -> NDArray[np.int8]:
        return self._counts[: self._size]

    @property
    def codes(self) -> NDArray[np.uint16]:
        return self._codes[: self._size]

    @property
    def memory(self) -> NDArray[np.int64]:
        return self._memory[: self._size]

    @property
    def content(self) -> NDArray[np.int64]:
        return self._content[: self._size]

    @property
    def alive(self) -> NDArray[np.bool_]:
        return self._alive[: self._size]

    def memories(self) -> int:
        """How many memories have a living index cell."""
        return len(np.unique(self.memory[self.alive]))

    def owners(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The memories of keys; NONE stays NONE."""
        return np.where(keys == NONE, NONE, self.memory[keys] if len(self) else NONE)

    @property
    def pathways(self) -> Pathways:
        """The synapses of words, context and moment as they stand."""
        if self._pathways is None:
            self._pathways = Pathways(self.spec, self.lexicon, self.memory, self.content, self.alive, self.session, self.when)
        return self._pathways

    def remember(self, session: NDArray[np.int64], when: NDArray[np.float64]) -> None:
        """Sessions and moments of new memories, s since 1970; their keys are added next."""
        self.session, self.when = np.concatenate([self.session, session]), np.concatenate([self.when, when])
        self._pathways = None

    def add(
        self,
        counts: NDArray[np.int8],
        codes: NDArray[np.uint16],
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        heard: Sequence[Words] | None = None,
        cue: NDArray[np.bool_] | None = None,
    ) -> None:
        """New index cells, teacher-forced to fire with these volleys, codes and words.   cue: keys that are not the memory's own text."""
        self.lexicon.add([SILENT] * len(counts) if heard is None else heard, np.zeros(len(counts), bool) if cue is None else cue)
        self._pathways = None
        new = self._size + len(counts)
        if new > len(self._counts):
            room = max(new, 2 * self._size, 64)
            for name in ("_counts", "_codes", "_memory", "_content", "_alive"):
                old = getattr(self, name)
                grown = np.zeros((room, *old.shape[1:]), old.dtype)
                grown[: self._size] = old[: self._size]
                setattr(self, name, grown)
        fresh = slice(self._size, new)
        self._counts[fresh], self._codes[fresh], self._memory[fresh] = counts, codes, memory
        self._content[fresh], self._alive[fresh] = content, True
        self._size = new
        self.lexicon.count(np.flatnonzero(content == np.arange(fresh.start, new)) + fresh.start)
        unknown = int(self.memory.max(initial=-1)) + 1 - len(self.session)
        if unknown > 0:
            self.remember(np.full(unknown, NO_SESSION), np.full(unknown, np.nan))

    def silence(self, keys: NDArray[np.int64]) -> None:
        """These index cells fire no more."""
        gone = keys[self._alive[keys]]
        self.lexicon.count(gone[self.content[gone] == gone], -1)
        self._alive[keys] = False
        self._pathways = None

    def renew(self, memory: int, when: float) -> None:
        """A moment at which a memory happened again, s since 1970; the latest one is kept."""
        self.when[memory] = np.fmax(self.when[memory], when)
        self._pathways = None

    def recode(self, codes: NDArray[np.uint16]) -> None:
        """Replace all Schaffer synapses, [key, k]."""
        self._codes[: self._size] = codes
        self._built = 0

    def _index(self) -> None:
        """Bring the lists of each CA3 cell's targets up to date; the few newest keys are compared one by one instead."""
        if self._size - self._built > max(256, self._built // 4) or self._built == 0:
            cells = self.codes.ravel()
            order = np.argsort(cells, kind="stable")
            self._keys = (order // self.spec.dg.winners).astype(np.int32)
            self._indptr = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=self.spec.dg.cells))]).astype(np.int64)
            self._built = self._size

    def rank(
        self,
        counts: NDArray[np.int8],
        active: NDArray[np.uint16],
        size: NDArray[np.int64],
        candidates: int,
        cue_words: CueWords | None = None,
        primed: NDArray[np.bool_] | None = None,
    ) -> Ranking:
        """Which index cells fire to EC volleys [n, d] and CA3 cells [n, k] of which the first `size` count.

        cue_words: what the cues say on the other pathways.   primed: plateaus, [n, memory].
        """
        cue_words = cue_words or CueWords.nothing(len(counts))
        primed = np.zeros((len(counts), len(self.pathways.content)), bool) if primed is None else primed
        return Ranking(*index_cells.rank(counts, active, size, primed, *self._afferents(candidates, cue_words)))

    def nearest(self, counts: NDArray[np.int8], active: NDArray[np.uint16], size: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index cell that fires first to meaning alone, [n], NONE where none does; arguments as in `rank`.

        It needs none of the synapses of words and context, which are derived anew after each store.
        """
        self._index()
        index = index_cells.Keys(
            self.counts, self.codes, self.alive, self.memory, self._indptr, self._keys, self._built, self.spec.dg.cells
        )
        memories, none = np.zeros(len(self.session), np.int64), np.zeros(0, np.int64)
        fan, apart = np.zeros(len(self), np.int64), np.zeros((0, 0), np.int64)
        silent = index_cells.Afferents(none, none, none, memories, apart, none, fan, none, none, np.zeros(0), none, memories)
        gains = index_cells.Gains(round(UNIT * self.spec.ca1.meaning), 0, 0, 0)
        primed = np.zeros((len(counts), len(memories)), bool)
        most = min(self.spec.ca1.candidates, max(len(self), 1))
        order, _, _ = index_cells.rank(counts, active, size, primed, most, index, CueWords.nothing(len(counts)).flat(), silent, gains)
        return order[:, 0]

    def _afferents(
        self, candidates: int, cue_words: CueWords
    ) -> tuple[int, index_cells.Keys, index_cells.FlatWords, index_cells.Afferents, index_cells.Gains]:
        """How many dendrites open, and what index cells hear, as the kernels read it."""
        self._index()
        keys = index_cells.Keys(self.counts, self.codes, self.alive, self.memory, self._indptr, self._keys, self._built, self.spec.dg.cells)
        p = self.pathways
        return min(candidates, max(len(self), 1)), keys, cue_words.flat(), p.afferents(cue_words.around), p.gains

    def lottery(self, competitors: int, start: int, seed: int) -> index_cells.Lottery:
        """The subiculum's race from gamma cycle `start` on."""
        return index_cells.Lottery(competitors, start, seed, self.noise_size(), GRID)

    def attend_unsettled(
        self,
        volley: tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.uint16], NDArray[np.uint8]],
        recurrent: index_cells.Recurrent,
        lottery: index_cells.Lottery,
        cycles: int,
        active: tuple[NDArray[np.uint16], NDArray[np.int64]],
        candidates: int,
        cue_words: CueWords,
        primed: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """`attend` while CA3 goes on from its `active` cells and their number.   volley: names, counts, codes and when of the cues."""
        names, counts, codes, when = volley
        cells, size = active
        most, keys, words, given, gains = self._afferents(candidates, cue_words)
        return index_cells.attend_unsettled(
            names, codes, when, recurrent, lottery, cycles, counts, cells, size, primed, most, keys, words, given, gains
        )

    def parts(self, keys: NDArray[np.int64], counts: NDArray[np.int8], cue_words: CueWords, primed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """A_k of keys that fired, [n, c] NONE-padded, by pathway, [n, c, 6]."""
        found, gains, given = (
            np.zeros((*keys.shape, len(PATHWAYS)), np.int64),
            self.pathways.gains,
            self.pathways.afferents(cue_words.around),
        )
        apical = given.apical_ptr, given.apical_target, given.apical_weight, given.apical_memory
        for i, row in enumerate(keys):
            fired = row != NONE
            k, m = row[fired], self.memory[row[fired]]
            cell, spikes, _ = cue_words.words[i]
            words, _ = index_cells.word_drive(cell, spikes, given.word_ptr, given.word_key, given.word_weight, len(self))
            context = index_cells.context_drive(words, given.content, given.neighbours, given.context_weight)
            tuft = index_cells.apical_spikes(cell, *apical, len(given.content))
            found[i, fired, index_cells.MEANING] = gains.meaning * (self.counts[k].astype(np.int64) @ counts[i].astype(np.int64))
            found[i, fired, index_cells.WORDS], found[i, fired, index_cells.CONTEXT] = UNIT * words[k], context[m]
            found[i, fired, index_cells.TIME] = given.time[m]
            found[i, fired, index_cells.KEY] = gains.key * tuft[m]
            found[i, fired, index_cells.SPREADING] = gains.spreading * primed[i, m]
        return found

    def on_ca3_alone(self, active: NDArray[np.int64]) -> int:
        """The key that answers a hop, on CA3's cells alone; NONE where no dendrite hears enough of its engram."""
        self._index()
        shared = circuit.shared_cells(active, self.codes, self.alive, self._indptr, self._keys, self._built, self.spec.dg.cells)
        for level in ca3_levels(self.spec.ca3.core):
            heard = np.flatnonzero(shared > level)
            if len(heard):
                return int(heard[0])
        return NONE

    @property
    def bound(self) -> float:
        """More than any drive of a soma, without noise and gate: so many words as a cue may light, and |n| <= s + sqrt(d) e, where e is
        how far n is rounded up."""
        gains, lex, s = self.spec.ca1, self.spec.lex, ec.scale(self.spec.ec)
        meaning = self.spec.ec.dim * (ec.charge(self.spec.ec) + ec.rounding(self.spec.ec)) ** 2 * max(gains.meaning, 1.0)
        if lex is None:
            return meaning + gains.time * s**2
        lingering = 1 + float(context_weights(self.spec.context).sum()) / UNIT
        words = MOST_CELLS * MOST_SPIKES * (gains.words * s**2 * (1 + lex.saturation) + 1) * lingering
        return meaning + words + (gains.time + gains.key + gains.spreading) * s**2

    @property
    def gate(self) -> float:
        """What a dendritic spike lifts the soma by: more than twice any drive and noise."""
        return above(4 * (self.bound + GUMBEL_BOUND * self.noise_size()))

    @property
    def dendrite_hold(self) -> float:
        """Inhibition that no dendrite overcomes."""
        return max(DENDRITE_HOLD, above(3 * self.spec.dg.winners + self.bound / TO_DENDRITE)) if self.spec.lex else DENDRITE_HOLD

    def noise_size(self) -> float:
        """Scale of the Gumbel noise, in coincident spikes: s^2 / sharpness."""
        return ec.scale(self.spec.ec) ** 2 / self.spec.ca1.sharpness

    def attend(
        self, ranking: Ranking, queries: NDArray[np.int64], competitors: int, cycles: int, start: int, seed: int
    ) -> NDArray[np.int64]:
        """The key that wins the subiculum in each of `cycles` gamma cycles from `start` on, [n, cycles]; NONE where nothing fires.

        queries: the number that names each cue's noise, [n].
        """
        return circuit.attend(ranking.order, ranking.drive, queries, competitors, cycles, start, seed, self.noise_size(), GRID)

    def build(self, net: Network, candidates: int, competitors: int, links: dict[int, list[int]], passes: int) -> None:
        """Add `ca1_dendrite`, `ca1` and `sub`, and their input from CA3 and EC.   links: successors.   passes: see `recall_protocol`."""
        cells = len(self)
        gamma = GAMMA * DT
        net.add(Population("ca1_dendrite", cells, ec.PERFECT, KWinners(gamma, k=candidates)))
        net.add(Population("ca1", cells, ec.PERFECT, KWinners(gamma, k=competitors)))
        net.add(Population("sub", cells, ec.PERFECT, KWinners(gamma, k=1)))
        living = np.flatnonzero(self.alive)
        schaffer = Sparse.from_coo(self.codes[living].ravel(), np.repeat(living, self.spec.dg.winners), 1.0, (self.spec.dg.cells, cells))
        perforant = Dense(ec.push_pull(self.counts.T * (self.pathways.gains.meaning / UNIT)))
        net.connect("ca3", "ca1_dendrite", schaffer)
        net.connect("ca1_dendrite", "ca1", one_to_one(self.gate))
        net.connect("ca1", "sub", one_to_one(self.gate))
        ec.connect(net, self.spec.ec, "ca1", perforant)
        ec.connect(net, self.spec.ec, "sub", perforant)
        pathway_cells.build(self.pathways, net, links, passes)
        if "return_inhibition" in net.populations:
            shape = (len(self.pathways.content), cells)
            net.connect("return_inhibition", "sub", Sparse.from_coo(self.memory, np.arange(cells), -2 * self.gate, shape))

    def stimulus(self, protocol: list[Gamma], queries: NDArray[np.int64], seed: int) -> dict[str, NDArray[np.float64]]:
        """External current of `ca1_dendrite` and `ca1`, [time], and of `sub`, [time, n, cell] where a cycle is noisy."""
        early, late = ca3_levels(self.spec.ca3.core)
        hold, any_gated = 2 * self.gate, self.gate / 2
        first = self.gate + np.floor(FIRST_COSINE * ec.scale(self.spec.ec) ** 2)
        volley = {
            "ca1_dendrite": release(self.dendrite_hold, DENDRITE_RELEASE[:1], (0.5,)),
            "ca1": release(hold, CA1_RELEASE, (first, any_gated)),
            "sub": release(hold, SUB_RELEASE[1:], (any_gated,)),
        }
        hop = {
            "ca1_dendrite": release(self.dendrite_hold, DENDRITE_RELEASE, (early, late)),
            "ca1": release(hold, CA1_RELEASE[:1], (any_gated,)),
            "sub": release(hold, SUB_RELEASE[:1], (any_gated,)),
        }
        shut = {"ca1_dendrite": release(self.dendrite_hold, (), ()), "ca1": release(hold, (), ()), "sub": release(hold, (), ())}
        of_mode = {Mode.CUE: volley, Mode.REPLAY: volley, Mode.HOP: hop, Mode.QUIET: shut}
        currents = {name: np.concatenate([of_mode[g.mode][name] for g in protocol]) for name in ("ca1_dendrite", "ca1")}
        sub = np.concatenate([of_mode[g.mode]["sub"] if g.read else shut["sub"] for g in protocol])
        if any(g.noise for g in protocol):
            noise = circuit.noise(seed, queries, len(protocol), len(self), self.noise_size(), GRID)
            sub = np.broadcast_to(sub[:, None, None], (len(sub), len(queries), len(self))).copy()
            for g, gamma in enumerate(protocol):
                if gamma.noise:
                    sub[g * GAMMA + 1] += noise[:, g]
        return {**currents, "sub": sub}
