"""The bench's row of training: a step, fused, beside the plain snnTorch loop."""

from collections.abc import Iterator, Sequence

from spikemem.evaluate import bench_training
from spikemem.evaluate.benchmarks.rig import BenchRow, Times, threads
from spikemem.evaluate.benchmarks.table import NO_PEERS, TRAIN, Bench

NAME, PEER = "training step", "snnTorch's loop"
CLOSE = 1e-3
"""By which part first losses may differ: the rounding of float32."""


def rows(bench: Bench) -> Iterator[BenchRow]:
    """A training step of one thread; both train the same model from the same weights."""
    size = bench.size.training
    if bench.peers == "none":
        yield TRAIN.row(NAME, None, PEER, NO_PEERS)
        return
    with threads(1):
        ways = bench_training.throughput(
            runs=size.runs, batch=size.batch, steps=size.steps, cells=size.cells, seed=bench.seed, progress=bench.progress
        )
    yield row(ways, size.runs, 1)


def row(ways: Sequence[bench_training.Throughput], runs: int, count: int) -> BenchRow:
    """The row of a training step that was timed in several ways.   count: threads."""
    found = {way.name: way for way in ways}
    ours, plain = found.get(bench_training.ONEDNN, ways[-1]), found[bench_training.PLAIN]
    taken, theirs = (Times(way.seconds, way.cpu, way.cpu, way.cpu, runs) for way in (ours, plain))
    ratio, why = (plain.cpu / ours.cpu, "") if count == 1 and ours.memory is None else (ours.ratio, "by wall time")
    equal = abs(ours.loss - plain.loss) <= CLOSE * abs(plain.loss)
    return TRAIN.row(NAME, ratio, PEER, why, ours=taken, theirs=theirs, equal=equal, threads=count)
