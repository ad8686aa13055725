"""The batched simulator in torch, on the CPU or on CUDA: all batch items and cells at once, step by step."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikemem.errors import NetworkError
from spikemem.kernels.batched import Carrier, choose_winners
from spikemem.network import BASKET, KWinners, Network, Population
from spikemem.neurons import LIFState
from spikemem.recording import Recording, Spikes
from spikemem.simulators.event import carried_by
from spikemem.stimulus import Drive

Events = tuple[Tensor, Tensor, Tensor]  # batch, cell, rank in the cycle


class _State:
    """A population's tensors, [batch, cell], and what it has recorded."""

    def __init__(self, batches: int, cells: int, device: torch.device, dtype: torch.dtype) -> None:
        zeros = torch.zeros(batches, cells, device=device, dtype=dtype)
        self.lif = LIFState(zeros, torch.zeros_like(zeros, dtype=torch.bool))
        self.silenced = torch.zeros_like(zeros, dtype=torch.bool)
        self.count = torch.zeros(batches, device=device, dtype=torch.long)
        self.history: list[Tensor] = []
        self.ranks: list[Tensor] = []
        self.events: list[Events] = []
        self.baskets: list[Tensor] = []

    def fire(self, spikes: Tensor, rank: Tensor | None, voltage: Tensor) -> None:
        """Take the spikes of this step into the record, in firing order."""
        self.lif = LIFState(voltage, spikes)
        rank = spikes.long().cumsum(1) - 1 + self.count.unsqueeze(1) if rank is None else rank
        batch, cell = spikes.nonzero(as_tuple=True)
        place = rank[batch, cell]
        order = (batch * (int(place.max()) + 1 if len(place) else 1) + place).argsort()
        self.history.append(spikes)
        self.ranks.append(rank)
        self.events.append((batch[order], cell[order], place[order]))
        self.count = self.count + spikes.sum(1)


def run(
    net: Network,
    drive: Drive,
    chosen: Mapping[str, NDArray[np.int64]],
    progress: Callable[[int, int], None] | None = None,
    device: str = "cpu",
    dtype: str = "float64",
) -> Recording:
    """Simulate; see `spikemem.simulate.simulate`."""
    try:
        place = torch.device(device)
        kind: torch.dtype = getattr(torch, dtype)
        states = {name: _State(drive.batches, p.size, place, kind) for name, p in net.populations.items()}
    except (RuntimeError, AssertionError) as error:
        raise NetworkError(f"device {device!r} cannot be used: {error}") from error
    carriers = [Carrier(p.synapses, place, kind) for p in net.projections]
    voltages = {name: np.zeros((drive.steps, drive.batches, len(cells))) for name, cells in chosen.items()}
    for t in range(drive.steps):
        current = {name: torch.zeros_like(state.lif.voltage) for name, state in states.items()}
        for projection, carrier in zip(net.projections, carriers, strict=True):
            source = t - net.steps(projection.delay)
            if source >= 0:
                state = states[projection.pre]
                spikes = state.history[source]
                if projection.first is not None:
                    spikes = spikes & (state.ranks[source] < projection.first)
                if spikes.any():
                    current[projection.post] += carrier.deliver(spikes)
        for name, population in net.populations.items():
            state = states[name]
            if population.inhibition is not None and t % net.steps(population.inhibition.cycle) == 0:
                _restart(state)
            if name in drive.clamped:
                forced = torch.as_tensor(drive.clamped[name][t].copy(), device=place).expand_as(state.silenced)
                state.fire(forced, None, torch.zeros_like(state.lif.voltage))
                state.baskets.append(torch.zeros_like(state.count, dtype=torch.bool))
            else:
                external = torch.as_tensor(drive.current[name][t], device=place, dtype=kind) if name in drive.current else 0.0
                _advance(population, state, current[name] + external, net.dt)
            if name in chosen:
                voltages[name][t] = state.lif.voltage[:, torch.as_tensor(chosen[name], device=place)].cpu().numpy()
        if progress is not None and (t % 32 == 31 or t + 1 == drive.steps):
            progress(t + 1, drive.steps)
    return _record(net, drive, states, voltages, chosen)


def _restart(state: _State) -> None:
    state.lif = LIFState(torch.zeros_like(state.lif.voltage), torch.zeros_like(state.lif.spikes))
    state.silenced = torch.zeros_like(state.silenced)
    state.count = torch.zeros_like(state.count)


def _advance(population: Population, state: _State, current: Tensor, dt: float) -> None:
    stepped = population.neuron.step(current, state.lif, dt)
    if not isinstance(population.inhibition, KWinners):
        state.fire(stepped.spikes, None, stepped.voltage)
        return
    threshold, k = population.neuron.threshold, population.inhibition.k
    voltage, won, rank, full = choose_winners(stepped.voltage, threshold, k, state.silenced, state.count)
    state.silenced = state.silenced | won | full.unsqueeze(1)
    state.baskets.append(full)
    state.fire(won, rank, voltage)


def _record(
    net: Network,
    drive: Drive,
    states: Mapping[str, _State],
    voltages: dict[str, NDArray[np.float64]],
    chosen: Mapping[str, NDArray[np.int64]],
) -> Recording:
    spikes: dict[str, Spikes] = {}
    events: dict[str, NDArray[np.int64]] = {}
    for name, state in states.items():
        step = np.repeat(np.arange(drive.steps), [len(e[0]) for e in state.events]).astype(np.int32)
        events[name] = torch.cat([torch.stack(e) for e in state.events], dim=1).cpu().numpy()
        batch, cell, _ = events[name].astype(np.int32)
        spikes[name] = Spikes(step, batch, cell, net.populations[name].size)
        if isinstance(net.populations[name].inhibition, KWinners):
            steps, batches = (a.astype(np.int32) for a in torch.stack(state.baskets).cpu().numpy().nonzero())
            spikes[name + BASKET] = Spikes(steps, batches, np.zeros_like(batches), 1)
    carried = 0
    for projection in net.projections:
        _, cell, rank = events[projection.pre]
        delivered = spikes[projection.pre].step + net.steps(projection.delay) < drive.steps
        carried += carried_by(projection, cell[delivered], rank[delivered])
    return Recording(net.dt, drive.steps, drive.batches, spikes, voltages, dict(chosen), {}, carried)
