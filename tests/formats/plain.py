"""A plain reader of NIR, from the definitions of Pedersen et al. (2024) alone: one Euler step of each node after the other, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

Currents = Mapping[str, NDArray[Any]]
Spikes = dict[str, NDArray[np.bool_]]
CUBA = ("CubaLIF", "CubaLI")


class PlainReader:
    """NIR by its equations in Euler steps: edges take no time, Delay nodes theirs, and cells hear themselves in the next step.

    subtract: whether a spike lowers v by v_threshold - v_reset, at the end of the step, and does not set it to v_reset.
    """

    def __init__(self, graph: Any, currents: Currents, dt: float, subtract: bool = False) -> None:
        self.nodes, self.edges, self.dt, self.subtract = graph.nodes, graph.edges, dt / 1000, subtract
        self.currents, self.values, self.states = currents, {}, {}  # type: ignore[var-annotated]

    def run(self, steps: int) -> Spikes:
        """The spikes of all cells, [time, cell]."""
        cells = [name for name, node in self.nodes.items() if hasattr(node, "v_threshold")]
        return {name: np.array([self.out(name, t).ravel() for t in range(steps)]) > 0 for name in cells}

    def voltages(self, name: str, steps: int) -> NDArray[np.float64]:
        """v of cells that do not spike, [time, cell]."""
        return np.array([self.out(name, t).ravel() for t in range(steps)])

    def out(self, name: str, t: int) -> Any:
        if t < 0:
            return 0.0
        if (name, t) not in self.values:
            self.values[name, t] = self._out(name, self.nodes[name], t)
        return self.values[name, t]

    def _out(self, name: str, node: Any, t: int) -> Any:
        sources = [pre for pre, post in self.edges if post == name]
        kind = type(node).__name__
        if kind == "Input":
            return np.asarray(self.currents[name][t], float)
        if kind == "Delay":
            delays = np.round(node.delay / self.dt).astype(int)
            past = {lag: sum(self.out(pre, t - lag) for pre in sources) * np.ones(node.delay.shape) for lag in set(delays.tolist())}
            return np.array([past[lag][cell] for cell, lag in enumerate(delays.tolist())])
        own = {pre for pre in sources if (name, pre) in self.edges and not hasattr(node, "weight")}
        x = sum(self._before(pre, t) if pre in own else self.out(pre, t) for pre in sources)
        return self._linear(kind, node, x) if kind in LINEAR else self._cells(name, kind, node, x)

    def _before(self, name: str, t: int) -> Any:
        """What a node says in the step before; weights say their bias before all steps."""
        node = self.nodes[name]
        return self._linear(type(node).__name__, node, 0.0) if not t and hasattr(node, "weight") else self.out(name, t - 1)

    def _linear(self, kind: str, node: Any, x: Any) -> Any:
        match kind:
            case "Linear" | "Affine":
                return node.weight @ np.broadcast_to(x, node.weight.shape[1]) + getattr(node, "bias", 0.0)
            case "Scale":
                return node.scale * x
            case "Flatten":
                return x.ravel()
            case "SumPool2d" | "AvgPool2d":
                size, stride, pad = ([int(n) for n in field] for field in (node.kernel_size, node.stride, node.padding))
                pooled = functional.avg_pool2d(torch.as_tensor(x)[None], size, stride, pad)[0].numpy()
                return pooled * (np.prod(size) if kind == "SumPool2d" else 1.0)
        convolve: Any = functional.conv1d if kind == "Conv1d" else functional.conv2d
        kernel, bias = (torch.as_tensor(np.asarray(field, float)) for field in (node.weight, node.bias))
        stride, dilation = (np.ravel(field).tolist() for field in (node.stride, node.dilation))
        pad = node.padding if isinstance(node.padding, str) else np.ravel(node.padding).tolist()
        return convolve(torch.as_tensor(x)[None], kernel, bias, stride, pad, dilation, int(node.groups))[0].numpy()

    def _cells(self, name: str, kind: str, node: Any, current: Any) -> NDArray[np.float64]:
        v, i = self.states.get(name, (self._start(node), 0.0))
        current = np.broadcast_to(current, node.r.shape)
        if kind in CUBA:
            i = i + self.dt / node.tau_syn * (node.w_in * current - i)
            current = i
        if kind in ("IF", "I"):
            v = v + self.dt * node.r * current
        else:
            tau = node.tau_mem if kind in CUBA else node.tau
            v = v + self.dt / tau * (node.v_leak - v + node.r * current)
        if not hasattr(node, "v_threshold"):
            self.states[name] = v, i
            return np.asarray(v)
        spikes = v > node.v_threshold
        after = v - (node.v_threshold - node.v_reset) if self.subtract else node.v_reset
        self.states[name] = np.where(spikes, after, v), i
        return spikes.astype(float)

    @staticmethod
    def _start(node: Any) -> Any:
        """v_leak; of a cell that it would make fire, v_reset."""
        leak = getattr(node, "v_leak", np.zeros(node.r.shape))
        return np.where(leak < node.v_threshold, leak, node.v_reset) if hasattr(node, "v_threshold") else leak


LINEAR = ("Linear", "Affine", "Scale", "Flatten", "SumPool2d", "AvgPool2d", "Conv1d", "Conv2d")
