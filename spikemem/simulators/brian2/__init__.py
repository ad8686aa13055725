"""Brian2, the reference simulator: the network in its own equations, synapses and schedule."""

from functools import partial

from spikemem.simulators.contract import Simulator
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation

STANDALONE = "cpp_standalone"
EXTRA = 'pip install "spikemem[reference]"'
LACKS = "neurons and rules without Brian2 text"


def _timed(target: str, simulation: Simulation) -> tuple[Recording, float]:
    from spikemem.simulators.brian2.run import timed

    return timed(simulation, target)


def _run(target: str, simulation: Simulation) -> Recording:
    return _timed(target, simulation)[0]


BRIAN2 = Simulator("brian2", "Brian2, its code run by numpy", partial(_run, "numpy"), extra=EXTRA, lacks=LACKS, reads_text=True, stops=True)
CYTHON = Simulator(
    "brian2:cython",
    "Brian2, its code compiled by Cython",
    partial(_run, "cython"),
    extra=f"{EXTRA}, g++",
    lacks=LACKS,
    reads_text=True,
    stops=True,
)
COMPILED = Simulator(
    f"brian2:{STANDALONE}",
    "Brian2, a C++ program compiled for each run",
    partial(_run, STANDALONE),
    extra=f"{EXTRA}, g++ and make",
    lacks=LACKS,
    reads_text=True,
    timed=partial(_timed, STANDALONE),
)
