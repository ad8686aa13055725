"""Every simulator against the event-driven one, on every model: the same spikes at the same steps, and voltages within a tolerance.

The contract is that of `neurons`, in float64: every spike equal, its place in the firing order, too, and V and weights within 1e-9.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import MissingExtraError, NetworkError, UnsupportedError
from spikemem.hippocampus import teaching
from spikemem.hippocampus.engram_circuit import EngramCircuit, attempts_protocol, hops_protocol
from spikemem.hippocampus.gating import gated
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.difference import LIKENESSES, MARKS, Difference
from spikemem.hippocampus.regions.ec_ctx import DAY
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.hippocampus.regions.engrams import drawn
from spikemem.hippocampus.regions.gates import PROTOCOL, GateCells
from spikemem.hippocampus.regions.rhythm import GAMMA, THETA, chain_protocol, recall_protocol
from spikemem.hippocampus.spec import MOST_PLASTIC, ModelSpec, load_model, model_names
from spikemem.hippocampus.teaching import Lesson
from spikemem.network.file import is_network, load_network, network_names
from spikemem.network.graph import BASKET, KWinners, Network
from spikemem.network.neurons import CompiledNeuron
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import SIMULATORS, defaults, simulate
from spikemem.simulators.stimulus import Stimulus

check = Checks(NetworkError)
TOLERANCE = 1e-9
MEMORIES = 30
"""Random memories that a hippocampus holds, all in one chain."""
WORD_CELLS = 1024
"""Word cells, which are all alike, in place of the many of a model that hears words."""
PASSES = 3
"""Theta cycles of a recall that spreads; from three up the subiculum is kept from returning."""
STEPS = 300
"""For any other network."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A network and what drives it."""

    model: str
    name: str
    net: Network
    stimulus: Stimulus
    steps: int

    def run(self, simulator: str) -> Recording:
        """Simulate, with every voltage."""
        record = {name: np.arange(p.size) for name, p in self.net.populations.items()}
        return simulate(self.net, self.stimulus, self.steps, simulator=simulator, record=record)


@dataclass(frozen=True)
class SpikeDifference:
    """The first spike that only one of the two has, or that comes at another place in the firing order.

    distance: of the reference's V from threshold; None where inhibition or a teacher decides, or a threshold of the neuron's own.
    """

    population: str
    cell: int
    step: int
    batch: int
    in_reference: bool
    distance: float | None

    def __str__(self) -> str:
        who = "spikes in event" if self.in_reference else "does not spike in event"
        near = "" if self.distance is None else f", where V is {self.distance:+.3g} from threshold"
        near += " (a tie: rounding decides)" if self.distance is not None and abs(self.distance) < TOLERANCE else ""
        return f"{self.population} {self.cell} at step {self.step}, item {self.batch}: {who}{near}"


@dataclass(frozen=True)
class Check:
    """One simulator on one probe, against event.

    spikes: event's.   different: spikes that only one has, or that stand at another place in the firing order.   voltage, weight: largest
    differences.   seconds: wall time, and event's.   lacks: the feature or library that is missing; then nothing was compared.
    """

    model: str
    probe: str
    simulator: str
    spikes: int
    seconds: float = 0.0
    event_seconds: float = 0.0
    different: int = 0
    first: SpikeDifference | None = None
    voltage: float = 0.0
    weight: float = 0.0
    lacks: str = ""

    @property
    def verdict(self) -> str:
        """ "agrees", "differs", or "cannot" where nothing was compared."""
        if self.lacks:
            return "cannot"
        return "agrees" if not self.different and self.voltage <= TOLERANCE and self.weight <= TOLERANCE else "differs"

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def model_file_names() -> list[str]:
    """Every model that ships with spikemem: hippocampi, networks and their variants."""
    return [*model_names(), *network_names()]


