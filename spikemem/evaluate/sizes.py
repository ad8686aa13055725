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


class BenchSize(NamedTuple):
    """What `spikemem bench` measures, as its table has it.

    cells, fan_in, steps: of the network.   pairs: of a chain.   memories: vectors that are stored and recalled, a smaller and a larger
    number.   engrams: memories of the engram model.   recorded: of a recall that is simulated.   texts: stored, where a recall follows a
    store.   first, last: texts between which a store may not get slower.   opened: memories in a file.   streamed: vectors stored in
    batches.   million: the largest memory; 0 leaves it out.   cues: in a batch.   rounds: of which the median counts.
    model, engram_model: of the memories of vectors.
    """

    cells: int = 16_384
    fan_in: int = 100
    steps: int = 200
    pairs: int = 20_000
    memories: tuple[int, int] = (20_000, 200_000)
    engrams: int = 20_000
    recorded: int = 20_000
    texts: tuple[int, ...] = (20_000, 50_000)
    first: int = 1_000
    last: int = 100_000
    opened: int = 50_000
    streamed: int = 20_000
    million: int = 0
    cues: int = 100
    rounds: int = 7
    training: TrainingSize = TrainingSize()
    model: str = "hippocampus-base"
    engram_model: str = "hippocampus-engram"


QUICK = BenchSize(
    512,
    16,
    40,
    120,
    (200, 400),
    60,
    60,
    (60, 120),
    40,
    160,
    120,
    200,
    0,
    12,
    3,
    TrainingSize((24, 32, 12), 8, 5, 3),
    "hippocampus-small",
    "hippocampus-engram-small",
)
"""Small enough for a test; its ratios say little."""
