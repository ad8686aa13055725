"""The clock-driven, batched loop in torch, around spikemem's neurons or those of another torch library (`Cells`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikemem.errors import NetworkError, UnsupportedError
from spikemem.network.graph import KWinners, Population, Projection
from spikemem.network.neurons.contract import each
from spikemem.network.plasticity.contract import PlasticityRule
from spikemem.network.synapses import joined
from spikemem.simulators.recording import Fired, Recording, recorded
from spikemem.simulators.state import RuleState, RunState, described, filled, flattened
from spikemem.simulators.stimulus import Simulation
from spikemem.simulators.torch_loop.cells import Cells
from spikemem.simulators.torch_loop.delays import DelayedCarrier, DelayedSight
from spikemem.simulators.torch_loop.kernels import Carrier, choose_winners

Events = tuple[Tensor, Tensor, Tensor]  # batch, cell, rank in the cycle


@torch.no_grad()
def run(simulation: Simulation, kind: type[Cells] = Cells) -> Recording:
    """Run a simulation.   kind: how neurons and plastic synapses are stepped."""
    net, drive = simulation.net, simulation.drive
    try:
        cells = kind(net.dt, getattr(torch, simulation.dtype), torch.device(simulation.device))
        groups = {name: _Group(p, simulation, cells) for name, p in net.populations.items()}
    except (RuntimeError, AssertionError) as error:
        raise NetworkError(f"device {simulation.device!r} cannot be used: {error}") from error
    ways = [_Way(q, simulation, cells) for q in net.projections]
    longest = max((way.delay for way in ways), default=0)
    if simulation.start is not None:
        for way in ways:
            way.resume(simulation.start, cells, groups[way.pre])
    voltages, snapshots = simulation.voltages(), simulation.snapshots()
    _keep(simulation, snapshots, ways, 0)
    chosen = {name: torch.as_tensor(simulation.chosen[name], device=cells.device) for name in voltages}
    for t in range(drive.steps):
        now = simulation.before + t
        current = {name: group.silence() for name, group in groups.items()}
        for way in ways:
            way.deliver(now, groups[way.pre], groups[way.post].part(current[way.post], way.receptor))
        for name, group in groups.items():
            group.advance(t, now, current[name])
            if name in voltages and name not in drive.clamped:
                voltages[name][t] = group.state.voltage[:, chosen[name]].cpu().numpy()
        for way in ways:
            way.learn(now, groups)
        for group in groups.values():
            group.forget(now - longest)
        _keep(simulation, snapshots, ways, t + 1)
        simulation.tell(t)
        if simulation.watch is not None and simulation.watch.ends({name: group.latest() for name, group in groups.items()}):
            simulation = simulation.ended(t + 1)
            break
    weights = {way.name: way.matrix().cpu().numpy().astype(np.float64) for way in ways if way.learner is not None}
    fired = {name: group.fired() for name, group in groups.items()}
    return recorded(simulation, fired, voltages, weights, _state(simulation, groups, ways), snapshots)


def _keep(simulation: Simulation, snapshots: Mapping[str, NDArray[np.float64]], ways: Sequence["_Way"], done: int) -> None:
    """Record the weights that are due after so many steps."""
    for name, n in simulation.due(done):
        (way,) = (way for way in ways if way.name == name)
        snapshots[name][n] = way.matrix().cpu().numpy()


def _state(simulation: Simulation, groups: Mapping[str, "_Group"], ways: Sequence["_Way"]) -> RunState | None:
    """Where the run has ended; None where another library's plasticity does not tell."""
    plastic = {way.name: getattr(way.learner, "state", None) for way in ways if way.learner is not None}
    if None in plastic.values():
        return None
    return RunState(
        simulation.before + simulation.drive.steps, simulation.drive.batches,
        cells={name: flattened(group.state) for name, group in groups.items()},
        silenced={name: group.silenced.cpu().numpy() for name, group in groups.items()},
        count={name: group.count.cpu().numpy() for name, group in groups.items()},
        recent={name: group.under_way() for name, group in groups.items()},
        network=described(simulation.net),
        rules={way.name: RuleState.of(flattened(plastic[way.name]), way.projection.synapses) for way in ways if way.name in plastic},
        releases={way.name: flattened(way.releases) for way in ways if way.releases is not None},
        noise=simulation.drive.noise,
    )  # fmt: skip


