"""The batched simulator in torch, on the CPU or on CUDA: all batch items and cells at once, step by step.

It is also the loop around the cells of other torch libraries (`simulators.snntorch`, `simulators.norse`): they bring `Cells`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikemem.errors import NetworkError
from spikemem.network.graph import BASKET, KWinners, Network, Population, Projection
from spikemem.network.neurons import LIFState
from spikemem.network.plasticity import STDP, STDPState
from spikemem.network.synapses import Sparse
from spikemem.simulators.recording import Recording, Spikes
from spikemem.simulators.stimulus import Drive
from spikemem.simulators.torch_kernels import Carrier, choose_winners

Events = tuple[Tensor, Tensor, Tensor]  # batch, cell, rank in the cycle
Step = Callable[[Tensor, LIFState], LIFState]


class Learner(Protocol):
    """Plastic all-to-all weights, [batch, pre, post]."""

    @property
    def weights(self) -> Tensor: ...

    def learn(self, pre: Tensor, post: Tensor) -> None:
        """One step on the spikes that the synapses see, bool, [batch, pre] and [batch, post]."""


class Cells:
    """The neurons and the plasticity of the loop: ours, from `neurons` and `plasticity`. A library puts its own in their place."""

    def __init__(self, dt: float, dtype: torch.dtype, device: torch.device) -> None:
        self.dt, self.dtype, self.device = dt, dtype, device

    def step(self, population: Population) -> Step:
        """A population's step: current I[t], [batch, cell], and the state of t - 1 to the state of t."""
        return partial(population.neuron.step, dt=self.dt)

    def learner(self, projection: Projection, rule: STDP, weights: Tensor) -> Learner:
        """What learns on a projection, from weights of [batch, pre, post] on."""
        return _Learner(rule, weights, self.dt)

    def number(self, value: float) -> Tensor:
        """A constant as a tensor of the simulation's kind."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)


class _Learner:
    def __init__(self, rule: STDP, weights: Tensor, dt: float) -> None:
        self.rule, self.dt = rule, dt
        self.state = STDPState(weights, weights.new_zeros(weights.shape[:2]), weights.new_zeros(weights.shape[0], weights.shape[2]))

    @property
    def weights(self) -> Tensor:
        return self.state.weights

    def learn(self, pre: Tensor, post: Tensor) -> None:
        self.state = self.rule.step(pre, post, self.state, self.dt)


class _Plastic:
    """A plastic projection: its learner, where it has synapses, and when they see which spikes."""

    def __init__(self, net: Network, projection: Projection, rule: STDP, cells: Cells, batches: int) -> None:
        synapses = projection.synapses
        here = np.ones(synapses.shape, bool)
        if isinstance(synapses, Sparse):
            here = Sparse(synapses.indptr, synapses.targets, np.ones(synapses.count), synapses.post).matrix() > 0
        self.here = None if here.all() else torch.as_tensor(here, device=cells.device)
        matrix = torch.as_tensor(synapses.matrix(), device=cells.device, dtype=cells.dtype)
        self.learner = cells.learner(projection, rule, matrix.expand(batches, *matrix.shape).clone())
        self.back = net.steps(rule.dendritic)
        self.forth = net.steps(projection.delay) - self.back

    def deliver(self, spikes: Tensor) -> Tensor:
        """spikes: bool, [batch, pre].   Returns the current, [batch, post]."""
        return (spikes.to(self.learner.weights.dtype).unsqueeze(1) @ self.matrix()).squeeze(1)

    def matrix(self) -> Tensor:
        """The weights, [batch, pre, post]; 0 where there is no synapse."""
        return self.learner.weights if self.here is None else torch.where(self.here, self.learner.weights, 0.0)


class _State:
    """A population's tensors, [batch, cell], and what it has recorded."""

    def __init__(self, batches: int, cells: int, device: torch.device, dtype: torch.dtype) -> None:
        zeros = torch.zeros(batches, cells, device=device, dtype=dtype)
        self.lif = LIFState(zeros, torch.zeros_like(zeros, dtype=torch.bool))
        self.silenced = torch.zeros_like(zeros, dtype=torch.bool)
        self.count = torch.zeros(batches, device=device, dtype=torch.long)
        self.recent: dict[int, Tensor] = {}
        self.ranks: dict[int, Tensor] = {}
        self.events: list[Events] = []
        self.baskets: list[Tensor] = []

    def before(self, step: int) -> Tensor:
        """The spikes of a step, silence before the first, bool, [batch, cell]."""
        return self.recent[step] if step >= 0 else torch.zeros_like(self.silenced)

    def fire(self, step: int, spikes: Tensor, rank: Tensor | None) -> None:
        """Take the spikes of this step into the record, in firing order."""
        self.recent[step] = spikes
        batch, cell = spikes.nonzero(as_tuple=True)
        if not len(batch):
            self.events.append((batch, cell, cell))
            self.ranks[step] = spikes.long()
            return
        rank = spikes.long().cumsum(1) - 1 + self.count.unsqueeze(1) if rank is None else rank
        place = rank[batch, cell]
        order = (batch * (int(place.max()) + 1) + place).argsort()
        self.ranks[step] = rank
        self.events.append((batch[order], cell[order], place[order]))
        self.count = self.count + spikes.sum(1)

    def forget(self, step: int) -> None:
        """Drop what no projection will ask for again."""
        self.recent.pop(step, None)
        self.ranks.pop(step, None)


