"""Free recall: a list is studied, and recalled in any order, by cells of context that drift and linger, all of it in spikes.

    study    each cell of context stays with a probability, and the item's own cells join with another
             B |= context x item,   U |= tag cells that fire x item,   M |= moment x context         (Willshaw 1969; once more if novel)
    attempt  an item is driven by  w_context B c + w_tag U,  silence by w_silence; noise is added, and the largest drive wins: one spike
    report   context drifts as in study, towards the item's own cells; the item rests until recall ends; speaking takes two theta cycles
    end      after so many silences in all

The drift is that of temporal context (Howard & Kahana 2002; Polyn, Norman & Kahana 2009), with cells that fire or do not in place of a
vector of unit length: a cell of context keeps its place by firing in each theta cycle, and its own noise decides whether it stays or joins.
Tag cells are those of the list as a whole; each fires for an item by chance, so that items differ in how well they are learned. The first
item is novel: a novelty cell, which then adapts for a minute, makes it fire twice, and its synapses learn once more (Lisman & Grace 2005),
which is primacy. Attempts that fail are counted, and their number ends recall (Raaijmakers & Shiffrin 1981). Noise is logistic.

    half a theta cycle, 62.5 ms, is a step     even steps: context, tag     odd steps: words, moments, items and silence
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.neurons.alif import ALIF
from spikemem.network.neurons.lif import LIF
from spikemem.network.noise import Logistic
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import Dense, Sparse, one_to_one
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate
from spikemem.simulators.stopping import Condition, StepView

STEP = 62.5
"""ms; a theta cycle has two halves with tasks of their own (Hasselmo 2002)."""
CYCLE = 2 * STEP
STUDY = 4
"""Steps in which an item is studied."""
SPEAKING = 2
"""Theta cycles without an attempt after a report."""
FORCE = 4096.0
"""A drive beside which memories and noise are nothing."""
SURE = 30.0
"""A drive that noise of scale 1 outweighs once in e^30 times."""
JOINS = 0.8
"""The probability that a cell of an item joins the context with it."""
TAG_RATE = 0.25
"""The probability that a tag cell fires for an item."""
NOVEL = 0.65
"""What a second coincidence adds to a synapse, in units of what the first one does."""
NOVEL_TAU = 60_000.0
"""ms; the novelty cell adapts for so long."""
NOVEL_JUMP = 2_000.0
"""How much: one spike takes it beyond what any word excites, for NOVEL_TAU."""
MOST_ITEMS, MOST_CELLS, MOST_SILENCES = 512, 1000, 10_000
AT_ONCE = {"tau": 1.0, "reset": 0.0}
"""A cell that forgets within a step."""
END = -1
"""A recall that starts from the context as it is."""
check = Checks(StimulusError)


class FreelyRecalled(NamedTuple):
    """What was recalled.

    items: places in the list, from 0 on, in the order of output; -1 after the last, [list, output].
    times: of the reports, ms since the cue; NaN after the last, [list, output].
    """

    items: NDArray[np.int64]
    times: NDArray[np.float64]


@dataclass(frozen=True)
class FreeRecall:
    """A circuit that studies lists, and recalls them freely (equations: see the module).

    study, recall: the probability that a cell of context stays when an item is studied, and when one is reported, 0 to 1.
    context: what all cells of an item that are bound to another one add to its drive, in units of the noise's scale, > 0.
    tag: what one tag cell adds, >= 0.   silence: the drive of silence.   patience: the silences that end recall, >= 1.
    tiring: what a report adds to the silences, as a share of those that end recall, >= 0.
    cells: of context for each item.   tags: tag cells.

    Raises StimulusError where a parameter is out of its range.

    >>> recalled = FreeRecall(patience=40).run(items=8, starts=[7, 0], seed=1)
    >>> recalled.items.shape, bool((recalled.times[:, 0] > 0).all())
    ((2, 8), True)
    """

    study: float = 0.616
    recall: float = 0.905
    context: float = 12.6
    tag: float = 3.0
    silence: float = 24.1
    patience: int = 570
    tiring: float = 0.06
    cells: int = 40
    tags: int = 12

    def __post_init__(self) -> None:
        for name in ("study", "recall"):
            value = check.finite(getattr(self, name), name, above=0)
            if value >= 1:
                raise StimulusError(f"{name} is {value}; it must be a probability below 1")
        check.finite(self.context, "context", above=0, most=FORCE / 16)
        check.finite(self.tag, "tag", least=0, most=FORCE / 16)
        check.finite(self.silence, "silence", least=-FORCE / 4, most=FORCE / 4)
        check.finite(self.tiring, "tiring", least=0)
        check.integer(self.patience, "patience", least=1, most=MOST_SILENCES)
        check.integer(self.cells, "cells", least=1, most=MOST_CELLS)
        check.integer(self.tags, "tags", least=1, most=MOST_CELLS)

    def run(self, items: int, starts: ArrayLike, seed: int = 0, *, most: int | None = None, silenced: Sequence[str] = ()) -> FreelyRecalled:
        """Study lists of so many items, and recall them.   most: reports, after which a recall may end.   The rest: see `simulate`."""
        enough = MOST_ITEMS if most is None else check.integer(most, "most", least=1)

        def over(now: StepView) -> bool:
            return bool(((now.counts("patience").sum(1) > 0) | (now.counts("report").sum(1) >= enough)).all())

        return self.read(self.simulate(items, starts, seed, silenced=silenced, until=over))

    def simulate(
        self, items: int, starts: ArrayLike, seed: int = 0, *, simulator: str = "event", silenced: Sequence[str] = (),
        until: Condition | None = None,
    ) -> Recording:  # fmt: skip
        """The spikes of studying and recalling lists, each a batch item with noise of its own.

        items: of a list, 1 to 512.   starts: the place whose moment each recall starts from, [list]; -1 from the end, as context is.
        seed: of the noise.   simulator: by name, one in which synapses learn by `Coincidence`.   silenced: populations that never fire.
        until: what ends it (`simulators.stopping`); None: it goes on for as long as the longest recall could take.
        """
        items = check.integer(items, "items", least=1, most=MOST_ITEMS)
        first = check.indices(starts, "starts", items, shape=(None,), least=END)
        check.room(self.steps(items) * len(first) * self.cells * (items + 1), f"the noise of {len(first)} lists", "give fewer at once")
        net, stimulus = self.network(items, check.seed(seed)), self.stimulus(items, first)
        for name in silenced:
            stimulus[name] = np.zeros((1, 1, net.populations[check.choice(name, "silenced", net.populations)].size), bool)
        recording = simulate(net, stimulus, self.steps(items), simulator=simulator, until=until)
        return recording.marked(cue=[study_steps(items)])

    def read(self, recording: Recording) -> FreelyRecalled:
        """What was recalled, from the spikes of `report`."""
        spikes = recording["report"]
        outputs = max(spikes.size, int(np.bincount(spikes.batch, minlength=1).max()))  # more than items where none rests
        items, times = np.full((recording.batches, outputs), -1, np.int64), np.full((recording.batches, outputs), np.nan)
        for i in range(recording.batches):
            own = spikes.batch == i
            items[i, : own.sum()] = spikes.cell[own]
            times[i, : own.sum()] = (spikes.step[own] - recording.marks["cue"][0]) * recording.dt
        return FreelyRecalled(items, times)

    def steps(self, items: int) -> int:
        """The steps in which a list is studied and its recall ends, however it goes."""
        return study_steps(items) + 2 * (2 + self.patience + (1 + SPEAKING) * items)

    # -- the circuit ---------------------------------------------------------------------------------------------------------------

    def network(self, items: int, seed: int = 0) -> Network:
        """The circuit for lists of so many items.   seed: of the noise."""
        net, noise = Network(dt=STEP), Logistic(1.0, seed)
        for name, size in (("words", items + 1), ("moments", items), ("cue", 1)):
            net.add(Population(name, size))
        for name, size in (("context", self.cells * (items + 1)), ("tag", self.tags)):
            net.add(Population(name, size, LIF(threshold=SURE, **AT_ONCE), noise=noise))
        net.add(Population("items", items + 1, LIF(threshold=FORCE, **AT_ONCE), KWinners(STEP, k=1), noise))
        net.add(Population("novelty", 1, ALIF(tau=1.0, tau_adapt=NOVEL_TAU, jump=NOVEL_JUMP)))
        for name in ("report", "rest"):
            net.add(Population(name, items, LIF(**AT_ONCE)))
        net.add(Population("patience", 1, LIF(tau=math.inf, threshold=self.patience - 0.5)))
        self._connect_study(net, items)
        self._connect_recall(net, items)
        return net

    def _connect_study(self, net: Network, n: int) -> None:
        """What words do, and what is learned."""
        own, period, study = self.cells * (n + 1), STEP * self.steps(n), (0.0, STEP * study_steps(n))

        def learns(weight: float, window: float = 0.0) -> Coincidence:
            return Coincidence(amount=weight, w_max=(1 + NOVEL) * weight, window=window, period=period, potentiate=study)

        net.connect("words", "context", self._drift(n + 1, self.study, n))
        net.connect("words", "items", diagonal((n + 1, n + 1), n, 2 * FORCE), delay=CYCLE)
        net.connect("words", "novelty", Dense(np.repeat([[1.5], [0.0]], [n, 1], axis=0)))
        net.connect("novelty", "items", Dense(np.full((1, n + 1), 0.6 * FORCE)), delay=CYCLE + STEP)
        net.connect("items", "items", diagonal((n + 1, n + 1), n, 0.6 * FORCE), delay=CYCLE)  # with novelty, a second spike
        net.connect("context", "context", one_to_one(2 * SURE), delay=CYCLE)
        net.connect("context", "items", Dense(np.zeros((own, n + 1))), plasticity=learns(self.context / self.cells))
        if self.tag:
            net.connect("tag", "items", Dense(np.zeros((self.tags, n + 1))), plasticity=learns(self.tag, CYCLE))
        net.connect("moments", "context", Dense(np.zeros((n, own))), plasticity=learns(4 * SURE))
        net.connect("cue", "context", Dense(np.full((1, own), -2 * SURE)))

    def _connect_recall(self, net: Network, n: int) -> None:
        """What reports do, and silences."""
        net.connect("items", "report", diagonal((n + 1, n), n, 2.0))
        net.connect("report", "context", self._drift(n, self.recall, n), delay=CYCLE)
        for cycle in range(SPEAKING):
            net.connect("report", "items", Dense(np.full((n, n + 1), -4 * FORCE)), delay=STEP + cycle * CYCLE)
        net.connect("report", "rest", one_to_one(2.0))
        net.connect("rest", "rest", one_to_one(2.0), delay=CYCLE)
        net.connect("rest", "items", diagonal((n, n + 1), n, -4 * FORCE), delay=CYCLE)
        net.connect("items", "patience", Dense(np.repeat([[0.0], [1.0]], [n, 1], axis=0)))
        net.connect("report", "patience", Dense(np.full((n, 1), self.tiring * self.patience)))
        net.connect("patience", "patience", one_to_one(2.0 * self.patience), delay=CYCLE)
        net.connect("patience", "items", Dense(np.full((1, n + 1), -4 * FORCE)))

    def _drift(self, pre: int, stays: float, items: int) -> Dense:
        """Synapses by which a cell for each item moves the context: its own cells join, others stay, each with its probability."""
        w = np.full((pre, items + 1, self.cells), logit(stays) - SURE)
        w[np.arange(pre), np.arange(pre)] = logit(JOINS) + SURE
        return Dense(w.reshape(pre, -1))

    # -- what drives it ------------------------------------------------------------------------------------------------------------

    def stimulus(self, items: int, starts: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
        """What drives the network: words one after the other, a cue, and theta.   starts: see `simulate`."""
        steps, begin, n = self.steps(items), study_steps(items), items
        shown = 3 + STUDY * np.arange(n)
        words, moments, cue = (np.zeros((steps, *size), bool) for size in ((1, n + 1), (len(starts), n), (len(starts), 1)))
        words[1, 0, n], words[shown, 0, np.arange(n)] = True, True  # the last one is of what there was before the list
        moments[shown, :, np.arange(n)] = True
        back = np.flatnonzero(starts != END)
        moments[begin, back, starts[back]], cue[begin, back] = True, True
        attempts = np.arange(begin + 2, steps, 2)
        release, tag, shut = np.zeros((steps, 1, n + 1)), np.full(steps, -SURE), np.zeros(steps)
        release[attempts] = 2 * FORCE
        release[attempts, 0, n] += self.silence
        tag[shown + 1], tag[attempts - 1] = SURE + logit(TAG_RATE), 2 * SURE
        shut[: begin + 1] = -4.0  # nothing is reported in study
        return {"words": words, "moments": moments, "cue": cue, "items": release, "tag": tag, "report": shut}


IN_ORDER = FreeRecall(study=0.6, context=30.0, tag=0.0, silence=8.0, patience=20, tiring=0.0)
"""Recall in order: items differ by nothing but their context, which outweighs the noise, so that from the first one on each leads to the
next. Silence wins where nothing is left that context drives."""


def study_steps(items: int) -> int:
    """The steps before the cue."""
    return 3 + STUDY * items + 2


def logit(p: float) -> float:
    """The drive beyond its threshold at which a cell with logistic noise of scale 1 fires with a probability."""
    return math.log(p / (1 - p))


def diagonal(shape: tuple[int, int], n: int, weight: float) -> Sparse:
    """Synapses between cells of the same index, the first n."""
    return Sparse.from_coo(np.arange(n), np.arange(n), np.full(n, weight), shape)