def probes(model: str, seed: int = 0) -> Iterator[Probe]:
    """What a model is put through: a hippocampus recalls two cues, with words where it hears them, of which one asks and one affirms what
    some memories deny, and hops once along a chain; one of engrams also learns a memory, where it is small enough; any other network gets
    random spikes.

    model: a name, or a path of a model file.
    """
    if not is_network(model):
        given = load_model(model)
        yield from (_recalls if given.engram is None else _attempts)(model, given, seed)
        return
    spec = load_network(model)
    net = spec.network()
    yield Probe(model, "random spikes", net, spec.random_spikes(net, STEPS, seed), STEPS)


def _recalls(model: str, spec: ModelSpec, seed: int) -> Iterator[Probe]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(MEMORIES, spec.ec.dim))
    noisy = ec.unit(vectors[:2] + rng.normal(size=(2, spec.ec.dim)) * 0.5, spec.ec.dim)
    passes = 1 if spec.lex is None else PASSES
    memory, cue_words = _with_cues(spec, vectors, seed)
    memory.associate(np.arange(MEMORIES - 1), np.arange(1, MEMORIES))
    recall, chain, circuit = recall_protocol(2, 2, passes), chain_protocol(hops=1), memory.index
    yield Probe(
        model, "recall", circuit.network(slow=False, passes=passes), circuit.stimulus(recall, noisy, cue_words, passes), len(recall) * GAMMA
    )
    if spec.gates is not None:
        events = np.concatenate([noisy[:1], ec.unit(vectors[2:4], spec.ec.dim)])
        texts = ("who is name0", _text(2, "friday"), _text(3))  # one that is new, one of another day than what is known, one that is known
        trained, told = GateCells.of(spec), CueWords.of([words(text, WORD_CELLS) for text in texts], DAY, 3)
        signs = np.isin(MARKS, ("after a preposition", "end", "one word", "state"))
        differ = Difference(signs, np.linspace(0.1, 0.9, len(LIKENESSES)), *events[:2])
        yield Probe(model, "gates", *gated(circuit, trained, events, told, seed, differ), len(PROTOCOL) * GAMMA)
    yield Probe(model, "chain", circuit.network(), circuit.stimulus(chain, noisy[1:], cue_words.some(np.array([1]))), len(chain) * GAMMA)


def _attempts(model: str, spec: ModelSpec, seed: int) -> Iterator[Probe]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(MEMORIES, spec.ec.dim))
    noisy = ec.unit(vectors[:2] + rng.normal(size=(2, spec.ec.dim)) * 0.5, spec.ec.dim)
    memory, told = _with_cues(spec.at_once(), vectors, seed)
    circuit = memory.circuit
    assert isinstance(circuit, EngramCircuit)
    memory.associate(np.arange(MEMORIES - 1), np.arange(1, MEMORIES))
    recall, chain = attempts_protocol(2), hops_protocol(1)
    yield Probe(model, "recall", circuit.network(), circuit.stimulus(recall, noisy, told), len(recall) * GAMMA)
    first = circuit.stimulus(chain, noisy[1:], told.some(np.array([1])))
    yield Probe(model, "chain", circuit.network(slow=True), first, len(chain) * GAMMA)
    if spec.dg.cells**2 <= MOST_PLASTIC:
        some = np.arange(3)
        (engram,) = drawn(np.array([MEMORIES]), spec.dg.cells, spec.ca3.core, circuit.seed)  # of the next memory
        lesson = Lesson(engram, noisy[0].astype(np.float32), True, some, some, some, some, some)
        yield Probe(model, "store", teaching.network(circuit), teaching.stimulus(circuit, [lesson]), THETA)


def _with_cues(spec: ModelSpec, vectors: NDArray[np.float64], seed: int) -> tuple[Hippocampus, CueWords]:
    """A memory of vectors and what two cues say; where the model hears words, texts of one session, of a day each, that name the next."""
    if spec.lex is None:
        memory = Hippocampus(spec, seed=seed)
        memory.store(vectors)
        return memory, CueWords.nothing(2)
    few = {"lex": spec.lex.model_copy(update={"cells": WORD_CELLS}), "gates": None}
    memory = Hippocampus(spec.model_copy(update=few), seed=seed)
    texts = [[words(text, WORD_CELLS) for text in (_text(i), f"name{i}")] for i in range(MEMORIES)]
    memory.store(vectors, variants=list(-vectors[:, None]), words=texts, sessions=[0] * MEMORIES, when=DAY * np.arange(MEMORIES))
    return memory, CueWords.of([words(cue, WORD_CELLS) for cue in ("who is name0", "name1 meets name2")], DAY, 2)


