"""The cells of a population in the event-driven simulator: their state, [batch, cell], their time step, and their race."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu, neurons
from spikemem.network.graph import Population
from spikemem.network.neurons import LIFState, Receptors
from spikemem.network.neurons.contract import CompiledNeuron, CompiledStep, Numbers, flat
from spikemem.network.neurons.receptors import ReceptorState
from spikemem.simulators.event.learning import Events


class BasketRace:
    """The basket cell of `KWinners`: which cells are silenced, and how many have spiked in the cycle."""

    def __init__(self, turns: tuple[int, ...], batches: int, cells: int) -> None:
        self.turns, self.cycle = turns, 0
        self.silenced, self.count = np.zeros((batches, cells), bool), np.zeros(batches, np.int64)
        self.baskets: list[NDArray[np.int64]] = []

    def choose(self, voltage: NDArray[np.float64], threshold: float) -> Events:
        """The winners among the cells above a threshold, with its effects on voltage in place."""
        k = self.turns[self.cycle % len(self.turns)]
        events, baskets = cpu.choose_winners(voltage, threshold, k, self.silenced, self.count)
        self.baskets.append(baskets)
        return events

    def restart(self, cycle: int) -> None:
        self.silenced[:], self.count[:], self.cycle = False, 0, cycle


class EventCells(Protocol):
    """The state of a population's cells, [batch, cell], and their time step."""

    @property
    def voltage(self) -> NDArray[np.float64]: ...

    def restart(self) -> None:
        """Begin a cycle of inhibition."""

    def state(self) -> Any:
        """The state as the neuron has it."""

    def resume(self, state: Any) -> None:
        """Go on from such a state."""

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: BasketRace | None) -> Events:
        """One step; returns the spikes that the inhibition leaves.   current: [batch, cell], or [receptor, batch, cell]."""


