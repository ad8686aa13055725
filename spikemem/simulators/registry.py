"""The simulators by name, and `simulate`, which runs a network in any of them.

Another package adds a simulator by an entry point of the group "spikemem.simulators" whose name is the simulator's:

    [project.entry-points."spikemem.simulators"]
    plain = "mypackage.plain:PLAIN"
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

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
from spikemem.simulators.progress import Tell, told
from spikemem.simulators.recording import Recording
from spikemem.simulators.snntorch import SNNTORCH
from spikemem.simulators.state import RunState
from spikemem.simulators.stimulus import Simulation, Stimulus, between, check, checked
from spikemem.simulators.stopping import Condition, StopWatch
from spikemem.simulators.streaming import stream
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


class RunOptions(TypedDict, total=False):
    """What else a run may be told: when it ends, how often it is run, and where it is written; see `simulate`."""

    until: Condition | None
    trials: int | None
    to: str | Path | None


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
    progress: Tell | bool | None = None,
    start: RunState | None = None,
    **more: Unpack[RunOptions],
) -> Recording:
    """Run a network for a number of steps and record every spike.

    stimulus: for a population a float array, its external current, or a source or a bool array: its spikes, teacher-forced (such a cell
        spikes at these steps and at no other, whatever its input; its V stays 0). Shape [time], [time, cell] or [time, batch, cell];
        one step may be repeated by giving time 1.
    simulator: "event" (event-driven; batched on the GPU where device is one), "torch" (batched torch on any device), "snntorch" and
        "norse" (their cells in that loop), "brian2" ("brian2:cython" and "brian2:cpp_standalone" compile), or one of another package.
    device: of the torch simulators, and of "event": "cpu", "cuda".
    record: for a population the cells whose voltage is recorded; for a plastic projection, by its name such as "a->b", after how many
        steps, again and again, its weights are.
    dtype: "float64", or "float32" on the torch simulators.
    progress: True for a bar on a terminal, or a function that is called now and then with the steps done and the steps in all.
    start: the `state` of an earlier recording of the same network, from which this run goes on, also in another simulator. Steps of the
        recording are counted anew; cycles of inhibition, sources and noise go on.
    until: (of `RunOptions`, as those that follow) a condition that ends the run before its last step: `after_spikes`, `after_silence` (of
        `spikemem.simulators`), or a function of a `StepView` that returns whether it ends, or why. The recording says at which step
        (`steps`) and why (`stopped`).
    trials: how many times the network is run at once, side by side as batch items: sources and noise are drawn anew for each, what is given
        for one is repeated, and each learns for itself. Where a stimulus has a batch, these are the trials. For a source of its own in
        each, give a list of sources.
    to: a folder for a long run: parts of it are written there as it goes, in bounded memory, and what was written before a kill is read by
        `Recording.load(folder)`. The recording reads its spikes there when they are asked for. To go on, give the folder again, with its
        `state` as `start`.

    Warns (UserWarning) where a current that changes from step to step holds 0 and 1 alone, as spikes of other tools do.

    >>> from spikemem import LIF, Network, Population
    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("cell", 1, LIF(tau=20.0)))
    >>> simulate(net, {"cell": [0.3]}, steps=12)["cell"].step.tolist()
    [3, 7, 11]
    """
    check.instance(net, "the first argument", Network, "simulate runs a Network")
    steps = check.integer(steps, "steps", least=1, most=INDEX)
    simulator, device = check.text(simulator, "simulator"), check.text(device, "device")
    check.choice(dtype, "dtype", ("float64", "float32"))
    check.instance(start, "start", RunState | None, "give the `state` of a recording")
    check.instance(record, "record", Mapping | None, 'give a dict of cells by population, such as {"a": [0, 1]}')
    if unknown := more.keys() - RunOptions.__annotations__.keys():
        raise TypeError(f"simulate got an unexpected keyword argument {min(unknown)!r}")
    chosen_one, until, to = SIMULATORS[simulator], more.get("until"), more.get("to")
    chosen_one.check(device, dtype)
    chosen_one.check_neurons(net)
    if not chosen_one.resumes and (start is not None or to is not None):
        lacks = "go on from the state of an earlier run" if to is None else "write a run in parts, `to`"
        raise UnsupportedError(f"{simulator} cannot {lacks}; {_those('resumes')} can")
    if until is not None and not chosen_one.stops:
        raise UnsupportedError(f"{simulator} cannot end a run by `until`; {_those('stops')} can")
    check.instance(until, "until", Callable | None, "give a function of a StepView, such as after_spikes('E', 100)")
    watch = None if until is None else StopWatch(until, net)
    folder = None if to is None else check.path(to, "to")
    with told(progress) as tell:
        run = _Run(net, stimulus, steps, record or {}, tell, device, dtype, more.get("trials"), watch, not chosen_one.scans)
        if folder is None:
            return chosen_one.run(run.part(0, steps, start))
        return stream(chosen_one.run, run.part, steps, start, folder)


@dataclass
class _Run:
    """What `simulate` was told, of which parts can be simulated."""

    net: Network
    stimulus: Stimulus
    steps: int
    record: Mapping[str, ArrayLike]
    progress: Tell | None
    device: str
    dtype: str
    trials: int | None
    watch: StopWatch | None
    finite: bool
    """Whether what is not finite in the stimulus is looked for before it runs."""

    def part(self, begin: int, end: int, start: RunState | None) -> Simulation:
        """The simulation of some of the steps.   start: where those before have ended."""
        stimulus = self.stimulus if end - begin == self.steps else between(self.stimulus, begin, end, self.steps)
        drive = checked(self.net, stimulus, end - begin, start, self.trials, self.finite)
        chosen, every = _recorded(self.net, self.record)
        if self.watch is not None:
            self.watch.over(drive.batches)
        tell = None if self.progress is None else partial(self._tell, self.progress, begin)
        return Simulation(self.net, drive, chosen, tell, self.device, self.dtype, start, every, self.watch)

    def _tell(self, progress: Tell, begin: int, done: int, _: int) -> None:
        progress(begin + done, self.steps)


def _those(ability: str) -> str:
    """The names of the simulators with an ability, a field of `Simulator`."""
    return ", ".join(name for name, other in SIMULATORS.loadable().items() if getattr(other, ability))


def _recorded(net: Network, record: Mapping[str, ArrayLike]) -> tuple[dict[str, NDArray[np.int64]], dict[str, int]]:
    """What is recorded: the cells whose voltage is, by population, and after how many steps the weights are, by projection."""
    plastic = [q.name for q in net.projections if q.plasticity is not None]
    chosen = {name: _cells(net, name, cells, plastic) for name, cells in record.items() if name not in plastic}
    every = {
        name: check.integer(steps, f"the weights of {name!r}, recorded after so many steps,", least=1, most=INDEX)
        for name, steps in record.items()
        if name in plastic
    }
    return chosen, every


def _cells(net: Network, name: str, cells: ArrayLike, plastic: list[str]) -> NDArray[np.int64]:
    if name not in net.populations:
        if name in [q.name for q in net.projections]:
            raise StimulusError(f"weights of {name!r} do not learn; the plastic projections are {', '.join(plastic) or 'none'}")
        raise StimulusError(f"voltages of {name!r}, but the populations are {', '.join(net.populations)}")
    chosen = check.indices(cells, f"voltages of {name!r}, a list of cells", net.populations[name].size, shape=None)
    if chosen.ndim > 1:
        raise StimulusError(f"voltages of {name!r}: give a list of cells, not an array of shape {chosen.shape}")
    return np.atleast_1d(chosen)
