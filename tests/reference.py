"""The step contract of `spikemem.neurons` and the rules of `spikemem.network`, one plain loop a batch item: slow, and easy to check."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.network import KWinners, Network


class Trace(NamedTuple):
    """What one batch item did."""

    spikes: dict[str, list[tuple[int, int]]]
    """(step, cell) of each spike, in firing order; a basket cell is "NAME.basket"."""
    voltages: dict[str, NDArray[np.float64]]
    """[time, cell]"""
    margin: float
    """The least difference, 0 excepted, between a free voltage and its threshold, or between two voltages that race."""


def leak(tau: float, dt: float) -> float:
    return math.exp(-dt / tau)


def simulate_plainly(net: Network, stimulus: Mapping[str, NDArray[Any]], steps: int, beta: Callable[[float, float], float] = leak) -> Trace:
    """stimulus: [time, cell], float currents or bool spikes.   beta: the decay for (tau, dt)."""
    pops = net.populations
    fired = {name: np.full((steps, p.size), -1) for name, p in pops.items()}  # the spike's rank in its cycle; -1 for none
    volts = {name: np.zeros((steps, p.size)) for name, p in pops.items()}
    held = {name: np.zeros(p.size, bool) for name, p in pops.items()}
    count = dict.fromkeys(pops, 0)
    spikes: dict[str, list[tuple[int, int]]] = {name: [] for name in pops}
    spikes |= {f"{name}.basket": [] for name, p in pops.items() if isinstance(p.inhibition, KWinners)}
    margin = math.inf
    for t in range(steps):
        for name, p in pops.items():
            theta, rule, given = p.neuron.threshold, p.inhibition, stimulus.get(name, np.zeros((steps, p.size)))[t]
            fresh = t == 0 or (rule is not None and t % round(rule.cycle / net.dt) == 0)
            if fresh:
                held[name][:], count[name] = False, 0
            if given.dtype == bool:
                winners = list(np.flatnonzero(given))
            else:
                v = given + sum((_arriving(net, q, fired, t) for q in net.projections if q.post == name), np.zeros(p.size))
                if not fresh:
                    v += beta(p.neuron.tau, net.dt) * volts[name][t - 1] - theta * (fired[name][t - 1] >= 0)
                v[held[name]] = 0.0
                crossed = [int(cell) for cell in np.argsort(-v, kind="stable") if v[cell] > theta]  # higher V first, then lower index
                gaps = np.abs(np.concatenate([v - theta, np.diff(v[crossed])]))
                margin = min(margin, gaps[gaps > 0].min(initial=math.inf))
                winners = crossed[: rule.k - count[name]] if isinstance(rule, KWinners) else sorted(crossed)
                if isinstance(rule, KWinners) and winners:
                    held[name][winners] = True
                    if count[name] + len(winners) == rule.k:
                        v[np.setdiff1d(np.arange(p.size), winners)] = 0.0
                        held[name][:] = True
                        spikes[f"{name}.basket"].append((t, 0))
                volts[name][t] = v
            fired[name][t, winners] = count[name] + np.arange(len(winners))
            count[name] += len(winners)
            spikes[name] += [(t, int(cell)) for cell in winners]
    return Trace(spikes, volts, margin)


def _arriving(net: Network, projection: Any, fired: Mapping[str, NDArray[np.int64]], t: int) -> NDArray[np.float64]:
    """The current of one projection at step t."""
    source = t - round(projection.delay / net.dt)
    if source < 0:
        return np.zeros(projection.synapses.shape[1])
    rank = fired[projection.pre][source]
    carried = (rank >= 0) & (rank < (math.inf if projection.first is None else projection.first))
    return np.asarray(carried @ projection.synapses.matrix())