def _whole_words(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """An array of bools, all False, that can be read in words of eight."""
    size = shape[0] * shape[1]
    return np.zeros(-(-size // 8) * 8, bool)[:size].reshape(shape)


class LIFCells:
    """Leaky integrate-and-fire cells in their own kernel; constants that differ from cell to cell are arrays there."""

    def __init__(self, constants: CompiledNeuron, shape: tuple[int, int], voltage: Numbers | None) -> None:
        self.constants = CompiledNeuron(*(np.array(each) if isinstance(each, tuple) else each for each in constants))  # type: ignore[arg-type]
        self.voltage, self.spiked = np.zeros(shape), _whole_words(shape)
        self.voltage[:] = 0.0 if voltage is None else np.array(flat(voltage))
        self.refractory = int(np.max(self.constants.refractory))
        self.filters = bool(constants.gamma)
        self.synaptic = np.zeros(shape if self.filters else (shape[0], 0))
        self.left = np.zeros(shape if self.refractory else (shape[0], 0), np.int64)

    def restart(self) -> None:
        self.voltage[:], self.spiked[:], self.left[:] = 0.0, False, 0

    def state(self) -> LIFState:
        return LIFState(self.voltage, self.spiked, self.synaptic if self.filters else 0.0, self.left if self.refractory else 0)

    def resume(self, state: LIFState) -> None:
        self.voltage[:], self.spiked[:] = state.voltage, state.spikes
        if self.filters:
            self.synaptic[:] = state.current
        if self.refractory:
            self.left[:] = state.refractory

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: BasketRace | None) -> Events:
        threshold = self.constants.threshold
        cpu.integrate(self.voltage, self.spiked, current, external, self.synaptic, self.left, *self.constants)
        if race is None:
            return cpu.spiking(self.spiked)
        if isinstance(threshold, float):
            events = race.choose(self.voltage, threshold)
        else:
            events = _raced(race, self.voltage, self.voltage > threshold)
        self.spiked[:] = False
        self.spiked[events[:, 0], events[:, 1]] = True
        return events


def _raced(race: BasketRace, voltage: NDArray[np.float64], crossed: NDArray[np.bool_]) -> Events:
    """The winners among the cells that crossed, with V held at 0 in those that lost, in place."""
    order = np.unique(voltage, return_inverse=True)[1].reshape(voltage.shape) + 1.0  # ranks as V does, and is above 0
    events = race.choose(np.where(crossed, order, 0.0), 0.0)
    won = np.zeros(voltage.shape, bool)
    won[events[:, 0], events[:, 1]] = True
    voltage[race.silenced & ~won] = 0.0
    return events


def begun(population: Population, shape: tuple[int, int]) -> Any:
    """The state of a population's cells before the first step, [batch, cell]."""
    state = population.neuron.initial(np.zeros(shape))
    return state if population.voltage is None else population.neuron.begun(state, np.array(flat(population.voltage)))


class _Kernel:
    """Cells of any neuron with a compiled step, and with the receptors before it."""

    def __init__(self, made: CompiledStep, population: Population, shape: tuple[int, int]) -> None:
        self.made, self.neuron = made, population.neuron
        state = begun(population, shape)
        behind = state.inner if made.receptors is not None else state
        self.kind, self.spikes = type(behind), np.zeros(shape, bool)
        self.rows = np.stack([np.broadcast_to(getattr(behind, name), shape) for name in made.fields]).astype(np.float64)
        count = len(made.receptors.gamma) if made.receptors is not None else 0
        self.traces, self.rising = np.zeros((count, *shape)), np.zeros((count, *shape))
        opens = made.receptors is not None and not np.isnan(made.receptors.reversal).all()
        self.through, self.conductance = np.zeros(shape), np.zeros(shape if opens else (0, 0))

    @property
    def voltage(self) -> NDArray[np.float64]:
        return self.rows[0]

    def restart(self) -> None:
        neuron = self.neuron.neuron if isinstance(self.neuron, Receptors) else self.neuron
        self._take(neuron.restart(self._behind()))

    def _behind(self) -> Any:
        """The state of the neuron behind the receptors; fields that its kernel does not need are 0."""
        rest = {name: 0.0 for name in self.kind._fields if name not in (*self.made.fields, "spikes")}
        return self.kind(**dict(zip(self.made.fields, self.rows, strict=True)), spikes=self.spikes, **rest)

    def _take(self, behind: Any) -> None:
        for row, name in zip(self.rows, self.made.fields, strict=True):
            row[:] = getattr(behind, name)
        self.spikes[:] = behind.spikes

    def state(self) -> Any:
        behind = self._behind()
        if self.made.receptors is None:
            return behind
        return ReceptorState(behind.voltage, behind.spikes, behind, tuple(self.traces), tuple(self.rising))

    def resume(self, state: Any) -> None:
        self._take(state if self.made.receptors is None else state.inner)
        if self.made.receptors is not None:
            self.traces[:], self.rising[:] = state.traces, state.rising

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: BasketRace | None) -> Events:
        direct, receptors = (current, None) if self.made.receptors is None else (current[0], self.made.receptors)
        direct += external
        if receptors is not None:
            neurons.gather(current, self.traces, self.rising, *receptors, self.through, self.conductance)
            direct = self.through
        self.made.kernel(self.rows, self.spikes, direct, self.conductance, self.made.constants)
        if race is None:
            return cpu.spiking(self.spikes)
        events = _raced(race, self.voltage, self.spikes)
        self.spikes[:] = False
        self.spikes[events[:, 0], events[:, 1]] = True
        return events


class _Stepped:
    """Cells of any neuron, by its own step in numpy."""

    def __init__(self, population: Population, shape: tuple[int, int], dt: float) -> None:
        self.neuron, self.dt, self.now = population.neuron, dt, begun(population, shape)

    @property
    def voltage(self) -> NDArray[np.float64]:
        return self.now.voltage

    def restart(self) -> None:
        self.now = self.neuron.restart(self.now)

    def state(self) -> Any:
        return self.now

    def resume(self, state: Any) -> None:
        self.now = state

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: BasketRace | None) -> Events:
        direct = current if len(self.neuron.receptors) == 1 else current[0]
        direct += external
        self.now = self.neuron.step(current, self.now, self.dt)
        crossed = self.now.spikes
        if race is None:
            return cpu.spiking(np.ascontiguousarray(crossed))
        voltage, won = self.voltage.copy(), np.zeros(crossed.shape, bool)
        events = _raced(race, voltage, crossed)
        won[events[:, 0], events[:, 1]] = True
        self.now = self.now._replace(voltage=voltage, spikes=won)
        return events


def cells_of(population: Population, shape: tuple[int, int], dt: float) -> EventCells:
    """The cells of a population, by the fastest way that its neuron gives."""
    made = population.neuron.compiled(dt)
    if made is None:
        return _Stepped(population, shape, dt)
    return _Kernel(made, population, shape) if isinstance(made, CompiledStep) else LIFCells(made, shape, population.voltage)
