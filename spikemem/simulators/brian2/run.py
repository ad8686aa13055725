"""Running a network in Brian2, and reading its spikes, voltages and weights.

A step runs start, groups (decay), synapses, thresholds, resets, end. A spike enters Brian2's queue in the step after it, so that a delay
is one step shorter than in the description, and what the synapses learn at the end of a step they learn at the next one's start.
A batch lies side by side in one group: cell c of item b is number b * size + c. What Brian2 lacks, the winners' race, is a
network operation at run time, and a C++ function in standalone mode.
"""

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError, UnsupportedError
from spikemem.network.graph import KWinners, Population, Projection
from spikemem.simulators.brian2 import EXTRA, STANDALONE
from spikemem.simulators.brian2.model import Model
from spikemem.simulators.recording import Fired, Recording, cycle_ranks, recorded
from spikemem.simulators.stimulus import Simulation
from spikemem.simulators.stopping import StopWatch

PREFERENCES: Mapping[str, Any] = {
    "codegen.cpp.extra_compile_args": None,  # or they would overrule the next
    "codegen.cpp.extra_compile_args_gcc": ["-w", "-O3", "-std=c++11", "-ffp-contract=off"],  # no -ffast-math: the contract says what rounds
    "codegen.runtime.cython.cache_dir": str(Path.home() / ".cython" / "spikemem"),  # Brian2's keys do not hold the flags
    "devices.cpp_standalone.extra_make_args_unix": [f"-j{os.cpu_count()}", "DEPS="],  # not the boundless -j; nothing is built twice
    "devices.cpp_standalone.openmp_threads": 0,  # the race is run in the order of the cells
}


def timed(simulation: Simulation, target: str = "numpy") -> tuple[Recording, float]:
    """Run a simulation; returns its recording, and the seconds that went to the compiler of standalone code."""
    b2 = _brian2()
    _check_tools(target)
    with _prepared(b2, target) as folder:
        model = Model(b2, simulation, folder is not None)
        taken = _simulate(model, simulation)
        if folder is None:
            return _recorded(model, taken), 0.0
        b2.device.build(directory=str(folder), compile=True, run=True, debug=False)
        return _recorded(model, simulation), b2.device.timers["compile"]["make"]


def _check_tools(target: str) -> None:
    """MissingExtraError where a target needs a compiler that is not installed."""
    wanted = {"numpy": (), "cython": ("g++",), STANDALONE: ("g++", "make")}[target]
    if os.name == "posix":
        for tool in wanted:
            if shutil.which(os.environ.get("CXX", tool) if tool == "g++" else tool) is None:
                raise MissingExtraError(f'simulator "brian2:{target}" needs {tool}, which is not on this machine; "brian2" does without')


@contextmanager
def _prepared(b2: ModuleType, target: str) -> Iterator[Path | None]:
    """Brian2 set to a target, and preferences and device as they were when done; yields the folder of standalone code."""
    devices = importlib.import_module("brian2.devices.device")  # in the package this name is the current device
    wanted = {**PREFERENCES, **({} if target == STANDALONE else {"codegen.target": target})}
    kept = {name: b2.prefs[name] for name in wanted}
    if target == STANDALONE and devices.get_device() is not devices.runtime_device:
        raise UnsupportedError('Brian2 is set to another device, which standalone code would overwrite; call brian2.set_device("runtime")')
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, value in wanted.items():
                b2.prefs[name] = value
            if target != STANDALONE:
                b2.set_device("runtime")
                yield None
                return
            b2.set_device(STANDALONE, build_on_run=False, directory=folder)
            try:
                yield Path(folder)
            finally:
                b2.device.reinit()
        finally:
            devices.reset_device()
            for name, value in kept.items():
                b2.prefs[name] = value


def _simulate(model: Model, simulation: Simulation) -> Simulation:
    """Run all steps, and one more where synapses learn, since they learn a step's spikes at the start of the next.

    Returns the simulation of the steps that were taken.
    """
    steps, progress = model.drive.steps, simulation.progress

    def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
        assert progress is not None
        progress(round(completed * steps), steps)

    shown = progress is not None and not model.standalone
    period = {"report": report, "report_period": 0.2 * model.b2.second} if shown else {}
    stop = None if simulation.watch is None else _Stop(model, simulation.watch)
    model.brian.run((steps + bool(model.plastic)) * model.dt, namespace={}, **period)
    taken = simulation if stop is None else simulation.ended(stop.taken())
    model.drive = taken.drive
    return taken