class _Group:
    """A population: its tensors, [batch, cell], its inhibition, what drives it, and what it has recorded."""

    def __init__(self, population: Population, simulation: Simulation, cells: Cells) -> None:
        drive, inhibition, name = simulation.drive, population.inhibition, population.name
        self.cells, self.neuron = cells, population.neuron
        zeros = torch.zeros(drive.batches, population.size, device=cells.device, dtype=cells.dtype)
        self.state: Any = population.neuron.initial(zeros)
        if population.voltage is not None:
            self.state = population.neuron.begun(self.state, each(population.voltage, zeros))
        self.receptors = population.neuron.receptors
        self.step = cells.step(population) if name not in drive.clamped else None
        self.turns = inhibition.turns if isinstance(inhibition, KWinners) else ()
        self.cycle = 0 if inhibition is None else simulation.net.steps(inhibition.cycle)
        self.external, self.forced = drive.current.get(name), drive.clamped.get(name)
        self.silenced = torch.zeros_like(zeros, dtype=torch.bool)
        self.count = torch.zeros(drive.batches, device=cells.device, dtype=torch.long)
        self.recent: dict[int, Tensor] = {}
        self.ranks: dict[int, Tensor] = {}
        self.active: set[int] = set()  # recent steps with spikes
        self.events: list[Events] = []
        self.baskets: list[Tensor] = []
        if simulation.start is not None:
            self._resume(name, simulation.start)

    def _resume(self, name: str, start: RunState) -> None:
        self.state = filled(self.state, start.cells[name], self.cells.leaf)
        self.silenced, self.count = self.cells.leaf(start.silenced[name]), self.cells.leaf(start.count[name])
        for step in np.unique(start.recent[name][:, 0]).tolist():
            _, batch, cell, rank = self.cells.leaf(start.recent[name][start.recent[name][:, 0] == step]).T
            spikes, ranks = torch.zeros_like(self.silenced), torch.zeros_like(self.silenced, dtype=torch.long)
            spikes[batch, cell], ranks[batch, cell] = True, rank
            self.recent[step], self.ranks[step] = spikes, ranks
            self.active.add(step)

    def under_way(self) -> NDArray[np.int64]:
        """The spikes that some projection may still need, [spike, (step, batch, cell, rank)]."""
        rows = [np.zeros((0, 4), np.int64)]
        for step in sorted(self.active):
            batch, cell = self.recent[step].nonzero(as_tuple=True)
            place = self.ranks[step][batch, cell]
            order = (batch * (int(place.max()) + 1) + place).argsort()
            found = torch.stack([torch.full_like(batch, step), batch, cell, place], dim=1)[order]
            rows.append(found.cpu().numpy())
        return np.concatenate(rows)

    def silence(self) -> Tensor:
        """No current, [batch, cell], where there are several receptors [receptor, batch, cell]."""
        zeros = torch.zeros_like(self.silenced, dtype=self.cells.dtype)
        return zeros if len(self.receptors) == 1 else zeros.expand(len(self.receptors), *zeros.shape).clone()

    def part(self, current: Tensor, receptor: str) -> Tensor:
        """The part of a current that reaches a receptor."""
        return current if len(self.receptors) == 1 else current[self.receptors.index(receptor)]

    def latest(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Batch items and cells of the last step's spikes."""
        batch, cell, _ = self.events[-1]
        return batch.cpu().numpy(), cell.cpu().numpy()

    def before(self, step: int) -> Tensor:
        """The spikes of a step, silence before the first, bool, [batch, cell]."""
        return self.recent[step] if step in self.recent else torch.zeros_like(self.silenced)

    def advance(self, t: int, now: int, current: Tensor) -> None:
        """Step t of this run, numbered `now` since the first began, in which the inhibition chooses among the cells that crossed."""
        if self.cycle and now % self.cycle == 0:
            self.state = self.neuron.restart(self.state)
            self.silenced, self.count = torch.zeros_like(self.silenced), torch.zeros_like(self.count)
        if self.step is None:
            assert self.forced is not None
            self._fire(now, torch.as_tensor(self.forced[t], device=current.device).expand_as(self.silenced), None)
            self.baskets.append(torch.zeros_like(self.count, dtype=torch.bool))
            return
        if self.external is not None:
            direct = self.part(current, self.receptors[0])
            direct += torch.tensor(self.external[t], device=current.device, dtype=current.dtype)
        self.state = self.step(current, self.state)
        if not self.turns:
            self._fire(now, self.state.spikes, None)
            return
        k = self.turns[now // self.cycle % len(self.turns)]
        voltage, won, rank, full = choose_winners(self.state.voltage, self.state.spikes, k, self.silenced, self.count)
        self.silenced = self.silenced | won | full.unsqueeze(1)
        self.baskets.append(full)
        self.state = self.state._replace(voltage=voltage, spikes=won)
        self._fire(now, won, rank)

    def _fire(self, step: int, spikes: Tensor, rank: Tensor | None) -> None:
        """Take the spikes of this step into the record, in firing order."""
        self.recent[step] = spikes
        batch, cell = spikes.nonzero(as_tuple=True)
        if not len(batch):
            self.events.append((batch, cell, cell))
            self.ranks[step] = spikes.long()
            return
        self.active.add(step)
        rank = spikes.long().cumsum(1) - 1 + self.count.unsqueeze(1) if rank is None else rank
        place = rank[batch, cell]
        order = (batch * (int(place.max()) + 1) + place).argsort()
        self.ranks[step] = rank
        self.events.append((batch[order], cell[order], place[order]))
        self.count = self.count + spikes.sum(1)

    def forget(self, step: int) -> None:
        """Drop the spikes of a step that no projection will need again."""
        self.recent.pop(step, None)
        self.ranks.pop(step, None)
        self.active.discard(step)

    def fired(self) -> Fired:
        step = np.repeat(np.arange(len(self.events)), [len(e[0]) for e in self.events])
        spikes = torch.cat([torch.stack(e) for e in self.events], dim=1).cpu().numpy()
        baskets = torch.stack(self.baskets).cpu().numpy() if self.baskets else np.zeros((0, 0), bool)
        return Fired(step, *spikes, *baskets.nonzero())


class _Way:
    """A projection: its synapses as tensors, fixed (`carrier`) or plastic (`learner`), and their delays in steps."""

    def __init__(self, projection: Projection, simulation: Simulation, cells: Cells) -> None:
        net, batches = simulation.net, simulation.drive.batches
        self.projection, self.name, self.pre, self.post = projection, projection.name, projection.pre, projection.post
        self.delay, self.receptor = net.steps(projection.delay), projection.receptor
        rule, kind = projection.plasticity, (cells.device, cells.dtype)
        own = net.own_delays(projection) is not None
        self.carrier = Carrier(projection.synapses, *kind) if rule is None and not own else None
        self.delayed = DelayedCarrier(net, projection, batches, *kind) if rule is None and own else None
        self.sight = DelayedSight(net, projection, batches, *kind) if rule is not None and own else None
        self.learner = self._learner(rule, cells, batches) if rule is not None else None
        self.back = net.steps(rule.dendritic) if rule is not None else 0
        self.short_term, self.dt = projection.short_term, net.dt
        zeros = torch.zeros(simulation.drive.batches, net.populations[projection.pre].size, device=cells.device, dtype=cells.dtype)
        self.releases = None if self.short_term is None else self.short_term.initial(zeros)

    def _learner(self, rule: PlasticityRule, cells: Cells, batches: int) -> Any:
        if self.sight is not None:
            self.here: Tensor | None = self.sight.here.T
            return cells.learner(self.projection, rule, self.sight.weights)
        synapses = self.projection.synapses
        here: NDArray[np.bool_] = joined(synapses)
        self.here = None if here.all() else torch.as_tensor(here, device=cells.device)
        matrix = torch.as_tensor(synapses.matrix(), device=cells.device, dtype=cells.dtype)
        return cells.learner(self.projection, rule, matrix.expand(batches, *matrix.shape).clone())

    def resume(self, start: RunState, cells: Cells, source: _Group) -> None:
        """Go on with what the synapses had learned, and with what is under way."""
        if self.learner is not None:
            if not hasattr(self.learner, "state"):
                raise UnsupportedError(f"{self.name!r} learns by another library's rule, which cannot go on from an earlier run")
            self.learner.state = filled(self.learner.state, start.rules[self.name].dense(), cells.leaf)
        if self.releases is not None:
            self.releases = filled(self.releases, start.releases[self.name], cells.leaf)
        for left in range(max(0, start.step - self.delay), start.step):
            if self.sight is not None:
                self.sight.send(source.before(left), left)
            elif self.delayed is not None:
                self.delayed.arrive(left)
                if left + 1 < start.step:
                    self._send(left, source, self.delayed)

    def deliver(self, now: int, source: _Group, current: Tensor) -> None:
        """Add the current of the spikes that arrive at a step, [batch, post], in place."""
        left = now - self.delay
        if self.delayed is not None:
            self._send(now - 1, source, self.delayed)
            current += self.delayed.arrive(now)
        elif self.sight is not None:
            if self.learner is not None and self.sight.past.any():
                current += (self.sight.seen(now) * self.learner.weights.squeeze(-1)).sum(2)
        elif left in source.active or self.short_term is not None:
            spikes = self._taken(left, source)
            amount = self._released(spikes)
            if spikes.any():
                current += self._carried(spikes, amount) * self.projection.counts(left)

    def _taken(self, left: int, source: _Group) -> Tensor:
        """The spikes of a step that the projection carries."""
        spikes = source.before(left)
        if self.projection.first is None or left not in source.active:
            return spikes
        return spikes & (source.ranks[left] < self.projection.first)

    def _send(self, left: int, source: _Group, delayed: DelayedCarrier) -> None:
        if left in source.active and (factor := self.projection.counts(left)):
            delayed.send(self._taken(left, source), factor, left)

    def _released(self, spikes: Tensor) -> Tensor | None:
        """What each spike releases, [batch, pre]; None where all count alike."""
        if self.short_term is None or self.releases is None:
            return None
        amount, self.releases = self.short_term.step(spikes, self.releases, self.dt)
        return amount

    def _carried(self, spikes: Tensor, amount: Tensor | None) -> Tensor:
        if self.carrier is not None:
            return self.carrier.deliver(spikes, amount)
        matrix = self.matrix()
        sent = spikes.to(matrix.dtype) if amount is None else amount
        return (sent.unsqueeze(1) @ matrix).squeeze(1)

    def learn(self, t: int, groups: Mapping[str, _Group]) -> None:
        if self.learner is None:
            return
        source, target = groups[self.pre], groups[self.post]
        if self.sight is not None:
            self.sight.send(source.before(t), t)
            self.learner.learn(self.sight.seen(t, self.back), target.before(t - self.back).unsqueeze(-1))
            return
        self.learner.learn(source.before(t - self.delay + self.back), target.before(t - self.back))
        if (rule := self.projection.plasticity) is not None and rule.reward is not None:
            self.learner.rewarded(groups[rule.reward].before(t).sum(1, keepdim=True).to(self.learner.weights.dtype))

    def matrix(self) -> Tensor:
        """The plastic weights, [batch, pre, post]; 0 where there is no synapse."""
        assert self.learner is not None
        weights = self.learner.weights if self.sight is None else self.learner.weights.squeeze(-1).mT
        return weights if self.here is None else torch.where(self.here, weights, 0.0)
