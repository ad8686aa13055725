"""CA1 and subiculum: index cells, one for each stored cue, that need CA3 and EC together.

    A_k =   g_meaning  n_key . n_cue                                                perforant path          ec -> ca1
          + g_words    s^2 sum over words of x_w W_wk                               word cells              ec_lex -> ca1
          + g_words    s^2 sum over neighbours j in time of c_j sum of x_w W_wj     context cells           ec_ctx -> ca1
          + g_time     s^2 share of the cells of its moment that the cue names      cells of the moment     ec_time -> ca1
          + g_key      s^2  where the cue's words excite an apical dendrite of k's memory                   ca1_tuft -> ca1
          + g_spread   s^2  where k's memory was recalled a pass before, is its successor, or has an apical dendrite
                            that the words of what was recalled excite                                      ca1_plateau -> ca1
          - g_denial   of the words' line for m's own text, where m denies what the cue affirms, or the reverse ec_denial -> ca1

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

Novelty is the mismatch between what CA3 brings and what EC brings: 1 - cosine of the best candidate's synapses and the cue's volley.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpecError
from spikemem.hippocampus.regions import ec, polarity, versions
from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.index_cells import NONE as NONE
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.hippocampus.regions.pathway_cells import ALL, Pathway
from spikemem.hippocampus.regions.pathways import TO_DENDRITE
from spikemem.hippocampus.regions.rhythm import (
    CA1_RELEASE,
    DENDRITE_RELEASE,
    DT,
    GAMMA,
    GRID,
    SUB_RELEASE,
    Mode,
    RecallSchedule,
    above,
    release,
)  # fmt: skip
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import circuit, index_cells, index_drives
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.synapses import Sparse, one_to_one
from spikemem.simulators.recording import Recording

DENDRITE_HOLD = 2.0**10
"""Inhibition that no dendrite overcomes in a model without word cells."""
GUMBEL_BOUND = 40.0
"""No Gumbel number from 52 random bits is larger."""
FIRST_COSINE = 0.5
"""A soma with at least this cosine fires one step before the rest."""
CA3_SHARES = (1.0, 0.75)
"""After a hop a dendrite opens first where a whole core reaches it, then where three quarters do; a near duplicate rarely has the whole."""
EXACT = 2.0**38
"""Below it, sums of multiples of 2^-14 are exact in float64 with a bit to spare."""


def ca3_levels(core: int) -> tuple[float, float]:
    """Shared cells that a dendrite must exceed after a hop, at its first and its second release."""
    early, late = (round(share * core) - 0.5 for share in CA3_SHARES)
    return early, late


@dataclass(frozen=True, eq=False)
class Ranking:
    """The index cells that fired for a batch of cues, in firing order.

    order: keys in firing order, [n, candidates], NONE-padded.   parts: A_k by pathway, in 1/64, [n, candidates, pathway].
    events: synaptic events, [n].
    """

    order: NDArray[np.int64]
    parts: NDArray[np.int64]
    events: NDArray[np.int64]

    @property
    def drive(self) -> NDArray[np.float64]:
        """A_k in perforant coincidences, [n, candidates]."""
        return self.parts.sum(axis=2) / UNIT


@dataclass(frozen=True, eq=False)
class Answer:
    """The keys that answered a batch of cues, NONE-padded.

    order: CA1's keys in firing order, [n, c].   winners: the subiculum's key in each cycle of attention, [n, cycles].
    path: the memories that the passes before read, [n, passes - 1].   primed: plateaus in the last pass, [n, memory].
    said: what deep EC says in answer to these winners, n of all together, [n, d].
    """

    order: NDArray[np.int64]
    winners: NDArray[np.int64]
    path: NDArray[np.int64]
    primed: NDArray[np.bool_]
    said: NDArray[np.int64]


class CA1(IndexCells):
    """The index cells of CA1 and the subiculum.   pathways: all that drives index cells except CA3."""

    name = "ca1"

    def __init__(self, spec: ModelSpec, pathways: Sequence[Pathway] = ALL) -> None:
        super().__init__(spec)
        self.pathways = tuple(pathways)
        if 2 * self.gate >= EXACT:
            raise SpecError(
                f"model {spec.name!r}: drives up to {self.gate:.0f} are no longer exact; make gains, ec.charge or ec.dim smaller"
            )

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

        cue_words: the cues' input on the other pathways.   primed: plateaus, [n, memory].
        """
        cue_words = cue_words or CueWords.nothing(len(counts))
        cues = self._cues(counts, (active, size), cue_words, primed)
        return Ranking(*index_cells.rank(cues, min(candidates, max(len(self), 1)), self._afferents(cues, cue_words)))

    def nearest(
        self, counts: NDArray[np.int8], active: NDArray[np.uint16], size: NDArray[np.int64], silenced: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """The index cell that fires first to meaning alone, [n], NONE where none does; arguments as in `rank`.

        silenced: memories that do not answer, [memory].
        It needs none of the synapses of words and context, which are weighted anew after each store.
        """
        most = min(self.spec.ca1.candidates, max(len(self), 1))
        given = index_drives.meaning_alone(self.flat(silenced), round(UNIT * self.spec.ca1.meaning), len(self.session))
        cues = self._cues(counts, (active, size), CueWords.nothing(len(counts)), None)
        return index_cells.rank(cues, most, given)[0][:, 0]

    def _cues(
        self,
        counts: NDArray[np.int8],
        active: tuple[NDArray[np.uint16], NDArray[np.int64]],
        cue_words: CueWords,
        primed: NDArray[np.bool_] | None,
    ) -> index_drives.Cues:
        primed = np.zeros((1, len(self.session)), bool) if primed is None else primed
        opposed = np.full(len(counts), NONE)
        if self.spec.ca1.denial > 0 and cue_words.flat()[0][-1]:
            said = polarity.of_cues(cue_words, self.lexicon.cells)
            opposed = np.where(said == polarity.NEITHER, NONE, 1 - said)
        return index_drives.Cues(counts, *active, primed, *cue_words.flat(), opposed)

    def _afferents(self, cues: index_drives.Cues, cue_words: CueWords) -> index_drives.Afferents:
        """All inputs of index cells, as arrays for the kernels."""
        drives = [(column, pathway.drive(self.synapses, cue_words)) for column, pathway in enumerate(self.pathways)]
        brought = [(column, drive) for column, drive in drives if drive is not None]
        rows = max((len(drive) for _, drive in brought), default=1)
        drive = np.zeros((rows, len(brought), len(self.session)), np.int64)
        for a, (_, of_pathway) in enumerate(brought):
            drive[:, a] = of_pathway
        added = index_drives.Added(drive, np.array([column for column, _ in brought], np.int64), len(self.pathways))
        learned, gains = self.learned(cues.cell), self.synapses.gains
        if not (gains.denial and self.denies and any(pathway.name == "denial" for pathway in self.pathways)):
            gains = gains._replace(denial=0.0)
        further = bool(len(cues.cell) or brought or cues.primed.any())
        return index_drives.Afferents(self.flat(cue_words.silenced), learned, gains, added, further)

    def lottery(self, competitors: int, start: int, seed: int) -> circuit.Lottery:
        """The subiculum's race from gamma cycle `start` on."""
        return circuit.Lottery(competitors, start, seed, self.noise_size(), GRID)

    def attend(self, ranking: Ranking, names: NDArray[np.int64], lottery: circuit.Lottery, cycles: int) -> NDArray[np.int64]:
        """The key that wins the subiculum in each of `cycles` gamma cycles, [n, cycles]; NONE where nothing fires.

        names: a number for each cue that selects its noise, [n].
        """
        return circuit.attend(ranking.order, ranking.drive, names, lottery, cycles)

    def attend_unsettled(
        self,
        volley: tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.uint16], NDArray[np.uint8]],
        recurrent: circuit.Recurrent,
        lottery: circuit.Lottery,
        cycles: int,
        active: tuple[NDArray[np.uint16], NDArray[np.int64]],
        candidates: int,
        cue_words: CueWords,
        primed: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """As `attend`, where CA3 has not settled and goes on from its `active` cells.   volley: names, counts, codes, when of the cues."""
        names, counts, codes, when = volley
        held, cues = index_cells.Volleys(names, codes, when), self._cues(counts, active, cue_words, primed)
        most = min(candidates, max(len(self), 1))
        return index_cells.attend_unsettled(held, recurrent, lottery, cycles, cues, most, self._afferents(cues, cue_words))

    def parts(self, keys: NDArray[np.int64], counts: NDArray[np.int8], cue_words: CueWords, primed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """A_k of keys that fired, [n, c] NONE-padded, by pathway, [n, c, pathway]."""
        no_cells = np.zeros((len(keys), 0), np.uint16), np.zeros(len(keys), np.int64)
        cues = self._cues(counts, no_cells, cue_words, primed)
        return index_cells.drives(keys, cues, self._afferents(cues, cue_words))

    def on_ca3_alone(self, active: NDArray[np.int64], silenced: NDArray[np.bool_] | None = None) -> int:
        """The key that answers a hop, on CA3's cells alone; NONE where too little of any engram reaches its dendrite.

        silenced: memories that do not answer, [memory].
        """
        shared = circuit.shared_cells(active, self.flat(silenced))
        for level in ca3_levels(self.spec.ca3.core):
            reached = np.flatnonzero(shared > level)
            if len(reached):
                return int(reached[0])
        return NONE

    @property
    def _present(self) -> list[Pathway]:
        """The pathways that the model has: those of words only where it has word cells."""
        return [pathway for pathway in self.pathways if self.spec.lex is not None or not pathway.of_words]

    @property
    def bound(self) -> float:
        """An upper bound of a soma's drive, without noise and gate."""
        return sum(pathway.bound(self.spec) for pathway in self._present)

    @property
    def gate(self) -> float:
        """The weight of a dendritic spike on the soma: more than twice any drive and noise."""
        return above(4 * (self.bound + GUMBEL_BOUND * self.noise_size()))

    @property
    def dendrite_hold(self) -> float:
        """Inhibition that no dendrite overcomes."""
        return max(DENDRITE_HOLD, above(3 * self.spec.dg.winners + self.bound / TO_DENDRITE)) if self.spec.lex else DENDRITE_HOLD

    def noise_size(self) -> float:
        """Scale of the Gumbel noise, in coincident spikes: s^2 / sharpness."""
        return ec.scale(self.spec.ec) ** 2 / self.spec.ca1.sharpness

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ca1_dendrite`, `ca1` and `sub`, their input from CA3, the cells of all pathways, and the answer's way back to deep EC."""
        cells = len(self)
        for name, most in (("ca1_dendrite", wiring.candidates), ("ca1", wiring.competitors), ("sub", 1)):
            net.add(Population(name, cells, ec.PERFECT, KWinners(GAMMA * DT, k=most)))
        living = np.flatnonzero(self.alive)
        schaffer = Sparse.from_coo(self.codes[living].ravel(), np.repeat(living, self.spec.dg.winners), 1.0, (self.spec.dg.cells, cells))
        net.connect("ca3", "ca1_dendrite", schaffer)
        net.connect("ca1_dendrite", "ca1", one_to_one(self.gate))
        net.connect("ca1", "sub", one_to_one(self.gate))
        for pathway in self._present:
            pathway.build(self.synapses, net, wiring)
        versions.build(net, wiring, self.memory, len(self.session), 2 * self.dendrite_hold)
        if "return_inhibition" in net.populations:
            shape = (len(self.synapses.content), cells)
            net.connect("return_inhibition", "sub", Sparse.from_coo(self.memory, np.arange(cells), -2 * self.gate, shape))
        ec.connect_answer(net, self.counts[self.content])

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """Currents of `ca1_dendrite` and `ca1`, [time], of `sub`, [time, n, cell] where a cycle is noisy, and what drives all pathways."""
        return {
            **self._rhythm(drive),
            **versions.stimulus(drive),
            **{name: what for pathway in self._present for name, what in pathway.stimulus(self.synapses, drive).items()},
        }

    def _rhythm(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
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
        protocol = drive.protocol
        currents = {name: np.concatenate([of_mode[g.mode][name] for g in protocol]) for name in ("ca1_dendrite", "ca1")}
        sub = np.concatenate([of_mode[g.mode]["sub"] if g.read else shut["sub"] for g in protocol])
        if any(g.noise for g in protocol):
            noise = circuit.noise(self.lottery(1, 0, drive.seed), drive.names, len(protocol), len(self))
            sub = np.broadcast_to(sub[:, None, None], (len(sub), len(drive.names), len(self))).copy()
            for g, gamma in enumerate(protocol):
                if gamma.noise:
                    sub[g * GAMMA + 1] += noise[:, g]
        return {**currents, "sub": sub}

    def read(self, recording: Recording, schedule: RecallSchedule) -> Answer:
        """The answer of a recall, read from its spikes."""
        first = [_fired(recording, "ca1", schedule.order, i) for i in range(recording.batches)]
        order = np.full((len(first), max(map(len, first), default=0)), NONE, np.int64)
        primed = np.zeros((len(first), len(self.session)), bool)
        for i, keys in enumerate(first):
            order[i, : len(keys)] = keys
            if schedule.reads:
                primed[i, _fired(recording, "ca1_plateau", schedule.order, i)] = True
        samples = _winners(recording, range(schedule.start, schedule.start + schedule.attention))
        said = ec.said(recording)[:, schedule.start + 1 :].sum(1)
        return Answer(order, samples, self.owners(_winners(recording, schedule.reads)), primed, said)

    def saying(self, winners: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the subiculum's winners, [n, cycles], make deep EC say, n of all together, [n, d]."""
        said = np.zeros((len(winners), self.spec.ec.dim), np.int64)
        for i, row in enumerate(winners):
            said[i] = self.counts[self.content[row[row != NONE]]].sum(0, dtype=np.int64)
        return said


def _fired(recording: Recording, population: str, gamma: int, i: int) -> NDArray[np.int64]:
    """The cells that fire to a cue in a gamma cycle."""
    return recording[population].between(gamma * GAMMA, (gamma + 1) * GAMMA, i).cell.astype(np.int64)


def _winners(recording: Recording, cycles: Sequence[int]) -> NDArray[np.int64]:
    """The subiculum's key in each of these gamma cycles, [n, cycles]; NONE where nothing fires."""
    winners = np.full((recording.batches, len(cycles)), NONE, np.int64)
    for i, row in enumerate(winners):
        for g, gamma in enumerate(cycles):
            row[g] = next(iter(_fired(recording, "sub", gamma, i)), NONE)
    return winners
