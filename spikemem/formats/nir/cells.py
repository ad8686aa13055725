"""NIR's cells as neurons whose steps are the Euler steps of a clock-driven reader (times in seconds, dt of a step):

    i + dt / tau_syn (w_in I - i)                                  CubaLIF, CubaLI
    v + dt / tau (v_leak - v + r I)   or   v + dt r I              LIF, CubaLIF, LI, CubaLI   or   IF, I
    spike where v > v_threshold; v_reset, or v - (v_threshold - v_reset), at the end of the step

v begins at v_leak. Our V is v - v_leak, exactly, and begins at 0. Cells with v_leak >= v_threshold fire by themselves: their V is
v - v_reset and begins at 0, and v_leak - v_reset is a constant current.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.formats.nir.nodes import kind
from spikemem.network.neurons import LIF, Exponential, LeakyIntegrator, Neuron, Receptors
from spikemem.network.neurons.contract import check

Values = NDArray[np.float64]
SPIKING, SILENT = ("LIF", "IF", "CubaLIF"), ("LI", "I", "CubaLI")
SYNAPTIC = "synaptic"
"""The receptor of a CubaLI."""


class NirCells(NamedTuple):
    """A node of cells as a population."""

    neuron: Neuron
    shape: tuple[int, ...]
    """Of the node; the cells of the population stand in C order."""
    drive: Values | None = None
    """A constant current, [cell]."""
    back: Values | None = None
    """What a spike gives back to the cell itself in the step after, [cell]; see `spiking`."""
    gamma: Values | None = None
    """The decay of the synaptic current in a step, [cell], in which what was given back would last; None where there is none."""

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def receptor(self) -> str:
        """What projections reach."""
        return self.neuron.receptors[-1]


def spiking(node: Any, dt: float, subtract: bool) -> NirCells:
    """LIF, IF and CubaLIF as `LIF` cells.

    With subtract a reader lowers v by theta' = v_threshold - v_reset at the end of the step, before it leaks; `LIF` lowers V by its theta
    after. A cell's spikes therefore come back to it, one step later, with what the difference is as a current:

        R back = theta - (1 - dt / tau) theta'
    """
    field = _Fields(node, "v_threshold")
    threshold, reset, gain = field("v_threshold"), field("v_reset"), field("r")
    leak = share = np.zeros(())
    if kind(node) == "IF":
        tau: Values | float = math.inf
        resistance = gain * (dt / 1000)
    else:
        leak = field("v_leak")
        tau, share = _euler(field.time("tau_mem" if kind(node) == "CubaLIF" else "tau"), dt)
        resistance = gain * share
    fires = leak >= threshold
    rest = np.where(fires, reset, leak) if kind(node) != "IF" else np.zeros(threshold.shape)
    synapse, gamma, filtered = _synapse(field, dt)
    cell = LIF(tau, threshold - rest, None if subtract else reset - rest, tau_syn=synapse, resistance=resistance * filtered)
    drive = np.where(fires, (leak - reset) / gain, 0.0) if kind(node) != "IF" else np.zeros(threshold.shape)
    if drive.any() and gamma is not None:
        raise NetworkError("its v_leak is not below its v_threshold; cells with a synaptic current that fire by themselves are not read")
    back = (threshold - rest - (1.0 - share) * (threshold - reset)) / (resistance * filtered)
    return NirCells(cell, field.shape, drive if drive.any() else None, back if subtract and back.any() else None, gamma)


def silent(node: Any, dt: float) -> NirCells:
    """LI, I and CubaLI as `LeakyIntegrator` cells, V = v - v_leak."""
    field = _Fields(node, "r")
    gain = field("r")
    if kind(node) == "I":
        return NirCells(LeakyIntegrator(math.inf, gain * (dt / 1000)), field.shape)
    field("v_leak")
    tau, share = _euler(field.time("tau_mem" if kind(node) == "CubaLI" else "tau"), dt)
    synapse, gamma, filtered = _synapse(field, dt)
    cell = LeakyIntegrator(tau, gain * share * filtered)
    if gamma is None:
        return NirCells(cell, field.shape)
    if len(set(synapse.tolist())) > 1:
        raise NetworkError("its cells differ in tau_syn, which those of a LeakyIntegrator behind a receptor share; split it")
    return NirCells(Receptors(cell, **{SYNAPTIC: Exponential(float(synapse[0]))}), field.shape)


class _Fields:
    """The fields of a node of cells, each with a number for each cell, [cell]."""

    def __init__(self, node: Any, first: str) -> None:
        self.node = node
        self.shape = tuple(check.array(getattr(node, first), f"its {first}").shape) or (1,)
        if not math.prod(self.shape):
            raise NetworkError("it has no cells")

    def __call__(self, name: str) -> Values:
        values = check.floats(getattr(self.node, name), f"its {name}").ravel()
        if values.size != math.prod(self.shape):
            raise NetworkError(f"its {name} holds {values.size} numbers for {math.prod(self.shape)} cells")
        return values

    def time(self, name: str) -> Values:
        """A time constant, in seconds."""
        values = self(name)
        for value in values[~(values > 0)]:
            raise NetworkError(f"{name} is {value} s; it must be above 0")
        return values


def _synapse(field: _Fields, dt: float) -> tuple[Values, Values | None, Values | float]:
    """tau_syn in ms, its decay in a step, and the factor on what arrives; 0, None and 1 where a node has no synaptic current."""
    if not kind(field.node).startswith("Cuba"):
        return np.zeros(()), None, 1.0
    tau = field.time("tau_syn")
    factor = field("w_in") * (dt / 1000 / tau)
    if np.isclose(tau * 1000, dt, rtol=1e-9, atol=0.0).all():
        return np.zeros(()), None, factor
    synapse, share = _euler(tau, dt)
    return synapse, 1.0 - share, factor


def _euler(tau: Values, dt: float) -> tuple[Values, Values]:
    """tau in ms for which exp(-dt / tau) is the Euler step 1 - dt / tau of NIR's tau in seconds, and dt / tau."""
    share = dt / 1000 / tau
    for value in tau[~((share > 0) & (share < 1))]:
        raise NetworkError(f"a time constant of {value} s must be longer than dt, {dt} ms; give a shorter dt")
    return -dt / np.log1p(-share), share
