"""The store protocol: plastic synapses learn memories in a simulation, one theta cycle each.

    gamma cycle   EC says       CA3                                CA1                              what learns
    0             the cue       mossy fibres fire the engram       -                                onto CA3, and CA3 to CA3: bits are set
    1             -             -                                  fires as the engram predicts     CA3 to CA1: depressed
    2             the memory    -                                  fires as EC teaches              CA3 to CA1: potentiated
    3, 4          -             -                                  -                                -

In cycle 0 neither DG's synapses nor CA3's own fire a cell: acetylcholine keeps them down while the circuit encodes (Hasselmo 2002). With
the cue its words fire, those that linger from the turns before, and the cells of its moment; after the engram deep word cells say its text.
A further cue of a memory is bound to its engram in the same way, and CA1 is kept silent. So is the engram of a turn that lingers to the
words of the next: it fires once more, with these as its context, while EC is silent. `EngramCircuit.learn` makes the same changes at once;
tests compare the two bit for bit.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg import DG
from spikemem.hippocampus.regions.engram_words import BesideMeaning
from spikemem.hippocampus.regions.engrams import HOLD, RELEASE, EngramCA3
from spikemem.hippocampus.regions.prediction import EngramCA1
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, THETA, Gamma, Mode, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate

PROTOCOL = [Gamma(Mode.CUE), Gamma(Mode.QUIET), Gamma(Mode.CUE), Gamma(Mode.QUIET), Gamma(Mode.QUIET)]
MOST = 48
"""Lessons in one simulation: their stimulus has a current for each cell of CA3 and each step."""


class Learning(Protocol):
    """The regions that learn."""

    spec: ModelSpec
    seed: int
    ec: ec.EC
    dg: DG
    ca3: EngramCA3
    ca1: EngramCA1

    @property
    def beside(self) -> tuple[BesideMeaning, ...]: ...


NO_CELLS = np.zeros(0, np.int64)


class Lesson(NamedTuple):
    """A theta cycle of learning.

    engram: the cells that mossy fibres fire, [core].   vector: what EC hears, [d], or None.   content: whether CA1 learns it.
    words, context, times, said, denial: cells of `ec_lex`, `ec_ctx`, `ec_time`, `ec_lex_deep` and `ec_denial` that fire.
    """

    engram: NDArray[np.uint16]
    vector: NDArray[np.float32] | None = None
    content: bool = False
    words: NDArray[np.int64] = NO_CELLS
    context: NDArray[np.int64] = NO_CELLS
    times: NDArray[np.int64] = NO_CELLS
    said: NDArray[np.int64] = NO_CELLS
    denial: NDArray[np.int64] = NO_CELLS


def learners(circuit: Learning) -> tuple[EngramCA3 | EngramCA1 | BesideMeaning, ...]:
    """The regions whose synapses learn."""
    return circuit.ca3, circuit.ca1, *circuit.beside


def network(circuit: Learning) -> Network:
    """The circuit with plastic synapses, which begin as they are."""
    net, wiring = Network(dt=DT), CircuitWiring(1, 1)
    circuit.ec.build(net, wiring)
    circuit.dg.build(net, wiring)
    for region in learners(circuit):
        region.build_learning(net)
    return net


def stimulus(circuit: Learning, lessons: Sequence[Lesson]) -> dict[str, NDArray[np.generic]]:
    """What drives the network through some lessons, a theta cycle each."""
    drives = [_drive(circuit, lesson.vector) for lesson in lessons]
    parts = [{**circuit.ec.stimulus(drive), **circuit.dg.stimulus(drive)} for drive in drives]
    made = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    mossy = np.tile(release(HOLD, (), ()), len(PROTOCOL) * len(parts))[:, None, None].repeat(circuit.spec.dg.cells, axis=2)
    tonic = np.zeros(len(mossy))
    tonic[::GAMMA] = np.repeat([HALF if lesson.content else -HOLD for lesson in lessons], len(PROTOCOL))
    for i, lesson in enumerate(lessons):
        mossy[i * THETA + RELEASE, 0, lesson.engram] += HOLD + 2.0
    return {**made, "ca3": mossy, "ca1": tonic, **_words(circuit, lessons)}


def learn(circuit: Learning, lessons: Sequence[Lesson], simulator: str, device: str) -> list[Recording]:
    """Learn by simulation; the circuit's synapses are then what the plastic ones have become."""
    made = []
    for start in range(0, len(lessons), MOST):
        part = lessons[start : start + MOST]
        steps = THETA * len(part)
        recording = simulate(network(circuit), stimulus(circuit, part), steps, simulator=simulator, device=device)
        for region in learners(circuit):
            region.take({name: weights[0] for name, weights in recording.weights.items()})
        made.append(recording.marked(gamma=list(range(0, steps, GAMMA)), theta=list(range(0, steps, THETA))))
    return made


def _drive(circuit: Learning, vector: NDArray[np.float32] | None) -> CircuitDrive:
    nothing = np.zeros(circuit.spec.ec.dim, np.float32)
    protocol, heard = ([Gamma(Mode.QUIET)] * len(PROTOCOL), nothing) if vector is None else (PROTOCOL, vector)
    return CircuitDrive(protocol, heard[None], CueWords.nothing(1), 1, np.zeros(1, np.int64), circuit.seed)


def _words(circuit: Learning, lessons: Sequence[Lesson]) -> dict[str, NDArray[np.generic]]:
    """Clamped spikes of the cells of words, context and moment, once in each lesson."""
    made: dict[str, NDArray[np.generic]] = {}
    for region in circuit.beside:
        for name, clamp in region.taught.items():
            made[name] = spikes = np.zeros((THETA * len(lessons), 1, clamp.cells), bool)
            for i, lesson in enumerate(lessons):
                spikes[i * THETA + clamp.step, 0, getattr(lesson, clamp.field)] = True
    return made
