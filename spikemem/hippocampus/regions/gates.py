"""The gates: stochastic cells that decide whether an event is written, over which memory, and whether a cue is answered.

They have the names of SPMN's gates, and are driven by how the event differs from the best match in CA1, and by the phase of theta.

    mismatch     E+  spikes of EC beyond those that the best index cell was taught         ec_extra
                 E-  spikes that it was taught and that do not come                         ec_missing
                 W+  log-odds of the words of the cue that it was not taught                lex_extra
                 W-  log-odds of the words that it was taught and the cue lacks             lex_missing
                 W0  log-odds of the words that both have                                   lex_shared
    novelty      S_j = 1 where a mismatch exceeds level l_j                                 novelty
    difference   D_i = 1 for a sign or a likeness of the two wordings, P_i = spikes of cells that compare the phrases that
                 replaced one another                                                      difference, phrase_extra, ...
    contrast     H_h = 1 where sum_i (u_hi D_i + v_hi P_i) > l_h                           contrast
    match        M = 1 where E+ = E- = W+ = W- = 0: nothing is new                         match
    gate         P(S_g = 1) = sigmoid(sum_j w_gj S_j + sum_i d_gi D_i + sum_h h_gh H_h + m_g M + theta_g[phase] - 1)
                                                                                           gate_update, gate_reset, ...

The best index cell is CA1's answer to meaning alone: words come in the gamma cycle after it, to be compared. How much differs reaches
the gates from the novelty cells; what differs does, in the writing half of theta, where both have wordings (`difference`): a phrase in
another's place, as the embedder reads both, through a layer of contrast cells, and signs of grammar, a "not", another subject, another
order. No word is known by a list. Each gate is a population of cells with escape noise (`network.Logistic`), so that its value is a firing
probability; it is on where more than half of them fire.
Read in the half of theta in which CA3 drives CA1, written in the other (Hasselmo, Bodelon and Wyble 2002): the gates fire in both halves,
learn from theta's synapses to be silent in the one that is not theirs, and act in their own. Of SPMN's gates `update` lets an event write
at all, `reset` lets it supersede the engram that answered, `candidate` lets its own volley in as a key, and `read`, in the reading half,
lets out what a cue recalled: it is trained to fire where the memory holds an answer to the cue.

    update  reset  candidate
      on     off      -        write       a new engram
      on     on       -        supersede   a new engram, and the old one no longer holds: it is kept, and answers when asked for
      off     -      on        refresh     the old one's time is renewed, and the event becomes a further wording of it
      off     -      off       renew       the old one's time is renewed

Synapses and levels are learned (`spikemem train gates`), except those of the match cell: what is stored word for word is read out, and not
written again, whatever was learned.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SnapshotError, SpecError
from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.regions import difference as wordings
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.ca1 import CA1, NONE
from spikemem.hippocampus.regions.contrast import ContrastCells
from spikemem.hippocampus.regions.difference import Difference, Heard
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gate_phases import GATES as GATES
from spikemem.hippocampus.regions.gate_phases import HOLD, JUDGE, MOST, SAMPLES, START, held, let_compare, on_grid
from spikemem.hippocampus.regions.gate_phases import PROTOCOL as PROTOCOL
from spikemem.hippocampus.regions.gate_phases import Phase as Phase
from spikemem.hippocampus.regions.gate_phases import population as population
from spikemem.hippocampus.regions.rhythm import BACK, DT, GAMMA, GRID
from spikemem.hippocampus.spec import ModelSpec, weights_file
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.noise import Logistic
from spikemem.network.synapses import Dense, Sparse, one_to_one
from spikemem.simulators.recording import Recording
from spikemem.snapshot import WEIGHTS, load_arrays

FEATURES = ("ec_extra", "ec_missing", "lex_extra", "lex_missing", "lex_shared")
"""The comparing populations, whose spikes are the mismatch; the order of `Mismatch.sizes`."""
ESCAPE = LIF(tau=0.01, threshold=1.0, reset=0.0)
"""A gate's cell forgets within a step, so that it fires with the escape probability."""
MAJORITY = 0.5
"""A gate is on where more than this share of its cells fires."""
NOISE = 1.0
"""Scale of the gates' noise: their input is in units of the logit."""
UNMATCHED = 4
"""The first so many of `FEATURES` are nought where a cue brings nothing new and lacks nothing."""
MATCH = 64.0
"""The weight of the match cell on the gates, in logits."""


