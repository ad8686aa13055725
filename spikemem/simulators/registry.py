"""simulate(): one network, one stimulus, any simulator."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError, StimulusError
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Stimulus, checked

FOUR = ("event", "snntorch", "norse", "brian2")
"""Ours and the libraries'."""
SIMULATORS = (*FOUR, "torch", "brian2:cython", "brian2:cpp_standalone")
"""All of them."""


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
) -> Recording:
    """Run a network for a number of steps and record every spike.

    stimulus: for a population either a float array, its external current, or a bool array: its spikes, teacher-forced (such a cell
        spikes when told to and at no other time, whatever its input; its V stays 0). Shape [time], [time, cell] or [time, batch, cell];
        one step may be repeated by giving time 1.
    simulator: "event" (event-driven; batched on the GPU where device is one), "torch" (batched torch on any device), "snntorch" and
        "norse" (their cells in that loop), or "brian2" ("brian2:cython" and "brian2:cpp_standalone" compile).
    device: of the torch simulators, and of "event": "cpu", "cuda".
    record: for a population the cells whose voltage is recorded.
    dtype: "float64", or "float32" on the torch simulators.
    progress: called now and then with the steps done and the steps in all.

    >>> from spikemem import LIF, Network, Population
    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("cell", 1, LIF(tau=20.0)))
    >>> simulate(net, {"cell": [0.3]}, steps=12)["cell"].step.tolist()
    [3, 7, 11]
    """
    if not isinstance(steps, int | np.integer) or steps < 1:
        raise StimulusError(f"steps is {steps!r}; it must be a whole number, at least one")
    if dtype not in ("float64", "float32"):
        raise StimulusError(f"dtype {dtype!r}; it must be float64 or float32")
    drive = checked(net, stimulus, steps)
    chosen = {name: _cells(net, name, cells) for name, cells in (record or {}).items()}
    if simulator not in SIMULATORS:
        raise NetworkError(f"no simulator {simulator!r}; there are {', '.join(SIMULATORS)}")
    if simulator.startswith("brian2") or (simulator == "event" and device == "cpu"):
        if dtype != "float64":
            raise StimulusError(f'simulator "{simulator}" computes in float64; use "torch" for float32')
        if device != "cpu":
            raise NetworkError(f'simulator "{simulator}" runs on the CPU, not on {device!r}')
    match simulator:
        case "event" if device == "cpu":
            from spikemem.simulators import event

            return event.run(net, drive, chosen, progress)
        case "snntorch":
            from spikemem.simulators import snntorch
            from spikemem.simulators import torch_loop as torch_batched

            return torch_batched.run(net, drive, chosen, progress, device, dtype, snntorch.SnnTorch)
        case "norse":
            from spikemem.simulators import norse
            from spikemem.simulators import torch_loop as torch_batched

            return torch_batched.run(net, drive, chosen, progress, device, dtype, norse.Norse)
        case "event" | "torch":
            from spikemem.simulators import torch_loop as torch_batched

            return torch_batched.run(net, drive, chosen, progress, device, dtype)
    from spikemem.simulators.brian2 import run as brian2

    return brian2.run(net, drive, chosen, progress, simulator.partition(":")[2] or "numpy")


def _cells(net: Network, name: str, cells: ArrayLike) -> NDArray[np.int64]:
    if name not in net.populations:
        raise StimulusError(f"voltages of {name!r}, but the populations are {', '.join(net.populations)}")
    try:
        chosen = np.atleast_1d(np.asarray(cells))
    except (TypeError, ValueError) as error:
        raise StimulusError(f"voltages of {name!r}: {cells!r} are no cells: {error}") from error
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise StimulusError(f"voltages of {name!r}: give a list of cell indices, not {chosen.dtype} of shape {chosen.shape}")
    chosen = chosen.astype(np.int64)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= net.populations[name].size):
        raise StimulusError(f"{name!r} has cells 0 to {net.populations[name].size - 1}; asked for {chosen.min()} to {chosen.max()}")
    return chosen
