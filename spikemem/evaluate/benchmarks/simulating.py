"""The bench's rows of simulations: the event-driven simulator beside others, and how its time grows."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError
from spikemem.evaluate.bench import recurrent
from spikemem.evaluate.benchmarks.plain_brian2 import PlainBrian2
from spikemem.evaluate.benchmarks.rig import BenchRow, Times, alternate, peak
from spikemem.evaluate.benchmarks.table import SIMULATE, TWICE, Bench
from spikemem.instruments.spikes import Spikes
from spikemem.network.graph import Network
from spikemem.network.synapses import Sparse
from spikemem.simulators.registry import simulate

BYTES = 10
"""Of a synapse in the event-driven simulator: a target of 16 bits, a weight of 64."""
LINE = 64
BETA = float(np.exp(-1.0 / 20.0))
SLOW_ROUNDS = 3
"""Rounds beside peers that take seconds."""
Stimulus = dict[str, NDArray[np.float64]]


def rows(bench: Bench) -> Iterator[BenchRow]:
    """`simulate` beside each peer, and at twice the cells and twice the steps."""
    size = bench.size
    bench.progress(f"a network of {size.cells:,} cells with {size.fan_in} synapses each")
    net, stimulus = recurrent(size.cells, size.fan_in, size.steps, bench.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = _Work(bench, net, stimulus, Path(folder))
        for peer, measure in work.peers().items():
            yield from bench.against(SIMULATE[peer], "simulate", peer, measure)
    yield from _growth(bench, net, stimulus)


class _Work:
    """The network and its stimulus, and the same in other tools."""

    def __init__(self, bench: Bench, net: Network, stimulus: Stimulus, folder: Path) -> None:
        self.bench, self.net, self.stimulus, self.folder = bench, net, stimulus, folder
        recording = simulate(net, stimulus, bench.size.steps)
        self.spikes, current = recording["cells"], stimulus["cells"]
        self.floor = bench.limits.floor(moved=current.nbytes, reads=recording.events * BYTES / LINE)
        self.peak = peak(self.ours)
        self._brian2: PlainBrian2 | None = None

    def ours(self) -> Any:
        return simulate(self.net, self.stimulus, self.bench.size.steps)

    def peers(self) -> dict[str, Callable[[], dict[str, Any]]]:
        return {
            "Brian2's compiled loop": lambda: self._beside(self.brian2.loop, self._brian2_agrees),
            "Brian2's process": lambda: self._beside(self.brian2.process, self._brian2_agrees),
            "snnTorch CSR": self._snntorch,
            "Norse": partial(self._simulator, "norse"),
            "NEST": self._nest,
        }

    @property
    def brian2(self) -> PlainBrian2:
        """The compiled program, made once."""
        if self._brian2 is None:
            for tool, there in (("Brian2", find_spec("brian2")), ("g++", shutil.which("g++")), ("make", shutil.which("make"))):
                if not there:
                    raise MissingExtraError(f'{tool} is not installed; pip install "spikemem[reference]", and a C++ compiler')
            (projection,) = self.net.projections
            assert isinstance(projection.synapses, Sparse)
            self._brian2 = PlainBrian2(self.folder, projection.synapses, self.stimulus["cells"], BETA)
            self._brian2.process()
        return self._brian2

    def _brian2_agrees(self) -> bool:
        step, cell = self.brian2.spikes(self.net.dt)
        return _same(self.spikes, step, cell)

    def _beside(self, peer: Callable[[], Any], agrees: Callable[[], bool], rounds: int | None = None) -> dict[str, Any]:
        """Our time and a peer's, once the spikes are known to be the same."""
        peer()
        equal = agrees()
        times = alternate({"ours": self.ours, "theirs": peer}, rounds or self.bench.size.rounds)
        return self._told(times["ours"], times["theirs"], equal)

    def _told(self, ours: Times, theirs: Times, equal: bool) -> dict[str, Any]:
        more = {"spikes": len(self.spikes)} | ({} if self._brian2 is None else {"compile_seconds": self._brian2.compile_seconds})
        return {
            "ratio": theirs.cpu / ours.cpu, "ours": ours, "theirs": theirs, "equal": equal, "distance": ours.cpu / self.floor,
            "peak": self.peak, "more": more,
        }  # fmt: skip

    def _snntorch(self) -> dict[str, Any]:
        loop = snntorch_loop(self.net, self.stimulus["cells"])
        return self._beside(loop, lambda: _same(self.spikes, *loop()), SLOW_ROUNDS)

    def _simulator(self, name: str) -> dict[str, Any]:
        def run() -> Spikes:
            return simulate(self.net, self.stimulus, self.bench.size.steps, simulator=name)["cells"]

        return self._beside(run, lambda: _same(self.spikes, run().step, run().cell), SLOW_ROUNDS)

    def _nest(self) -> dict[str, Any]:
        if not find_spec("nest"):
            raise MissingExtraError("NEST is not installed, and pip has no package of it; conda-forge has nest-simulator")
        raise MissingExtraError(
            "NEST takes no current of its own for each cell and step; performance.md says what it took under its own noise"
        )


def snntorch_loop(net: Network, current: NDArray[np.float64]) -> Callable[[], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The network in snnTorch as one would write it: for each step a product with the sparse matrix, and `Leaky` cells; float64."""
    import snntorch
    import torch
    from scipy import sparse

    from spikemem.simulators.snntorch import unlisted

    (projection,) = net.projections
    synapses = projection.synapses
    assert isinstance(synapses, Sparse)
    matrix = sparse.csr_matrix((synapses.weights, synapses.targets, synapses.indptr), shape=synapses.shape).T.tocsr()
    rows, columns = (torch.as_tensor(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that torch's sparse matrices are in beta
        weights = torch.sparse_csr_tensor(rows, columns, torch.as_tensor(matrix.data), size=matrix.shape)
    cells = unlisted(snntorch.Leaky(beta=torch.tensor(BETA, dtype=torch.float64), threshold=1.0, reset_mechanism="subtract"))
    external = torch.as_tensor(current)

    def run() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        voltage = torch.zeros(synapses.post, dtype=torch.float64)
        spikes, fired = torch.zeros_like(voltage), []
        with torch.no_grad():
            for now in external:
                spikes, voltage = cells(torch.mv(weights, spikes) + now, voltage)
                spikes = spikes.to(voltage.dtype)
                fired.append(spikes.nonzero()[:, 0].numpy())
        return np.repeat(np.arange(len(fired)), list(map(len, fired))), np.concatenate(fired)

    return run


def _same(ours: Spikes, step: NDArray[np.integer[Any]], cell: NDArray[np.integer[Any]]) -> bool:
    return np.array_equal(ours.step, step) and np.array_equal(ours.cell, cell)


def _growth(bench: Bench, net: Network, stimulus: Stimulus) -> Iterator[BenchRow]:
    """The time at twice the cells, and at twice the steps, by that at once each."""
    size = bench.size
    bench.progress("twice the cells, twice the steps")
    wide, wide_stimulus = recurrent(2 * size.cells, size.fan_in, size.steps, bench.seed)
    long = {"cells": np.concatenate([stimulus["cells"]] * 2)}
    ways = {
        "once": lambda: simulate(net, stimulus, size.steps),
        "cells x 2": lambda: simulate(wide, wide_stimulus, size.steps),
        "steps x 2": lambda: simulate(net, long, 2 * size.steps),
    }
    times = alternate(ways, size.rounds)
    for name in ("cells x 2", "steps x 2"):
        yield TWICE.row(name, times[name].cpu / times["once"].cpu, "once", ours=times[name], theirs=times["once"])
