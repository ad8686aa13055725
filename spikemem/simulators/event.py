"""The event-driven simulator on the CPU: ours, and the default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu
from spikemem.network import BASKET, KWinners, Network, Population, Projection
from spikemem.recording import Recording, Spikes
from spikemem.stimulus import Drive
from spikemem.synapses import Dense, OneBit, Sparse

NO_EVENTS = np.zeros((0, 3), np.int64)
ALL = np.iinfo(np.int64).max
SILENCE = np.zeros((1, 1))


@dataclass(eq=False)
class _State:
    """A population's arrays, [batch, cell], its inhibition's counters, and its events, one array a step."""

    voltage: NDArray[np.float64]
    spiked: NDArray[np.bool_]
    current: NDArray[np.float64]
    silenced: NDArray[np.bool_]
    count: NDArray[np.int64]
    events: list[NDArray[np.int64]] = field(default_factory=list)
    baskets: list[NDArray[np.int64]] = field(default_factory=list)

    @classmethod
    def rest(cls, batches: int, cells: int) -> "_State":
        shape = (batches, cells)
        zero = np.zeros(batches, np.int64)
        return cls(np.zeros(shape), np.zeros(shape, bool), np.zeros(shape), np.zeros(shape, bool), zero)


def run(
    net: Network, drive: Drive, chosen: Mapping[str, NDArray[np.int64]], progress: Callable[[int, int], None] | None = None
) -> Recording:
    """Simulate; see `spikemem.simulate.simulate`."""
    states = {name: _State.rest(drive.batches, p.size) for name, p in net.populations.items()}
    voltages = {name: np.zeros((drive.steps, drive.batches, len(cells))) for name, cells in chosen.items()}
    for t in range(drive.steps):
        for state in states.values():
            state.current[:] = 0.0
        for projection in net.projections:
            source = t - net.steps(projection.delay)
            if source >= 0 and len(events := states[projection.pre].events[source]):
                _deliver(projection, events, states[projection.post].current)
        for name, population in net.populations.items():
            state = states[name]
            if name in drive.clamped:
                state.events.append(_forced(population, drive.clamped[name][t], state, t, net))
            else:
                external = drive.current[name][t] if name in drive.current else SILENCE
                _advance(population, state, external, t, net)
            if name in chosen:
                voltages[name][t] = state.voltage[:, chosen[name]]
        if progress is not None and (t % 32 == 31 or t + 1 == drive.steps):
            progress(t + 1, drive.steps)
    return _record(net, drive, states, voltages, chosen)


def _deliver(projection: Projection, events: NDArray[np.int64], current: NDArray[np.float64]) -> None:
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
        state.voltage[:], state.spiked[:], state.silenced[:], state.count[:] = 0.0, False, False, 0
    cpu.integrate(state.voltage, state.spiked, state.current, external, neuron.beta(net.dt), neuron.threshold)
    state.spiked[:] = False
    if isinstance(inhibition, KWinners):
        events, baskets = cpu.choose_winners(state.voltage, neuron.threshold, inhibition.k, state.silenced, state.count)
        state.baskets.append(baskets)
    else:
        events = cpu.crossings(state.voltage, neuron.threshold)
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
        carried += carried_by(projection, events[:, 1], events[:, 2])
    return Recording(net.dt, drive.steps, drive.batches, spikes, voltages, dict(chosen), {}, carried)


def carried_by(projection: Projection, cells: NDArray[np.integer], rank: NDArray[np.integer]) -> int:
    """Synaptic events: how many synapses carry the spikes of these presynaptic cells, given their rank in the cycle."""
    if projection.first is not None:
        cells = cells[rank < projection.first]
    match projection.synapses:
        case Sparse(indptr=indptr):
            return int((indptr[cells + 1] - indptr[cells]).sum())
        case OneBit(bits=bits):
            return int(np.bitwise_count(bits[cells]).sum())
        case Dense(weights=weights):
            return len(cells) * weights.shape[1]