class Action(StrEnum):
    """What is done with an event: stored as a new memory, or taken up by the one that answered it."""

    WRITE = "write"
    SUPERSEDE = "supersede"
    REFRESH = "refresh"
    RENEW = "renew"


class Mismatch(NamedTuple):
    """How a cue differs from what an index cell has learned.

    sizes: by `FEATURES`, [5].   heard: how the wordings differ, as spikes.
    """

    sizes: NDArray[np.float64]
    heard: Heard


@dataclass(frozen=True, eq=False)
class Verdict:
    """The gates' decision on an event, and what it rests on.

    key: the index cell that answered; NONE where none did.   mismatch: with what it was taught.
    value: firing probabilities, [phase, gate].   share: of each gate's cells that fired, [phase, gate].
    recording: the spikes from which it was read, where the gates were simulated.
    """

    key: int
    mismatch: Mismatch
    value: NDArray[np.float64]
    share: NDArray[np.float64]
    recording: Recording | None = None

    def on(self, gate: str) -> bool:
        """Whether more than half of a gate's cells fired in its half of theta."""
        return self.shares[gate] > MAJORITY

    @property
    def shares(self) -> dict[str, float]:
        """The share of each gate's cells that fired in its half of theta."""
        return {gate: float(self.share[Phase.READ if gate == "read" else Phase.WRITE, g]) for g, gate in enumerate(GATES)}

    @property
    def action(self) -> Action:
        """What the gates that are on do with an event (see the table at the head of this module)."""
        if self.on("update"):
            return Action.SUPERSEDE if self.on("reset") else Action.WRITE
        return Action.REFRESH if self.on("candidate") else Action.RENEW


