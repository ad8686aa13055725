"""The step contract of `spikemem.neurons` and the rules of `spikemem.network`, one plain loop a batch item: slow, and easy to check."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.network.graph import KWinners, Network
from spikemem.network.synapses import Sparse


class Trace(NamedTuple):
    """What one batch item did."""

    spikes: dict[str, list[tuple[int, int]]]
    """(step, cell) of each spike, in firing order; a basket cell is "NAME.basket"."""
    voltages: dict[str, NDArray[np.float64]]
    """[time, cell]"""
    margin: float
    """The least difference, 0 excepted, between a free voltage and its threshold, or between two voltages that race."""
    tie: bool
    """Whether a free voltage stood at its threshold, or two that raced were equal: where sums are not exact, rounding decides."""
    weights: dict[str, NDArray[np.float64]]
    """Of each plastic projection at the end, [pre, post]; 0 where there is no synapse."""


def leak(tau: float, dt: float) -> float:
    return math.exp(-dt / tau)


Decay = Callable[[float, float], float]


def simulate_plainly(net: Network, stimulus: Mapping[str, NDArray[Any]], steps: int, beta: Decay = leak, trace: Decay = leak) -> Trace:
    """stimulus: [time, cell], float currents or bool spikes.   beta, trace: the decay for (tau, dt) of cells and of STDP's traces."""
    pops = net.populations
    fired = {name: np.full((steps, p.size), -1) for name, p in pops.items()}  # the spike's rank in its cycle; -1 for none
    volts = {name: np.zeros((steps, p.size)) for name, p in pops.items()}
    held = {name: np.zeros(p.size, bool) for name, p in pops.items()}
    synaptic = {name: np.zeros(p.size) for name, p in pops.items()}
    rests_until = {name: np.full(p.size, -1) for name, p in pops.items()}  # the last refractory step
    plastic = {q.name: _Plastic(net, q, trace) for q in net.projections if q.plasticity is not None}
    count = dict.fromkeys(pops, 0)
    spikes: dict[str, list[tuple[int, int]]] = {name: [] for name in pops}
    spikes |= {f"{name}.basket": [] for name, p in pops.items() if isinstance(p.inhibition, KWinners)}
    margin, tie = math.inf, False
    for t in range(steps):
        for name, p in pops.items():
            theta, rule, given = p.neuron.threshold, p.inhibition, stimulus.get(name, np.zeros((steps, p.size)))[t]
            fresh = t == 0 or (rule is not None and t % round(rule.cycle / net.dt) == 0)
            if fresh:
                held[name][:], count[name], rests_until[name][:] = False, 0, -1
            if given.dtype == bool:
                winners = list(np.flatnonzero(given))
            else:
                arriving = [_arriving(net, q, fired, t, plastic) for q in net.projections if q.post == name]
                synaptic[name] = (beta(p.neuron.tau_syn, net.dt) if p.neuron.tau_syn else 0.0) * synaptic[name] + given + sum(arriving)
                v = p.neuron.resistance * synaptic[name]
                if not fresh:
                    spiked, before = fired[name][t - 1] >= 0, volts[name][t - 1]
                    after = before - theta * spiked if p.neuron.reset is None else np.where(spiked, p.neuron.reset, before)
                    v += beta(p.neuron.tau, net.dt) * (before if p.neuron.reset is None else after)
                    v -= theta * spiked * (p.neuron.reset is None)
                    v = np.where(t <= rests_until[name], after, v)
                v[held[name]] = 0.0
                free = t > rests_until[name]
                crossed = [int(cell) for cell in np.argsort(-v, kind="stable") if v[cell] > theta and free[cell]]  # then the lower index
                gaps = np.abs(np.concatenate([v - theta, np.diff(v[crossed])]))
                margin = min(margin, gaps[gaps > 0].min(initial=math.inf))
                raced = gaps if isinstance(rule, KWinners) else gaps[: p.size]
                tie = tie or bool((raced == 0).any())
                winners = crossed[: rule.k - count[name]] if isinstance(rule, KWinners) else sorted(crossed)
                if isinstance(rule, KWinners) and winners:
                    held[name][winners] = True
                    if count[name] + len(winners) == rule.k:
                        v[np.setdiff1d(np.arange(p.size), winners)] = 0.0
                        held[name][:] = True
                        spikes[f"{name}.basket"].append((t, 0))
                volts[name][t] = v
                rests_until[name][winners] = t + round(p.neuron.refractory / net.dt)
            fired[name][t, winners] = count[name] + np.arange(len(winners))
            count[name] += len(winners)
            spikes[name] += [(t, int(cell)) for cell in winners]
        for learner in plastic.values():
            learner.learn(fired, t)
    return Trace(spikes, volts, margin, tie, {name: learner.w for name, learner in plastic.items()})