class _Stop:
    """What ends Brian2's run by a simulation's watch, at run time; where synapses learn, a step later than the watch says."""

    def __init__(self, model: Model, watch: StopWatch) -> None:
        self.model, self.watch, self.steps, self.ends = model, watch, 0, False
        self.error: Exception | None = None
        model.brian.add(model.b2.NetworkOperation(self.look, dt=model.dt, when="end"))

    def look(self) -> None:
        """After a step: stop where the condition holds, or where it fails, with an error that Brian2 would hide in one of its own."""
        if not self.ends and self.steps < self.model.drive.steps:
            self.steps += 1
            self.ends = self._holds()
            if self.model.plastic and self.error is None:
                return
        if self.ends:
            self.model.brian.stop()

    def _holds(self) -> bool:
        groups, cells = self.model.groups, self.model.net.populations
        try:
            return self.watch.ends({name: np.divmod(np.asarray(groups[name].spikes), cells[name].size) for name in cells})
        except Exception as error:
            self.error = error
            return True

    def taken(self) -> int:
        """The steps that were taken; raises what the condition raised."""
        if self.error is not None:
            raise self.error
        return self.steps


# -- reading -----------------------------------------------------------------------------------------------------------------------


def _recorded(model: Model, simulation: Simulation) -> Recording:
    net, drive = model.net, model.drive
    fired = {name: _fired(model, population) for name, population in net.populations.items()}
    voltages = simulation.voltages()
    for name, monitor in model.voltages.items():
        voltages[name] = np.asarray(monitor.v)[:, : drive.steps].T.reshape(drive.steps, drive.batches, -1)
    weights = {p.name: _weights(model, p) for p in net.projections if p.plasticity is not None}
    return recorded(simulation, fired, voltages, weights, None, _snapshots(model, simulation))


def _fired(model: Model, population: Population) -> Fired:
    """A population's spikes in firing order, and those of its basket cell, which spikes with the last winner; clamped cells have none."""
    monitor = model.spikes[population.name]
    step, place = np.rint(np.asarray(monitor.t / model.dt)).astype(np.int64), np.asarray(monitor.i).astype(np.int64)
    raced = hasattr(monitor, "rank")
    rank = np.asarray(monitor.rank, dtype=np.int64) if raced else np.zeros(len(step), np.int64)
    batch, cell = place // population.size, place % population.size
    order = np.lexsort((cell, rank, batch, step))
    order = order[step[order] < model.drive.steps]
    step, batch, cell, rank = step[order], batch[order], cell[order], rank[order]
    if not raced:
        rank = cycle_ranks(step, batch, model.cycle(population))
    turns = np.array(population.inhibition.turns if raced and isinstance(population.inhibition, KWinners) else [0])
    full = rank == turns[step // model.cycle(population) % len(turns)] - 1
    return Fired(step, batch, cell, rank, step[full], batch[full])


def _weights(model: Model, projection: Projection) -> NDArray[np.float64]:
    """The weights of a plastic projection at the end, [batch, pre, post]."""
    dense = np.zeros((model.drive.batches, *projection.synapses.shape))
    if (made := model.plastic.get(projection.name)) is not None:
        dense[_places(made, projection)] = np.asarray(made.w)
    return dense


def _places(made: Any, projection: Projection) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Batch item, presynaptic and postsynaptic cell of each of Brian2's synapses."""
    (pre, post), i, j = projection.synapses.shape, np.asarray(made.i), np.asarray(made.j)
    return i // pre, i % pre, j % post


def _snapshots(model: Model, simulation: Simulation) -> dict[str, NDArray[np.float64]]:
    """The weights over time of the projections that are recorded, [snapshot, batch, pre, post]."""
    snapshots = simulation.snapshots()
    for projection in simulation.net.projections:
        if (monitor := model.courses.get(projection.name)) is not None:
            dense = snapshots[projection.name]
            dense[:, *_places(model.plastic[projection.name], projection)] = np.asarray(monitor.w).T[: len(dense)]
    return snapshots


def _brian2() -> ModuleType:
    try:
        import brian2
    except ImportError as error:
        raise MissingExtraError(f'simulator "brian2" needs the "reference" extra: {EXTRA} ({error})') from error
    return brian2