class GateCells:
    """The hippocampus's trained gates: populations of cells that decide once for an event.

    The SPMN cell (`spmn.cell`) has gates of the same names for each part of its memory; `spmn.Gates` holds their values.

    levels: of novelty cells, [feature, level].   synapses: [feature x level, gate].   theta: [phase, gate].
    contrast: what the gates hear of wordings; nothing by default.
    embedder: the name of the embedder on whose vectors they were trained, None where unknown.
    """

    def __init__(
        self,
        levels: NDArray[np.float64],
        synapses: NDArray[np.float64],
        theta: NDArray[np.float64],
        cells: int,
        contrast: "ContrastCells | None" = None,
        embedder: str | None = None,
    ) -> None:
        if levels.ndim != 2 or len(levels) != len(FEATURES) or synapses.shape != (levels.size, len(GATES)):
            raise SpecError(f"gates need levels [{len(FEATURES)}, n] and synapses [{levels.size}, {len(GATES)}], not {synapses.shape}")
        if theta.shape != (len(Phase), len(GATES)):
            raise SpecError(f"gates need theta synapses of shape {(len(Phase), len(GATES))}, not {theta.shape}")
        self.levels, self.synapses, self.theta = (on_grid(a) for a in (levels, synapses, theta))
        self.contrast = ContrastCells.deaf() if contrast is None else contrast
        self.cells, self.embedder = cells, embedder

    @classmethod
    def of(cls, spec: ModelSpec) -> "GateCells":
        """The trained gates of a model; SpecError where it has none, or where their weights cannot be read."""
        if spec.gates is None:
            raise SpecError(f"model {spec.name!r} has no [gates]; hippocampus-gated has")
        path = weights_file(spec.gates.weights)
        try:
            arrays, head = load_arrays(path, WEIGHTS)
            levels, synapses, theta = (np.asarray(arrays[name], np.float64) for name in ("levels", "synapses", "theta"))
            contrast = ContrastCells.of(arrays) if "onto_contrast" in arrays else None
            metadata = head.get("metadata")
        except (SnapshotError, KeyError, IndexError, ValueError) as error:
            raise SpecError(
                f"gates of model {spec.name!r}: {path} holds no trained gates ({error}); make them with spikemem train gates"
            ) from error
        if contrast is not None and contrast.dim not in (0, spec.ec.dim):
            raise SpecError(
                f"gates of model {spec.name!r}: {path} was trained on vectors of {contrast.dim} dimensions, not of {spec.ec.dim}; "
                "train them anew with spikemem train gates --model"
            )
        embedder = metadata.get("embedder") if isinstance(metadata, dict) else None
        return cls(levels, synapses, theta, spec.gates.cells, contrast, embedder)

    def received(self, mismatch: Mismatch) -> NDArray[np.float64]:
        """The input current of each gate's cells, [phase, gate]."""
        novelty = (mismatch.sizes[:, None] > self.levels).ravel().astype(np.float64)
        received = novelty @ self.synapses + self.theta
        received[Phase.WRITE] += self.contrast.onto_gates(mismatch.heard)
        if not mismatch.sizes[:UNMATCHED].any():
            for g, gate in enumerate(GATES):
                phase, weight = matched(gate)
                received[phase, g] += weight
        return received

    def judge(self, key: int, mismatch: Mismatch, seed: int) -> Verdict:
        """The verdict on an event by its mismatch, with the same noise as in the network, but without simulation.   seed: of the noise."""
        above, share = self.received(mismatch), np.zeros((len(Phase), len(GATES)))
        for g, name in enumerate(GATES):
            noise = Logistic(NOISE, seed).drawn(population(name), len(PROTOCOL) * GAMMA, self.cells, DT)
            for phase, step in zip(Phase, SAMPLES, strict=True):
                share[phase, g] = np.mean(above[phase, g] + noise[step] > ESCAPE.threshold)
        return self.verdict(key, mismatch, share)

    def read(self, recording: Recording, lexicon: Lexicon) -> Verdict:
        """The verdict read from the spikes of a simulation of `PROTOCOL`."""
        answered = recording["sub"].between(START - GAMMA, START).cell
        share = np.zeros((len(Phase), len(GATES)))
        for g, name in enumerate(GATES):
            for phase, step in zip(Phase, SAMPLES, strict=True):
                share[phase, g] = len(recording[population(name)].between(step, step + 1)) / self.cells
        return self.verdict(int(answered[0]) if len(answered) else NONE, mismatch_of(recording, lexicon), share)

    def verdict(self, key: int, mismatch: Mismatch, share: NDArray[np.float64]) -> Verdict:
        """The verdict, with the firing probabilities of the gates' cells.   share: of them that fired, [phase, gate]."""
        return Verdict(key, mismatch, 1.0 / (1.0 + np.exp((ESCAPE.threshold - self.received(mismatch)) / NOISE)), share)

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, ca1: CA1, seed: int) -> None:
        """Add the comparing cells of EC, of its words and of wordings, `novelty`, `contrast`, `theta` and the gates to a circuit."""
        self._build_comparison(net, ca1)
        wordings.build(net, ca1.counts.shape[1])
        net.add(Population("novelty", self.levels.size, ec.PERFECT, CycleReset(GAMMA * DT)))
        net.add(Population("theta", len(Phase)))
        word_odds = odds(ca1.lexicon)
        for f, name in enumerate(FEATURES):
            size = net.populations[name].size
            weight = np.zeros((size, self.levels.size))
            weight[:, f * self.levels.shape[1] : (f + 1) * self.levels.shape[1]] = 1.0 if name.startswith("ec") else word_odds[:, None]
            net.connect(name, "novelty", Dense(weight))
        for g, name in enumerate(GATES):
            net.add(Population(population(name), self.cells, ESCAPE, noise=Logistic(NOISE, seed)))
            synapses = Dense(np.repeat(self.synapses[:, [g]], self.cells, axis=1))
            for step in SAMPLES:
                net.connect("novelty", population(name), synapses, delay=(step - START - JUDGE) * DT)
            net.connect("theta", population(name), Dense(np.repeat(self.theta[:, [g]], self.cells, axis=1)))
        self._build_match(net, word_odds)
        self.contrast.build(net, self.cells)

    def _build_match(self, net: Network, word_odds: NDArray[np.float64]) -> None:
        net.add(Population("match", 1, ec.PERFECT, CycleReset(GAMMA * DT)))
        for name in FEATURES[:UNMATCHED]:
            spikes = np.ones(net.populations[name].size) if name.startswith("ec") else word_odds
            net.connect(name, "match", Dense(-spikes[:, None]))
        for gate in GATES:
            phase, weight = matched(gate)
            net.connect("match", population(gate), Dense(np.full((1, self.cells), weight)), delay=(SAMPLES[phase] - START - JUDGE) * DT)

    def _build_comparison(self, net: Network, ca1: CA1) -> None:
        cycle, counts = CycleReset(GAMMA * DT), ca1.counts
        taught = np.concatenate([np.maximum(counts, 0), np.maximum(-counts, 0)], axis=1).astype(np.float64)
        cells = len(odds(ca1.lexicon))
        key = np.repeat(np.arange(len(ca1)), np.diff(ca1.lexicon.ptr))
        known = Sparse.from_coo(key, ca1.lexicon.cell, 1.0, (len(ca1), cells))
        for name, size in zip(FEATURES, (taught.shape[1],) * 2 + (cells,) * 3, strict=True):
            net.add(Population(name, size, ec.PERFECT, cycle))
        net.connect("ec", "ec_extra", one_to_one(1.0))
        net.connect("sub", "ec_extra", Dense(-taught), delay=BACK)
        net.connect("ec", "ec_missing", one_to_one(-1.0))
        net.connect("sub", "ec_missing", Dense(taught), delay=BACK)
        for name, of_cue, taught_word in (("lex_extra", 1.0, -HOLD), ("lex_missing", -HOLD, 1.0), ("lex_shared", 0.5, 0.5)):
            net.connect("ec_lex", name, one_to_one(of_cue))
            net.connect("sub", name, Sparse(known.indptr, known.targets, known.weights * taught_word, known.post), delay=BACK)

    def stimulus(self, difference: Difference | None, dim: int) -> dict[str, NDArray[np.generic]]:
        """What drives these populations through `PROTOCOL`: currents, [time] or [time, 1, cell], and spikes, [time, cell].

        difference: of the wordings.   dim: of EC's vectors.
        """
        steps, start = len(PROTOCOL) * GAMMA, START
        volley, words, shared, match = let_compare(steps), held(steps), held(steps), held(steps)
        for current, tonic in ((words, HALF), (shared, HALF / 2)):
            current[[start, start + 2]] = tonic, -2 * HOLD
        novelty = np.repeat(held(steps)[:, None, None], self.levels.size, axis=2)
        novelty[start + JUDGE] += HOLD + ec.PERFECT.threshold - self.levels.ravel()
        match[start + JUDGE] += HOLD + ec.PERFECT.threshold + GRID / 2
        theta, gates = np.zeros((steps, len(Phase)), bool), np.full(steps, -HOLD)
        for phase, step in zip(Phase, SAMPLES, strict=True):
            theta[step - 1, phase] = True
            gates[step] = 0.0
        told = wordings.stimulus(difference, dim, steps) | self.contrast.stimulus(steps)
        compared = {"ec_extra": volley, "ec_missing": volley, "lex_extra": words, "lex_missing": words, "lex_shared": shared}
        return {**compared, **told, "novelty": novelty, "match": match, "theta": theta, **{population(name): gates for name in GATES}}


