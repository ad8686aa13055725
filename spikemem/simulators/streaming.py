"""Long runs: in parts, each of which is on the disk before the next one begins, so that memory does not grow with the steps."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from spikemem._checks import shown
from spikemem.errors import SnapshotError, StimulusError, UnsupportedError
from spikemem.simulators.files import STATE, part_of
from spikemem.simulators.recording import Recording
from spikemem.simulators.state import RunState
from spikemem.simulators.stimulus import Simulation

VALUES = 2**22
"""Values, one for each step, batch item and cell, that a part holds: 32 MiB where all are voltages."""
LONGEST = 10_000
"""Steps of a part: what a kill loses at most."""


def stream(
    run: Callable[[Simulation], Recording],
    prepared: Callable[[int, int, RunState | None], Simulation],
    steps: int,
    start: RunState | None,
    folder: Path,
) -> Recording:
    """Run in parts that are written to a folder; returns the recording of all that is in it.

    run: of a simulator.   prepared: the simulation of the steps from one to another, from a state on.   start: of the first part.
    """
    before = 0 if start is None else start.step
    one = prepared(0, 1, start)
    if (together := math.lcm(*one.every.values())) > LONGEST:
        raise UnsupportedError(
            f"weights over time are written in parts after which all are due, here {together:,} steps, and a part has {LONGEST:,} at most; "
            f"record them after numbers of steps that share a smaller multiple, or leave out `to`"
        )
    _open(folder, before, start, one)
    values = one.drive.batches * sum(p.size for p in one.net.populations.values())
    longest = max(1, min(LONGEST, VALUES // max(1, values)) // together) * together
    state, done, stopped = start, 0, None
    while done < steps and stopped is None:
        part = run(prepared(done, min(done + longest, steps), state))
        replace(part, weights={}, ended=None).save(part_of(folder, before + done))
        part.state.save(folder / STATE)
        state, done, stopped = part.state, done + part.steps, part.stopped
    return Recording.load(folder)


def _open(folder: Path, before: int, start: RunState | None, simulation: Simulation) -> None:
    """Make a folder for a new run, or find in it the run that this one goes on; StimulusError where it is of something else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = any(folder.iterdir())
    except OSError as error:
        raise SnapshotError(f"{folder} cannot be written to: {error}") from error
    if not held:
        return
    if start is None or not (folder / STATE).is_file():
        raise StimulusError(
            f"{folder}, which is not empty, cannot take a new run; give another one, or `start`, the state of the run in it"
        )
    if (ended := RunState.load(folder / STATE).step) != before:
        raise StimulusError(
            f"the run in {folder} ended after {ended} steps, and start after {before}; give its own state, or another folder"
        )
    earlier, chosen, every = Recording.load(folder), simulation.chosen, simulation.every
    if earlier.intervals != every:
        theirs = ", ".join(f"{name!r} after {n}" for name, n in earlier.intervals.items()) or "none"
        raise StimulusError(f"the run in {folder} records weights over time ({theirs}); record the same, or give another folder")
    if late := sorted(name for name, n in every.items() if earlier.steps % n):
        raise StimulusError(
            f"the run in {folder} has {earlier.steps} steps, which is no multiple of the {every[late[0]]} after which weights of "
            f"{late[0]!r} are recorded; give another folder"
        )
    cells = earlier.cells
    if cells.keys() != chosen.keys() or any(not np.array_equal(cells[name], chosen[name]) for name in cells):
        theirs = ", ".join(f"{name!r} {shown(list(each))}" for name, each in cells.items()) or "none"
        raise StimulusError(f"the run in {folder} records voltages of other cells ({theirs}); record the same ones, or give another folder")
