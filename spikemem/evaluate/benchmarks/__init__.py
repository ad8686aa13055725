"""The bench: everyday work timed beside other tools, in one run, with the bars that it is to reach."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from spikemem._checks import Checks
from spikemem.errors import DataError
from spikemem.evaluate.benchmarks import learning, simulating, texts, vectors
from spikemem.evaluate.benchmarks.rig import BenchRow, Limits, Peers, Times, alternate, limits, threads
from spikemem.evaluate.benchmarks.table import Bench
from spikemem.evaluate.benchmarks.vectors import drawn
from spikemem.evaluate.sizes import QUICK, BenchSize

__all__ = ["KINDS", "QUICK", "BenchRow", "BenchSize", "Limits", "Peers", "Times", "alternate", "bench", "drawn"]

check = Checks(DataError)
KINDS: Mapping[str, Callable[[Bench], Iterator[BenchRow]]] = {
    "simulate": simulating.rows,
    "chain": vectors.chain,
    "recall": vectors.recall,
    "text": texts.text,
    "store": texts.store,
    "open": texts.open_,
    "train": learning.rows,
}
"""The kinds of work, and what measures each."""


def bench(
    kinds: Sequence[str] = tuple(KINDS),
    size: BenchSize | None = None,
    peers: Peers = "all",
    seed: int = 0,
    progress: Callable[[str], None] = lambda what: None,
) -> tuple[list[BenchRow], Limits]:
    """Measure kinds of work, and the machine's limits in the same run.

    kinds: of `KINDS`.   size: `QUICK` for a trial.   peers: "all" names in its row one that is missing, "installed" leaves that out, "none"
    measures ours alone.   progress: told what begins.
    """
    kinds = [check.choice(kind, "a kind of work", tuple(KINDS)) for kind in check.listed(kinds, "kinds", "kinds of work")]
    check.choice(peers, "peers", ("all", "installed", "none"))
    seed = check.seed(seed)
    progress("the machine's limits")
    with threads(1):
        known = limits()
        run = Bench(
            BenchSize() if size is None else check.instance(size, "size", BenchSize, "give a BenchSize"), known, peers, seed, progress
        )
        return [row for kind in kinds for row in KINDS[kind](run)], known
