"""The bench's recurrent network as one would write it in Brian2 by hand, as a C++ program (Stimberg, Brette & Goodman 2019).

`python -m spikemem.evaluate.benchmarks.plain_brian2 FOLDER` reads the arrays that were saved there, and writes and compiles the program;
`PlainBrian2` does so in a process of its own, since Brian2's device is one for all of a process, and runs what came out.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError
from spikemem.evaluate.benchmarks.rig import Spent
from spikemem.network.synapses import Sparse

STEP = """
v = beta * v + (j + external(t, i)) - spiked
j = 0
spiked = 0
"""


def build(folder: Path) -> None:
    """Write and compile the program."""
    import brian2 as b2

    given = np.load(folder / "network.npz")
    b2.set_device("cpp_standalone", directory=str(folder / "program"), build_on_run=False)
    dt, steps = 1.0 * b2.ms, len(given["current"])
    b2.defaultclock.dt = dt
    names = {"external": b2.TimedArray(given["current"], dt=dt), "beta": float(given["beta"])}
    cells = b2.NeuronGroup(given["current"].shape[1], "v : 1\nj : 1\nspiked : 1", threshold="v > 1", reset="spiked = 1", namespace=names)
    moves = cells.run_regularly(STEP, when="groups")
    synapses = b2.Synapses(cells, cells, "w : 1", on_pre="j_post += w")
    synapses.connect(i=given["pre"], j=given["post"])
    synapses.w = given["weights"]
    spikes = b2.SpikeMonitor(cells, name="spikes")
    network = b2.Network(cells, moves, synapses, spikes)
    network.run(steps * dt)
    b2.device.build(directory=str(folder / "program"), compile=True, run=False)


class PlainBrian2:
    """The compiled program.   current: [time, cell].   beta: the decay of V in a step; the threshold is 1, and is subtracted."""

    def __init__(self, folder: Path, synapses: Sparse, current: NDArray[np.float64], beta: float) -> None:
        self.program = folder / "program"
        pre, post, weights = synapses.sources, synapses.targets, synapses.weights
        np.savez(folder / "network.npz", pre=pre, post=post, weights=weights, current=current, beta=np.array(beta))
        start = time.perf_counter()
        made = subprocess.run([sys.executable, "-m", __name__, str(folder)], capture_output=True, text=True, check=False)
        if made.returncode:
            raise MissingExtraError(f"Brian2 compiled no program: {made.stderr.strip().splitlines()[-1] if made.stderr else 'no message'}")
        self.compile_seconds = time.perf_counter() - start

    def process(self) -> Spent:
        """Run the program: what the process took."""
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["./main"], cwd=self.program, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Spent(time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def loop(self) -> Spent:
        """Run the program: what its loop took, by its own wall clock; Brian2 tells no CPU time of it."""
        self.process()
        seconds = float((self.program / "results" / "last_run_info.txt").read_text().split()[0])
        return Spent(seconds, seconds)

    def spikes(self, dt: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and cells of the last run's spikes."""
        (times,) = (self.program / "results").glob("_dynamic_array_spikes_t_*")
        (cells,) = (self.program / "results").glob("_dynamic_array_spikes_i_*")
        return np.rint(np.fromfile(times) * 1000.0 / dt).astype(np.int64), np.fromfile(cells, np.int32).astype(np.int64)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
