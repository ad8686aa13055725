"""What the bench measures: its kinds of work, their sizes and the bars that the rows are to reach."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spikemem.errors import MissingExtraError
from spikemem.evaluate.benchmarks.rig import Bar, BenchRow, Limits, Peers
from spikemem.evaluate.sizes import BenchSize

NO_PEERS = "peers were left out"
SIMULATE = {
    "Brian2's compiled loop": Bar(2.5, 3.5),
    "Brian2's process": Bar(15.0, 20.0),
    "snnTorch CSR": Bar(50.0, 60.0),
    "Norse": Bar(),
    "NEST": Bar(20.0),
}
"""By peer."""
TWICE = Bar(2.1, sense="<=")
HOP, STEP = Bar(800.0), Bar(2500.0)
ONE_CUE = (Bar(2.0, 8.0), Bar(5.0, 20.0))
"""At the smaller and at the larger number of memories."""
QUALITY = Bar(0.97, unit="of exact search's best 10")
BATCH = Bar(1.0, 2.0)
ENGRAMS = Bar(2.0, 0.5, "<=", "ms")
TEXTS = Bar(6.0, 3.0, "<=")
AFTER_STORE = Bar(1.2, 1.05, "<=")
ONE_BY_ONE = Bar(1.3, 1.0, "<=")
DURABLE = Bar(5000.0, unit="vectors a second")
OPEN, OPEN_MILLION = Bar(1.0, sense="<=", unit="s"), Bar(10.0, sense="<=", unit="s")
MILLION = Bar(10.0, 20.0)
RECORDED, RECORDED_PEAK = Bar(0.4, sense="<=", unit="s"), Bar(200.0, sense="<=", unit="MB")
THREADS = Bar(1.7)
TRAIN = Bar(2.0)


@dataclass(frozen=True)
class Bench:
    """One run of the bench.   progress: told what begins."""

    size: BenchSize
    limits: Limits
    peers: Peers = "all"
    seed: int = 0
    progress: Callable[[str], None] = field(default=lambda what: None)

    def against(self, bar: Bar, name: str, peer: str, measure: Callable[[], dict[str, Any]]) -> Iterator[BenchRow]:
        """The row beside a peer: what `measure` finds of it, its `ratio` among that.

        Where a peer is missing the row says so, or, of peers that are installed alone, is left out.
        """
        if self.peers == "none":
            yield bar.row(name, None, peer, NO_PEERS)
            return
        self.progress(f"{name}, {peer}")
        try:
            found = measure()
        except (MissingExtraError, ImportError) as error:
            if self.peers == "all":
                yield bar.row(name, None, peer, str(error))
            return
        yield bar.row(name, found.pop("ratio"), peer, **found)
