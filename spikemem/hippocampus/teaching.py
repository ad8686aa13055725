"""The store protocol: plastic synapses learn memories in a simulation, one theta cycle each.

    gamma cycle   EC says       CA3                                CA1                              what learns
    0             the cue       mossy fibres fire the engram       -                                DG to CA3, CA3 to CA3: bits are set
    1             -             -                                  fires as the engram predicts     CA3 to CA1: depressed
    2             the memory    -                                  fires as EC teaches              CA3 to CA1: potentiated
    3, 4          -             -                                  -                                -

In cycle 0 neither DG's synapses nor CA3's own fire a cell: acetylcholine keeps them down while the circuit encodes (Hasselmo 2002).
A further cue of a memory is bound to its engram in the same way, and CA1 is kept silent. `EngramCircuit.learn` makes the same changes at
once; tests compare the two bit for bit.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg import DG
from spikemem.hippocampus.regions.engrams import HOLD, RELEASE, EngramCA3
from spikemem.hippocampus.regions.prediction import EngramCA1
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, THETA, Gamma, Mode, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate

PROTOCOL = [Gamma(Mode.CUE), Gamma(Mode.QUIET), Gamma(Mode.CUE), Gamma(Mode.QUIET), Gamma(Mode.QUIET)]
MOST = 16
"""Memories in one simulation: their stimulus has a current for each cell of CA3 and each step."""


class Learning(Protocol):
    """The regions that learn."""

    spec: ModelSpec
    seed: int
    ec: ec.EC
    dg: DG
    ca3: EngramCA3
    ca1: EngramCA1


class Lesson(NamedTuple):
    """Keys that are to be learned.

    vectors: as EC hears them, [n, d].   engrams: of their memories, [n, core].   content: which are contents, [n].
    """

    vectors: NDArray[np.float32]
    engrams: NDArray[np.uint16]
    content: NDArray[np.bool_]

    def part(self, rows: slice) -> "Lesson":
        """Some of the keys."""
        return Lesson(self.vectors[rows], self.engrams[rows], self.content[rows])


def network(circuit: Learning) -> Network:
    """EC, DG, CA3 and CA1 with plastic synapses, which begin as they are."""
    net, wiring = Network(dt=DT), CircuitWiring(1, 1)
    circuit.ec.build(net, wiring)
    circuit.dg.build(net, wiring)
    circuit.ca3.build_learning(net)
    circuit.ca1.build_learning(net)
    return net


def stimulus(circuit: Learning, lesson: Lesson) -> dict[str, NDArray[np.generic]]:
    """What drives the network through a lesson, a theta cycle a key."""
    drives = [_drive(circuit, lesson.vectors[i : i + 1]) for i in range(len(lesson.vectors))]
    parts = [{**circuit.ec.stimulus(drive), **circuit.dg.stimulus(drive)} for drive in drives]
    made = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    mossy = np.tile(release(HOLD, (), ()), len(PROTOCOL) * len(parts))[:, None, None].repeat(circuit.spec.dg.cells, axis=2)
    tonic = np.zeros(len(mossy))
    tonic[::GAMMA] = np.repeat(np.where(lesson.content, HALF, -HOLD), len(PROTOCOL))
    for i, cells in enumerate(lesson.engrams):
        mossy[i * THETA + RELEASE, 0, cells] += HOLD + 2.0
    return {**made, "ca3": mossy, "ca1": tonic}


def learn(circuit: Learning, lesson: Lesson, simulator: str, device: str) -> list[Recording]:
    """Learn by simulation; the circuit's synapses are then what the plastic ones have become."""
    made = []
    for start in range(0, len(lesson.vectors), MOST):
        part = lesson.part(slice(start, start + MOST))
        steps = THETA * len(part.vectors)
        recording = simulate(network(circuit), stimulus(circuit, part), steps, simulator=simulator, device=device)
        circuit.ca3.take(recording.weights["dg->ca3"][0], recording.weights["ca3->ca3"][0])
        circuit.ca1.take(recording.weights["ca3->ca1"][0])
        made.append(recording.marked(gamma=list(range(0, steps, GAMMA)), theta=list(range(0, steps, THETA))))
    return made


def _drive(circuit: Learning, vector: NDArray[np.float32]) -> CircuitDrive:
    return CircuitDrive(PROTOCOL, vector, CueWords.nothing(1), 1, np.zeros(1, np.int64), circuit.seed)
