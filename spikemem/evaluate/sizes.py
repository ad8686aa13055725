"""What the timings run by default, apart from the code that runs it: the command line shows these numbers without loading a simulator."""

from typing import NamedTuple


class SimulationSize(NamedTuple):
    """LIF cells, synapses that each receives, steps of 1 ms, and the runs of which the median counts."""

    cells: int = 16384
    fan_in: int = 100
    steps: int = 200
    runs: int = 5


class TrainingSize(NamedTuple):
    """Cells of the layers, samples in a training step, steps of the window, and the runs of which the median counts."""

    cells: tuple[int, int, int] = (384, 1024, 384)
    batch: int = 64
    steps: int = 20
    runs: int = 9