class _Plastic:
    """Pair STDP from the times of all past spikes, without traces."""

    def __init__(self, net: Network, projection: Any, decay: Decay) -> None:
        self.decay = decay
        self.q, self.rule, self.dt, self.w = projection, projection.plasticity, net.dt, projection.synapses.matrix().copy()
        self.here = np.ones(self.w.shape, bool)
        if isinstance(projection.synapses, Sparse):
            ones = Sparse.from_coo(*_pairs(projection.synapses), 1.0, self.w.shape)
            self.here = ones.matrix() > 0
        self.back = round(self.rule.dendritic / net.dt)
        self.forth = round(projection.delay / net.dt) - self.back
        self.seen: dict[str, list[NDArray[np.bool_]]] = {"pre": [], "post": []}

    def learn(self, fired: Mapping[str, NDArray[np.int64]], t: int) -> None:
        for side, name, late in (("pre", self.q.pre, self.forth), ("post", self.q.post, self.back)):
            now = fired[name][t - late] >= 0 if t >= late else np.zeros(fired[name].shape[1], bool)
            self.seen[side].append(now)
        rate, middle = self.rule.drift * self.dt, (self.rule.w_min + self.rule.w_max) / 2
        drifted = self.w + np.where(self.w > (middle if self.rule.divide is None else self.rule.divide), rate, -rate)
        self.w = np.where(self.here, np.clip(drifted, self.rule.w_min, self.rule.w_max), 0.0)
        early = self.rule.coincidence == "depression"  # then the postsynaptic spikes come first
        for side in ("post", "pre") if early else ("pre", "post"):
            now, other = self.seen[side][t], self.seen["pre" if side == "post" else "post"]
            includes_now = (side == "pre") == early
            tau = self.rule.tau_plus if side == "post" else self.rule.tau_minus
            trace = np.zeros(len(other[0]))
            for s in range(t + includes_now):
                weight = self.decay(tau, (t - s) * self.dt)
                trace = trace + weight * other[s] if self.rule.pairing == "all" else np.where(other[s], weight, trace)
            pairs = np.outer(trace, now) if side == "post" else np.outer(now, trace)
            low, high, soft = self.rule.w_min, self.rule.w_max, self.rule.dependence == "multiplicative"
            if side == "post":
                change = self.rule.a_plus * pairs * (high - self.w if soft else 1.0)
            else:
                change = -self.rule.a_minus * pairs * (self.w - low if soft else 1.0)
            self.w = np.where(self.here, np.clip(self.w + change, low, high), 0.0)


def _pairs(synapses: Sparse) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    return np.repeat(np.arange(synapses.shape[0]), np.diff(synapses.indptr)), synapses.targets


def _arriving(
    net: Network, projection: Any, fired: Mapping[str, NDArray[np.int64]], t: int, plastic: Mapping[str, _Plastic]
) -> NDArray[np.float64]:
    """The current of one projection at step t."""
    source = t - round(projection.delay / net.dt)
    if source < 0:
        return np.zeros(projection.synapses.shape[1])
    rank = fired[projection.pre][source]
    carried = (rank >= 0) & (rank < (math.inf if projection.first is None else projection.first))
    weights = plastic[projection.name].w if projection.name in plastic else projection.synapses.matrix()
    counts = 1.0 if projection.efficacy is None else projection.efficacy[source % len(projection.efficacy)]
    return np.asarray(carried @ weights) * counts