def _text(i: int, day: str = "monday") -> str:
    """The text of a memory; every third denies."""
    return f"on {day} name{i} " + (f"never met name{i + 1}" if i % 3 == 2 else f"meets name{i + 1}")


def validate(
    models: Sequence[str] = (),
    simulators: Sequence[str] = (),
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Iterator[Check]:
    """Compare simulators with event, one after the other; yields a `Check` for each probe and simulator.

    models: names or paths; all that ship with spikemem by default.   simulators: all but event and variants by default.
    progress: called with what begins.   Raises NetworkError where there is no such simulator.
    """
    seed = check.seed(seed)
    simulators, models = check.listed(simulators, "simulators", "names") or defaults()[1:], check.listed(models, "models", "names")
    for simulator in simulators:
        SIMULATORS[check.text(simulator, "a simulator")]
    for model in models or model_file_names():
        for probe in probes(model, seed):
            tell = progress or (lambda _: None)
            tell(f"{model}, {probe.name}: event")
            start = time.perf_counter()
            reference = probe.run("event")
            seconds = time.perf_counter() - start
            for simulator in simulators:
                tell(f"{model}, {probe.name}: {simulator}")
                yield compared(probe, reference, seconds, simulator)


def compared(probe: Probe, reference: Recording, event_seconds: float, simulator: str) -> Check:
    """One simulator on one probe, against event's recording of it."""
    spikes = sum(len(s) for s in reference.spikes.values())
    start = time.perf_counter()
    try:
        recording = probe.run(simulator)
    except (MissingExtraError, UnsupportedError) as error:
        return Check(probe.model, probe.name, simulator, spikes, lacks=str(error))
    seconds = time.perf_counter() - start
    different, first = _mismatch(probe, reference, recording)
    voltage = _largest(reference.voltages, recording.voltages)
    weight = _largest(reference.weights, recording.weights)
    return Check(probe.model, probe.name, simulator, spikes, seconds, event_seconds, different, first, voltage, weight)


def _largest(ours: Any, theirs: Any) -> float:
    """The largest difference; NaN where there is one."""
    return float(np.max([0.0, *(np.abs(theirs[name] - values).max(initial=0.0) for name, values in ours.items())]))


def _mismatch(probe: Probe, reference: Recording, recording: Recording) -> tuple[int, SpikeDifference | None]:
    """How many spikes differ, and the first of them."""
    different, firsts = 0, []
    for name, ours in reference.spikes.items():
        events = [list(zip(s.step.tolist(), s.batch.tolist(), s.cell.tolist(), strict=True)) for s in (ours, recording[name])]
        if events[0] == events[1]:
            continue
        counts = Counter(events[0])
        counts.subtract(events[1])
        lone = [event for event, surplus in counts.items() if surplus]
        moved = [a for a, b in zip(*events, strict=False) if a != b] if not lone else []  # the same spikes in another firing order
        different += len(lone) + len(moved)
        step, batch, cell = min(lone or moved)
        distance = _distance(probe, reference, name, step, batch, cell)
        firsts.append(SpikeDifference(name, cell, step, batch, counts[step, batch, cell] >= 0, distance))
    return different, min(firsts, key=lambda m: (m.step, m.batch), default=None)


def _distance(probe: Probe, reference: Recording, name: str, step: int, batch: int, cell: int) -> float | None:
    driven = probe.stimulus.get(name)
    if name.endswith(BASKET) or (driven is not None and np.asarray(driven).dtype == bool):
        return None
    if isinstance(probe.net.populations[name].inhibition, KWinners):  # which has silenced the cell that lost
        return None
    constants = probe.net.populations[name].neuron.compiled(probe.net.dt)
    if not isinstance(constants, CompiledNeuron):  # whose threshold may move
        return None
    return float(reference.voltages[name][step, batch, cell] - constants.threshold)