@torch.no_grad()
def run(
    net: Network,
    drive: Drive,
    chosen: Mapping[str, NDArray[np.int64]],
    progress: Callable[[int, int], None] | None = None,
    device: str = "cpu",
    dtype: str = "float64",
    kind: type[Cells] = Cells,
) -> Recording:
    """Simulate; see `spikemem.simulate.simulate`."""
    try:
        place = torch.device(device)
        cells = kind(net.dt, getattr(torch, dtype), place)
        states = {name: _State(drive.batches, p.size, place, cells.dtype) for name, p in net.populations.items()}
    except (RuntimeError, AssertionError) as error:
        raise NetworkError(f"device {device!r} cannot be used: {error}") from error
    steps = {name: cells.step(p) for name, p in net.populations.items() if name not in drive.clamped}
    carriers = {p.name: Carrier(p.synapses, place, cells.dtype) for p in net.projections if p.plasticity is None}
    learners = {p.name: _Plastic(net, p, p.plasticity, cells, drive.batches) for p in net.projections if p.plasticity is not None}
    longest = max((net.steps(p.delay) for p in net.projections), default=0)
    voltages = {name: np.zeros((drive.steps, drive.batches, len(picked))) for name, picked in chosen.items()}
    for t in range(drive.steps):
        current = {name: torch.zeros_like(state.lif.voltage) for name, state in states.items()}
        for projection in net.projections:
            state, source = states[projection.pre], t - net.steps(projection.delay)
            if source < 0:
                continue
            spikes = state.recent[source]
            if projection.first is not None:
                spikes = spikes & (state.ranks[source] < projection.first)
            if spikes.any():
                carrier = carriers.get(projection.name) or learners[projection.name]
                current[projection.post] += carrier.deliver(spikes) * projection.counts(source)
        for name, population in net.populations.items():
            state = states[name]
            if population.inhibition is not None and t % net.steps(population.inhibition.cycle) == 0:
                _restart(state)
            if name in drive.clamped:
                forced = torch.as_tensor(drive.clamped[name][t].copy(), device=place).expand_as(state.silenced)
                state.fire(t, forced, None)
                state.baskets.append(torch.zeros_like(state.count, dtype=torch.bool))
            else:
                external = torch.as_tensor(drive.current[name][t], device=place, dtype=cells.dtype) if name in drive.current else 0.0
                _advance(t, population, state, steps[name](current[name] + external, state.lif))
            if name in chosen:
                voltages[name][t] = state.lif.voltage[:, torch.as_tensor(chosen[name], device=place)].cpu().numpy()
        for projection in net.projections:
            if projection.plasticity is not None:
                plastic = learners[projection.name]
                plastic.learner.learn(states[projection.pre].before(t - plastic.forth), states[projection.post].before(t - plastic.back))
        for state in states.values():
            state.forget(t - longest)
        if progress is not None and (t % 32 == 31 or t + 1 == drive.steps):
            progress(t + 1, drive.steps)
    return _record(net, drive, states, learners, voltages, chosen)


def _restart(state: _State) -> None:
    state.lif = LIFState(torch.zeros_like(state.lif.voltage), torch.zeros_like(state.silenced), state.lif.current, 0)
    state.silenced = torch.zeros_like(state.silenced)
    state.count = torch.zeros_like(state.count)


def _advance(t: int, population: Population, state: _State, stepped: LIFState) -> None:
    """Let the population's inhibition choose among the cells that crossed."""
    state.lif = stepped
    if not isinstance(population.inhibition, KWinners):
        state.fire(t, stepped.spikes, None)
        return
    threshold, k = population.neuron.threshold, population.inhibition.k
    voltage, won, rank, full = choose_winners(stepped.voltage, threshold, k, state.silenced, state.count)
    state.silenced = state.silenced | won | full.unsqueeze(1)
    state.baskets.append(full)
    state.lif = state.lif._replace(voltage=voltage, spikes=won)
    state.fire(t, won, rank)


def _record(
    net: Network,
    drive: Drive,
    states: Mapping[str, _State],
    learners: Mapping[str, _Plastic],
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
        carried += projection.carried(cell[delivered], rank[delivered])
    weights = {name: plastic.matrix().cpu().numpy().astype(np.float64) for name, plastic in learners.items()}
    return Recording(net.dt, drive.steps, drive.batches, spikes, voltages, dict(chosen), {}, carried, weights)
