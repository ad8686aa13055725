"""The event-driven simulator on the CPU: ours, and the default."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu, plastic
from spikemem.network.graph import BASKET, KWinners, Network, Population, Projection
from spikemem.network.plasticity import STDP
from spikemem.network.synapses import Dense, OneBit, Sparse
from spikemem.simulators.recording import Recording, Spikes
from spikemem.simulators.stimulus import Drive

NO_EVENTS = np.zeros((0, 3), np.int64)
ALL = np.iinfo(np.int64).max
SILENCE = np.zeros((1, 1))


@dataclass(eq=False)
class _State:
    """A population's arrays, [batch, cell], its inhibition's counters, and its events, one array a step."""

    voltage: NDArray[np.float64]
    spiked: NDArray[np.bool_]
    current: NDArray[np.float64]
    synaptic: NDArray[np.float64]
    left: NDArray[np.int64]
    silenced: NDArray[np.bool_]
    count: NDArray[np.int64]
    events: list[NDArray[np.int64]] = field(default_factory=list)
    baskets: list[NDArray[np.int64]] = field(default_factory=list)

    @classmethod
    def rest(cls, batches: int, population: Population) -> "_State":
        shape, neuron = (batches, population.size), population.neuron
        synaptic = np.zeros(shape if neuron.tau_syn else (1, 1))
        left = np.zeros(shape if neuron.refractory else (1, 1), np.int64)
        zero = np.zeros(batches, np.int64)
        return cls(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape), synaptic, left, np.zeros(shape, bool), zero)


class _Plastic:
    """A plastic projection: its weights, [batch, synapse], and traces."""

    def __init__(self, net: Network, projection: Projection, rule: STDP, batches: int) -> None:
        pre, post = projection.synapses.shape
        match projection.synapses:
            case Sparse(indptr=indptr, targets=targets, weights=weights):
                self.indptr, self.targets = indptr, targets
            case Dense(weights=weights):
                self.indptr, self.targets = np.arange(pre + 1) * post, np.tile(np.arange(post, dtype=np.int32), pre)
        self.rule, self.shape = rule, (pre, post)
        self.columns = plastic.columns(self.indptr, self.targets, post)
        self.weights = np.tile(weights.reshape(-1), (batches, 1))
        self.x, self.y = np.zeros((batches, pre)), np.zeros((batches, post))
        self.back = net.steps(rule.dendritic)
        self.forth = net.steps(projection.delay) - self.back
        self.decays = rule.decays(net.dt)
        self.drift = rule.drift * net.dt
        self.bounds = rule.w_min, rule.w_max, rule.dependence == "multiplicative"

    def learn(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        """One step of the rule on the spikes that the synapses see."""
        self.x *= self.decays[0]
        self.y *= self.decays[1]
        if self.drift:
            plastic.drift(self.weights, self.drift, self.rule.basin, self.rule.w_min, self.rule.w_max)
        if self.rule.coincidence == "depression":
            self._potentiate(post)
            self._depress(pre)
        else:
            self._depress(pre)
            self._potentiate(post)

    def _potentiate(self, post: NDArray[np.int64]) -> None:
        plastic.potentiate(post, *self.columns, self.weights, self.x, self.rule.a_plus, *self.bounds)
        self._mark(self.y, post)

    def _depress(self, pre: NDArray[np.int64]) -> None:
        plastic.depress(pre, self.indptr, self.targets, self.weights, self.y, self.rule.a_minus, *self.bounds)
        self._mark(self.x, pre)

    def _mark(self, trace: NDArray[np.float64], events: NDArray[np.int64]) -> None:
        at = events[:, 0], events[:, 1]
        trace[at] = trace[at] + 1.0 if self.rule.pairing == "all" else 1.0

    def matrix(self) -> NDArray[np.float64]:
        """The weights, [batch, pre, post]; 0 where there is no synapse."""
        dense = np.zeros((len(self.weights), *self.shape))
        dense[:, np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.targets] = self.weights
        return dense


def run(
    net: Network, drive: Drive, chosen: Mapping[str, NDArray[np.int64]], progress: Callable[[int, int], None] | None = None
) -> Recording:
    """Simulate; see `spikemem.simulate.simulate`."""
    states = {name: _State.rest(drive.batches, p) for name, p in net.populations.items()}
    learners = {p.name: _Plastic(net, p, p.plasticity, drive.batches) for p in net.projections if p.plasticity is not None}
    voltages = {name: np.zeros((drive.steps, drive.batches, len(cells))) for name, cells in chosen.items()}
    for t in range(drive.steps):
        for state in states.values():
            state.current[:] = 0.0
        for projection in net.projections:
            left = t - net.steps(projection.delay)
            events = _spikes(states[projection.pre], left)
            if len(events):
                _deliver(projection, learners.get(projection.name), events, projection.counts(left), states[projection.post].current)
        for name, population in net.populations.items():
            state = states[name]
            if name in drive.clamped:
                state.events.append(_forced(population, drive.clamped[name][t], state, t, net))
            else:
                external = drive.current[name][t] if name in drive.current else SILENCE
                _advance(population, state, external, t, net)
            if name in chosen:
                voltages[name][t] = state.voltage[:, chosen[name]]
        for projection in net.projections:
            if (learner := learners.get(projection.name)) is not None:
                learner.learn(_spikes(states[projection.pre], t - learner.forth), _spikes(states[projection.post], t - learner.back))
        if progress is not None and (t % 32 == 31 or t + 1 == drive.steps):
            progress(t + 1, drive.steps)
    return _record(net, drive, states, learners, voltages, chosen)


def _spikes(state: _State, step: int) -> NDArray[np.int64]:
    return state.events[step] if step >= 0 else NO_EVENTS


def _deliver(
    projection: Projection, learner: _Plastic | None, events: NDArray[np.int64], counts: float, current: NDArray[np.float64]
) -> None:
    if counts != 1.0:
        delivered = np.zeros_like(current)
        _deliver(projection, learner, events, 1.0, delivered)
        current += counts * delivered
        return
    if learner is not None:
        plastic.scatter(events, learner.indptr, learner.targets, learner.weights, current)
        return
    first = ALL if projection.first is None else projection.first
    match projection.synapses:
        case Dense(weights=weights):
            cpu.scatter_dense(events, first, weights, current)
        case Sparse(indptr=indptr, targets=targets, weights=weights):
            cpu.scatter_sparse(events, first, indptr, targets, weights, current)
        case OneBit(bits=bits, start=start, on=on, off=off):
            cpu.scatter_bits(events, first, bits, start, on, off, current)


def _advance(population: Population, state: _State, external: NDArray[np.float64], t: int, net: Network) -> None:
    neuron, inhibition = population.neuron, population.inhibition
    if inhibition is not None and t % net.steps(inhibition.cycle) == 0:
        state.voltage[:], state.spiked[:], state.left[:], state.silenced[:], state.count[:] = 0.0, False, 0, False, 0
    refractory = net.steps(neuron.refractory)
    reset = math.nan if neuron.reset is None else neuron.reset
    constants = neuron.beta(net.dt), neuron.gamma(net.dt), neuron.resistance, neuron.threshold, reset, refractory
    cpu.integrate(state.voltage, state.spiked, state.current, external, state.synaptic, state.left, *constants)
    state.spiked[:] = False
    if isinstance(inhibition, KWinners):
        events, baskets = cpu.choose_winners(state.voltage, neuron.threshold, inhibition.k, state.silenced, state.count)
        state.baskets.append(baskets)
    else:
        events = cpu.crossings(state.voltage, neuron.threshold, state.left, refractory)
    state.spiked[events[:, 0], events[:, 1]] = True
    state.events.append(events)


def _forced(population: Population, spikes: NDArray[np.bool_], state: _State, t: int, net: Network) -> NDArray[np.int64]:
    """Teacher-forced spikes as events; their rank in the cycle follows their step, then their index."""
    if population.inhibition is not None and t % net.steps(population.inhibition.cycle) == 0:
        state.count[:] = 0
    batch, cell = np.nonzero(np.broadcast_to(spikes, state.spiked.shape))
    state.baskets.append(np.zeros(0, np.int64))
    if not len(batch):
        return NO_EVENTS
    start = np.searchsorted(batch, np.arange(len(state.count)))
    rank = np.arange(len(batch)) - start[batch] + state.count[batch]
    state.count += np.bincount(batch, minlength=len(state.count))
    return np.stack([batch, cell, rank], axis=1)


def _record(
    net: Network,
    drive: Drive,
    states: Mapping[str, _State],
    learners: Mapping[str, _Plastic],
    voltages: dict[str, NDArray[np.float64]],
    chosen: Mapping[str, NDArray[np.int64]],
) -> Recording:
    spikes: dict[str, Spikes] = {}
    carried = 0
    for name, state in states.items():
        step = np.repeat(np.arange(drive.steps), [len(e) for e in state.events]).astype(np.int32)
        events = np.concatenate(state.events).astype(np.int32)
        spikes[name] = Spikes(step, events[:, 0], events[:, 1], net.populations[name].size)
        if isinstance(net.populations[name].inhibition, KWinners):
            step = np.repeat(np.arange(drive.steps), [len(b) for b in state.baskets]).astype(np.int32)
            batch = np.concatenate(state.baskets).astype(np.int32)
            spikes[name + BASKET] = Spikes(step, batch, np.zeros_like(batch), 1)
    for projection in net.projections:
        events = np.concatenate(states[projection.pre].events[: max(drive.steps - net.steps(projection.delay), 0)] or [NO_EVENTS])
        carried += projection.carried(events[:, 1], events[:, 2])
    weights = {name: learner.matrix() for name, learner in learners.items()}
    return Recording(net.dt, drive.steps, drive.batches, spikes, voltages, dict(chosen), {}, carried, weights)
