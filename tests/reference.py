"""The step contract of `network.neurons` and the rules of `network.graph`, one plain loop a batch item: slow, and easy to check.

It knows LIF and STDP. Who wants another neuron or rule brings a `Cells` or a `Plastic` for it, apart from its own `step`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem import LIF, STDP, KWinners, Network
from spikemem.network import Projection
from spikemem.network.synapses import Sparse, compressed


class Trace(NamedTuple):
    """What one batch item did."""

    spikes: dict[str, list[tuple[int, int]]]
    """(step, cell) of each spike, in firing order; a basket cell is "NAME.basket"."""
    voltages: dict[str, NDArray[np.float64]]
    """[time, cell]"""
    ranks: dict[str, list[int]]
    """The rank of each spike in its cycle."""
    margin: float
    """The least difference, 0 excepted, between a free voltage and its threshold, or between two voltages that race."""
    tie: bool
    """Whether a free voltage stood at its threshold, or two that raced were equal: where sums are not exact, rounding decides."""
    weights: dict[str, NDArray[np.float64]]
    """Of each plastic projection at the end, [pre, post]; 0 where there is no synapse."""


def leak(tau: Any, dt: float) -> Any:
    return np.exp(-dt / np.asarray(tau))


Decay = Callable[[Any, float], Any]


class Cells(Protocol):
    """The cells of a population."""

    def step(self, t: int, current: NDArray[np.float64], fresh: bool, spiked: NDArray[np.bool_], before: NDArray[np.float64]) -> Any:
        """V, its threshold, and which cells may spike, [cell] each.   fresh: whether V and S of the last step do not count."""

    def fired(self, t: int, cells: list[int]) -> None:
        """Who has spiked in the end."""


class _Leaky:
    def __init__(self, neuron: LIF, size: int, dt: float, beta: Decay) -> None:
        self.neuron, self.dt, self.beta = neuron, dt, beta
        self.synaptic = np.zeros(size)
        self.rests_until = np.full(size, -1)  # the last refractory step
        self.rest = np.broadcast_to(np.rint(np.asarray(neuron.refractory) / dt).astype(int), size)

    def step(self, t: int, current: NDArray[np.float64], fresh: bool, spiked: NDArray[np.bool_], before: NDArray[np.float64]) -> Any:
        cell, theta = self.neuron, np.asarray(self.neuron.threshold)
        self.synaptic = (self.beta(cell.tau_syn, self.dt) if cell.tau_syn else 0.0) * self.synaptic + current
        v = np.asarray(cell.resistance) * self.synaptic
        if fresh:
            self.rests_until[:] = -1
        else:
            after = before - theta * spiked if cell.reset is None else np.where(spiked, np.asarray(cell.reset), before)
            v += self.beta(cell.tau, self.dt) * (before if cell.reset is None else after)
            v -= theta * spiked * (cell.reset is None)
            v = np.where(t <= self.rests_until, after, v)
        return v, theta, t > self.rests_until

    def fired(self, t: int, cells: list[int]) -> None:
        self.rests_until[cells] = t + self.rest[cells]


def simulate_plainly(
    net: Network,
    stimulus: Mapping[str, NDArray[Any]],
    steps: int,
    beta: Decay = leak,
    trace: Decay = leak,
    others: Mapping[type, Callable[..., Any]] = {},
) -> Trace:
    """stimulus: [time, cell], float currents or bool spikes.   beta, trace: the decay for (tau, dt) of cells and of STDP's traces.

    others: the `Cells` or the `Plastic` of further kinds of neurons and rules.
    """
    pops, known = net.populations, {LIF: _Leaky, STDP: _PairSTDP, **others}
    ways = {part: q.name for q in net.projections for part in parts(net, q)}
    cells = {name: known[type(p.neuron)](p.neuron, p.size, net.dt, beta) for name, p in pops.items()}
    fired = {name: np.full((steps, p.size), -1) for name, p in pops.items()}  # the spike's rank in its cycle; -1 for none
    volts = {name: np.zeros((steps, p.size)) for name, p in pops.items()}
    held = {name: np.zeros(p.size, bool) for name, p in pops.items()}
    plastic = {q.name: known[type(q.plasticity)](net, q, trace) for q in ways if q.plasticity is not None}
    count = dict.fromkeys(pops, 0)
    spikes: dict[str, list[tuple[int, int]]] = {name: [] for name in pops}
    spikes |= {f"{name}.basket": [] for name, p in pops.items() if isinstance(p.inhibition, KWinners)}
    ranks: dict[str, list[int]] = {name: [] for name in pops}
    margin, tie = math.inf, False
    for t in range(steps):
        for name, p in pops.items():
            rule, given = p.inhibition, stimulus.get(name, np.zeros((steps, p.size)))[t]
            fresh = t == 0 or (rule is not None and t % round(rule.cycle / net.dt) == 0)
            turns = rule.turns if isinstance(rule, KWinners) else (0,)
            k = turns[0 if rule is None else t // round(rule.cycle / net.dt) % len(turns)]
            if fresh:
                held[name][:], count[name] = False, 0
            if given.dtype == bool:
                winners = list(np.flatnonzero(given))
            else:
                receptors = p.neuron.receptors
                current = np.zeros((len(receptors), p.size))
                current[0] += given
                for q in ways:
                    if q.post == name:
                        current[receptors.index(q.receptor)] += _arriving(net, q, fired, t, plastic)
                current = current[0] if len(receptors) == 1 else current
                v, theta, free = cells[name].step(t, current, fresh, fired[name][t - 1] >= 0, volts[name][t - 1])
                v[held[name]] = 0.0
                crossed = [int(c) for c in np.argsort(-v, kind="stable") if (v > theta)[c] and free[c]]  # then the lower index
                gaps = np.abs(np.concatenate([v - theta, np.diff(v[crossed])]))
                margin = min(margin, gaps[gaps > 0].min(initial=math.inf))
                raced = gaps if isinstance(rule, KWinners) else gaps[: p.size]
                tie = tie or bool((raced == 0).any())
                winners = crossed[: k - count[name]] if isinstance(rule, KWinners) else sorted(crossed)
                if isinstance(rule, KWinners) and winners:
                    held[name][winners] = True
                    if count[name] + len(winners) == k:
                        v[np.setdiff1d(np.arange(p.size), winners)] = 0.0
                        held[name][:] = True
                        spikes[f"{name}.basket"].append((t, 0))
                volts[name][t] = v
                cells[name].fired(t, winners)
            fired[name][t, winners] = count[name] + np.arange(len(winners))
            ranks[name] += range(count[name], count[name] + len(winners))
            count[name] += len(winners)
            spikes[name] += [(t, int(cell)) for cell in winners]
        for learner in plastic.values():
            learner.learn(fired, t)
    whole = {q.name: sum(plastic[part.name].w for part, of in ways.items() if of == q.name) for q in net.projections if q.plasticity}
    return Trace(spikes, volts, ranks, margin, tie, whole)


def parts(net: Network, projection: Projection) -> list[Projection]:
    """A projection whose synapses have delays of their own as one for each of these delays, all of whose synapses have it."""
    own = net.own_delays(projection)
    if own is None:
        return [projection]
    rows, made = compressed(projection.synapses), []  # type: ignore[arg-type]
    for steps in np.unique(own).tolist():
        here = own.ravel() == steps
        synapses = Sparse.from_coo(rows.sources[here], rows.targets[here], rows.weights[here], rows.shape)
        made.append(replace(projection, name=f"{projection.name} {steps}", synapses=synapses, delay=steps * net.dt))
    return made


class Plastic:
    """A plastic projection, from the times of all past spikes, without traces; `change` is the rule."""

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
        if self.rule.reward is not None:
            self.seen.setdefault("reward", []).append(fired[self.rule.reward][t] >= 0)
        self.change(t)

    def change(self, t: int) -> None:
        """Bring the weights `w` from the end of step t - 1 to that of step t, by what the synapses have `seen`."""
        raise NotImplementedError


class _PairSTDP(Plastic):
    def change(self, t: int) -> None:
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
    net: Network, projection: Any, fired: Mapping[str, NDArray[np.int64]], t: int, plastic: Mapping[str, Plastic]
) -> NDArray[np.float64]:
    """The current of one projection at step t."""
    source = t - round(projection.delay / net.dt)
    if source < 0:
        return np.zeros(projection.synapses.shape[1])
    rank = fired[projection.pre][source]
    carried = (rank >= 0) & (rank < (math.inf if projection.first is None else projection.first))
    weights = plastic[projection.name].w if projection.name in plastic else projection.synapses.matrix()
    counts = 1.0 if projection.efficacy is None else projection.efficacy[source % len(projection.efficacy)]
    return np.asarray((carried * _released(net, projection, fired, source)) @ weights) * counts


def _released(net: Network, projection: Any, fired: Mapping[str, NDArray[np.int64]], source: int) -> NDArray[np.float64]:
    """What a spike of each presynaptic cell releases at a step, from all that it fired before: Tsodyks and Markram's synapses."""
    rule, ranks = projection.short_term, fired[projection.pre][: source + 1]
    if rule is None:
        return np.ones(ranks.shape[1])
    made, most = np.zeros(ranks.shape[1]), math.inf if projection.first is None else projection.first
    for cell in range(ranks.shape[1]):
        last, u, x = 0, 0.0, 1.0
        for step in np.flatnonzero((ranks[:, cell] >= 0) & (ranks[:, cell] < most)):
            gap = (step - last) * net.dt
            u = u * math.exp(-gap / rule.tau_facil) if rule.tau_facil else 0.0
            u, x, last = u + rule.U * (1 - u), 1 - (1 - x) * math.exp(-gap / rule.tau_rec), step
            made[cell], x = u * x, x - u * x
    return made