def matched(gate: str) -> tuple[Phase, float]:
    """The phase in which the match cell acts on a gate, and its weight: what brings nothing new is read out, and not written."""
    return (Phase.READ, MATCH) if gate == "read" else (Phase.WRITE, -MATCH)


def odds(lexicon: Lexicon) -> NDArray[np.float64]:
    """Log-odds of each word cell, on the grid of synaptic weights, [cell] (see `bcpnn`)."""
    return np.round(lexicon.odds() / GRID) * GRID


def mismatch(counts: NDArray[np.int8], words: Words, ca1: CA1, key: int, difference: Difference | None = None) -> Mismatch:
    """How a cue's volley [d] and words differ from what an index cell has learned.

    Where none answers (`NONE`) nothing was taught, and all is new.   difference: of the wordings, where both have one.
    """
    cue = counts.astype(np.int64)
    taught = np.zeros_like(cue) if key == NONE else ca1.counts[key].astype(np.int64)
    sides = [(np.maximum(s * cue, 0), np.maximum(s * taught, 0)) for s in (1, -1)]
    more = sum(np.clip(a - b, 0, MOST).sum() for a, b in sides)
    less = sum(np.clip(b - a, 0, MOST).sum() for a, b in sides)
    part = slice(0) if key == NONE else slice(ca1.lexicon.ptr[key], ca1.lexicon.ptr[key + 1])
    had = ca1.lexicon.cell[part]
    shared = np.intersect1d(words.cells, had, assume_unique=True)
    of_cue, of_key, both = (float(np.sum(np.round(ca1.lexicon.odds_of(cells) / GRID) * GRID)) for cells in (words.cells, had, shared))
    sizes = np.array([more, less, of_cue - both, of_key - both, both], np.float64)
    return Mismatch(sizes, wordings.heard(difference, len(counts)))


def mismatch_of(recording: Recording, lexicon: Lexicon) -> Mismatch:
    """The mismatch of a cue, read from the spikes of the comparing cells."""
    word_odds = odds(lexicon)
    spikes = {name: recording[name].cell for name in FEATURES}
    sizes = [len(cells) if name.startswith("ec") else word_odds[cells].sum() for name, cells in spikes.items()]
    return Mismatch(np.array(sizes, np.float64), wordings.heard_of(recording, recording["ec"].size // 2))
