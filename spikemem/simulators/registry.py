"""The simulators by name, and `simulate`, which runs a network in any of them.

Another package adds a simulator by an entry point of the group "spikemem.simulators" whose name is the simulator's:

    [project.entry-points."spikemem.simulators"]
    plain = "mypackage.plain:PLAIN"
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX
from spikemem.errors import StimulusError, UnsupportedError, interruptible
from spikemem.network.graph import Network
from spikemem.network.registry import Registry
from spikemem.simulators.brian2 import BRIAN2, COMPILED, CYTHON
from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.event import EVENT
from spikemem.simulators.norse import NORSE
from spikemem.simulators.recording import Recording
from spikemem.simulators.snntorch import SNNTORCH
from spikemem.simulators.state import RunState
from spikemem.simulators.stimulus import Simulation, Stimulus, check, checked
from spikemem.simulators.stopping import Condition, StopWatch
from spikemem.simulators.torch_loop import TORCH

OWN = (EVENT, TORCH, SNNTORCH, NORSE, BRIAN2, CYTHON, COMPILED)
SIMULATORS: Registry[Simulator] = Registry("simulator", "spikemem.simulators", {simulator.name: simulator for simulator in OWN}, Simulator)
"""All simulators, installed packages' included: iterating gives names, indexing a `Simulator`."""


def register(simulator: Simulator) -> None:
    """Add a simulator in this process; NetworkError where its name is taken."""
    check.instance(simulator, "simulator", Simulator, "give a Simulator")
    SIMULATORS.register(simulator.name, simulator)


def defaults() -> list[str]:
    """The names of the simulators that are compared by default, "event" first: all but variants of another one."""
    return [name for name in SIMULATORS.loadable() if ":" not in name]


def table() -> str:
    """The simulators and what each lacks, as a markdown table."""
    every = SIMULATORS.loadable().values()
    rows = [f"| `{s.name}` | {s.description} | {_where(s)} | {s.extra or '-'} | {s.lacks or '-'} |" for s in every]
    return "\n".join(["| simulator | what it is | runs on | needs | lacks |", "|---|---|---|---|---|", *rows]) + "\n"


def _where(simulator: Simulator) -> str:
    names = {"cpu": "CPU", TORCH_DEVICES: "any device of torch"}
    return f"{', '.join(names.get(device, device) for device in simulator.devices)}; {', '.join(simulator.dtypes)}"


@interruptible()
def simulate(
    net: Network,
    stimulus: Stimulus,
    steps: int,
    *,
    simulator: str = "event",
    device: str = "cpu",
    record: Mapping[str, ArrayLike] | None = None,
    dtype: str = "float64",
    progress: Callable[[int, int], None] | None = None,
    start: RunState | None = None,
    until: Condition | None = None,
    trials: int | None = None,
) -> Recording:
    """Run a network for a number of steps and record every spike.

    stimulus: for a population a float array, its external current, or a source or a bool array: its spikes, teacher-forced (such a cell
        spikes at these steps and at no other, whatever its input; its V stays 0). Shape [time], [time, cell] or [time, batch, cell];
        one step may be repeated by giving time 1.
    simulator: "event" (event-driven; batched on the GPU where device is one), "torch" (batched torch on any device), "snntorch" and
        "norse" (their cells in that loop), "brian2" ("brian2:cython" and "brian2:cpp_standalone" compile), or one of another package.
    device: of the torch simulators, and of "event": "cpu", "cuda".
    record: for a population the cells whose voltage is recorded.
    dtype: "float64", or "float32" on the torch simulators.
    progress: called now and then with the steps done and the steps in all.
    start: the `state` of an earlier recording of the same network, from which this run goes on, also in another simulator. Steps of the
        recording are counted anew; cycles of inhibition, sources and noise go on.
    until: a condition that ends the run before its last step: `after_spikes`, `after_silence` (of `spikemem.simulators`), or a function of
        a `StepView` that returns whether it ends, or why. The recording says at which step (`steps`) and why (`stopped`).
    trials: how many times the network is run at once, side by side as batch items: sources and noise are drawn anew for each, what is given
        for one is repeated, and each learns for itself. Where a stimulus has a batch, these are the trials. For a source of its own in
        each, give a list of sources.

    Warns (UserWarning) where a current that changes from step to step holds 0 and 1 alone, as spikes of other tools do.

    >>> from spikemem import LIF, Network, Population
    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("cell", 1, LIF(tau=20.0)))
    >>> simulate(net, {"cell": [0.3]}, steps=12)["cell"].step.tolist()
    [3, 7, 11]
    """
    steps = check.integer(steps, "steps", least=1, most=INDEX)
    simulator, device = check.text(simulator, "simulator"), check.text(device, "device")
    check.choice(dtype, "dtype", ("float64", "float32"))
    check.instance(start, "start", RunState | None, "give the `state` of a recording")
    drive = checked(net, stimulus, steps, start, trials)
    check.instance(record, "record", Mapping | None, 'give a dict of cells by population, such as {"a": [0, 1]}')
    chosen = {name: _cells(net, name, cells) for name, cells in (record or {}).items()}
    chosen_one = SIMULATORS[simulator]
    chosen_one.check(device, dtype)
    if start is not None and not chosen_one.resumes:
        raise UnsupportedError(f"{simulator} cannot go on from the state of an earlier run; {_those('resumes')} can")
    if until is not None and not chosen_one.stops:
        raise UnsupportedError(f"{simulator} cannot end a run by `until`; {_those('stops')} can")
    check.instance(until, "until", Callable | None, "give a function of a StepView, such as after_spikes('E', 100)")
    watch = None if until is None else StopWatch(until, {p.name: p.size for p in net.populations.values()}, drive.batches, net.dt)
    return chosen_one.run(Simulation(net, drive, chosen, progress, device, dtype, start, watch))


def _those(ability: str) -> str:
    """The names of the simulators with an ability, a field of `Simulator`."""
    return ", ".join(name for name, other in SIMULATORS.loadable().items() if getattr(other, ability))


def _cells(net: Network, name: str, cells: ArrayLike) -> NDArray[np.int64]:
    if name not in net.populations:
        raise StimulusError(f"voltages of {name!r}, but the populations are {', '.join(net.populations)}")
    chosen = check.indices(cells, f"voltages of {name!r}, a list of cells", net.populations[name].size, shape=None)
    if chosen.ndim > 1:
        raise StimulusError(f"voltages of {name!r}: give a list of cells, not an array of shape {chosen.shape}")
    return np.atleast_1d(chosen)
