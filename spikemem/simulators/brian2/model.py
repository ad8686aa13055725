"""A network and its stimulus as Brian2 objects: groups, synapses, monitors. `simulators.brian2` runs them and reads them.

Orders within Brian2's slot "synapses": the drift of the step before, then its spikes in the learning rule, then transmission at 0.
"""

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError, UnsupportedError
from spikemem.network.graph import CycleReset, KWinners, Network, Population, Projection
from spikemem.network.neurons.contract import Brian2Neuron, flat
from spikemem.network.plasticity.contract import Brian2Rule, PlasticityRule
from spikemem.network.short_term import Brian2Release
from spikemem.network.synapses import Dense, OneBit, Sparse, joined, unpack
from spikemem.simulators.brian2.exact import exact
from spikemem.simulators.brian2.race import Race
from spikemem.simulators.recording import cycle_ranks
from spikemem.simulators.stimulus import Simulation

RESERVED = frozenset(("v", "j", "i", "N", "t", "dt", "lastspike", "not_refractory", "rand", "randn", "xi", "pi", "e", "inf", "rank"))
"""Names that Brian2, or the network around a cell, reads as something of its own: a constant of such a name would be shadowed."""

SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]
DRIFT, FIRST, SECOND = -3, -2, -1
LONG_AGO = "-10000 * second"
"""Brian2's own lastspike of a cell that never fired."""
ELSEWHERE = 'use simulator="event" or "torch"'


class Model:
    """A network and its stimulus as Brian2 groups, synapses and monitors, in one `brian2.Network`."""

    def __init__(self, b2: ModuleType, simulation: Simulation, standalone: bool) -> None:
        net, drive, chosen = simulation.net, simulation.drive, simulation.chosen
        self.b2, self.net, self.drive, self.chosen, self.standalone = b2, net, drive, chosen, standalone
        self.dt = net.dt * b2.ms
        self.brian = b2.Network()
        self.brian.schedule = SCHEDULE
        self.relays: dict[str, dict[str, str]] = {name: {} for name in net.populations}  # the variable that each adds to
        for projection in net.projections:
            relayed = isinstance(projection.synapses, OneBit) and projection.synapses.off and projection.plasticity is None
            if relayed and projection.post not in drive.clamped:
                self.relays[projection.post][f"r{net.projections.index(projection)}"] = _input(projection, net)
        self.groups = {name: self._group(n, p) for n, (name, p) in enumerate(net.populations.items())}
        self.plastic: dict[str, Any] = {}
        for n, projection in enumerate(net.projections):
            self._connect(n, projection)
        self.courses = {name: self._course(name, every) for name, every in simulation.every.items() if name in self.plastic}
        self.spikes = {name: self._monitor(name) for name in net.populations}
        self.voltages = {name: self._watch(name, cells) for name, cells in chosen.items() if name not in drive.clamped}

    # -- populations ---------------------------------------------------------------------------------------------------------------

    def _group(self, n: int, population: Population) -> Any:
        if population.name in self.drive.clamped:
            return self._generator(f"cells_{n}", population, None)
        b2, inhibition, text = self.b2, population.inhibition, _cell(population, self.net.dt)
        races, own = isinstance(inhibition, KWinners), _own_constants(text)
        model = [text.model, *(f"{relay} : 1" for relay in self.relays[population.name]), *(line for line, _ in own.values())]
        if races:
            model += ["crossed : boolean", "fires : boolean", "rank : integer"]
        firsts = {p.first for p in self.net.projections if p.pre == population.name and p.first is not None}
        # Brian2 counts the spike's own step among the refractory ones.
        held: dict[str, Any] = {}
        if text.refractory:
            rest = [(self.net.steps(time) + 1) * self.net.dt for time in flat(text.refractory)]
            own["held"] = "held : second (constant)", tuple(rest)
            held = {"refractory": rest[0] * b2.ms if len(rest) == 1 else "held"}
            model += [own["held"][0]] if len(rest) > 1 else []
        group = b2.NeuronGroup(
            population.size * self.drive.batches, "\n".join(model), threshold="fires" if races else text.threshold, reset=text.reset,
            events={f"first_{k}": f"fires and rank < {k}" for k in firsts}, method=exact(b2), dt=self.dt,
            namespace=self._constants(text), name=f"cells_{n}", **held,
        )  # fmt: skip
        for name, (line, values) in own.items():
            if line in model:
                setattr(group, name, np.tile(values, self.drive.batches) * (b2.ms if "second" in line else 1))
        self._begin(group, population, text)
        if text.start:
            group.run_regularly(text.start, when="start", dt=self.dt, name=f"silence_{n}")
        if inhibition is not None:
            self._restart(n, group, inhibition, text)
        inputs = [self._external(n, group, population.name)] if population.name in self.drive.current else []
        arriving = [f"{j} += {source}" for source, j in (*self.relays[population.name].items(), *((term, "j") for term in inputs))]
        arrival = [*arriving, text.arrival, *([f"crossed = {text.threshold}"] if races else [])]
        group.run_regularly("\n".join(arrival), when="after_synapses", dt=self.dt, name=f"arrival_{n}")
        self.brian.add(group)
        if isinstance(inhibition, KWinners):
            race = Race(group, inhibition.turns, self.drive.batches, self.net.steps(inhibition.cycle))
            self.brian.add(race.standalone(b2, n, self.dt) if self.standalone else race.operation(b2, self.dt))
        return group

    def _constants(self, text: Brian2Neuron | Brian2Rule | Brian2Release) -> dict[str, Any]:
        """The constants of a text; NetworkError where Brian2 would read one of their names as something of its own."""
        taken = sorted({*text.numbers, *text.times} & RESERVED)
        if taken:
            raise NetworkError(f"Brian2 reads {', '.join(taken)} as its own; give the constants of {type(text).__name__} other names")
        numbers = {name: number for name, number in text.numbers.items() if not isinstance(number, tuple)}
        return {**numbers, **{name: time * self.b2.ms for name, time in text.times.items() if not isinstance(time, tuple)}}

    def _begin(self, group: Any, population: Population, text: Brian2Neuron) -> None:
        """Where the variables begin."""
        start: dict[str, Any] = dict(text.begin)
        if population.voltage is not None:
            start["v"] = np.tile(np.broadcast_to(flat(population.voltage), population.size), self.drive.batches)
        for name, value in start.items():
            setattr(group, name, value)

    def _restart(self, n: int, group: Any, inhibition: CycleReset, text: Brian2Neuron) -> None:
        anew = text.restart + (f"\nlastspike = {LONG_AGO}" if text.refractory else "")
        group.run_regularly(anew, when="start", dt=self.net.steps(inhibition.cycle) * self.dt, name=f"restart_{n}")

    def _external(self, n: int, group: Any, name: str) -> str:
        """Make a timed array of the external current; returns its term in the equations."""
        current, size = self.drive.current[name], self.net.populations[name].size
        if current.shape[1:] == (1, 1):
            values, term = current[:, 0, 0], f"external_{n}(t)"
        else:
            values = np.broadcast_to(current, (self.drive.steps, self.drive.batches, size)).reshape(self.drive.steps, -1)
            term = f"external_{n}(t, i)"
        group.namespace[f"external_{n}"] = self.b2.TimedArray(values, dt=self.dt, name=f"external_{n}")
        return term

    def _generator(self, name: str, population: Population, first: int | None) -> Any:
        """Teacher-forced spikes; with `first` only those of a lower rank in their cycle."""
        step, batch, cell = self.drive.clamped[population.name].events(self.drive.batches)
        if first is not None:
            early = cycle_ranks(step, batch, self.cycle(population)) < first
            step, batch, cell = step[early], batch[early], cell[early]
        size, place = population.size, batch * population.size + cell
        generator = self.b2.SpikeGeneratorGroup(size * self.drive.batches, place, step * self.dt, dt=self.dt, name=name)
        self.brian.add(generator)
        return generator

    def cycle(self, population: Population) -> int:
        """Steps of a population's cycle; all of the run where it has none."""
        return self.net.steps(population.inhibition.cycle) if population.inhibition else self.drive.steps

    # -- projections ---------------------------------------------------------------------------------------------------------------

    def _connect(self, n: int, projection: Projection) -> None:
        rule, synapses = projection.plasticity, projection.synapses
        forced = projection.post in self.drive.clamped  # what arrives there is lost
        source, event = self._source(n, projection)
        if synapses.count and rule is not None:
            self.plastic[projection.name] = self._learning(n, projection, rule, forced)
        elif synapses.count and not forced:
            self._carry(n, projection, source, event)
        if isinstance(synapses, OneBit) and synapses.off and not forced and rule is None:
            self._relay(n, synapses, projection, source, event)

    def _source(self, n: int, projection: Projection) -> tuple[Any, str]:
        if projection.first is None:
            return self.groups[projection.pre], "spike"
        if projection.pre in self.drive.clamped:
            return self._generator(f"first_{n}", self.net.populations[projection.pre], projection.first), "spike"
        return self.groups[projection.pre], f"first_{projection.first}"

    def _carry(self, n: int, projection: Projection, source: Any, event: str) -> None:
        """Synapses with fixed weights; none are made where no bit is set."""
        if not len(_triples(projection)[0]):
            return
        late = self.net.own_delays(projection)
        delay = {} if late is not None else {"delay": (self.net.steps(projection.delay) - 1) * self.dt}
        counts, namespace = self._counts(n, projection)
        model, on_pre, factor, constants = self._releases(projection)
        carry = f"{on_pre}{_input(projection, self.net)}_post += w{factor}{counts}"
        lag = "" if late is None or not counts else "\nlag : second (constant)"
        made = self.b2.Synapses(
            source, self.groups[projection.post], f"w : 1{lag}{model}", on_pre=carry, on_event={"pre": event}, dt=self.dt,
            namespace=namespace | constants, name=f"synapses_{n}", **delay,
        )  # fmt: skip
        self._wire(made, projection)
        self._rested(made, projection)
        if late is not None:
            made.pre.delay = self._times(late - 1)
            if counts:
                made.lag = self._times(late)

    def _releases(self, projection: Projection) -> tuple[str, str, str, dict[str, Any]]:
        """Short-term plasticity as text: what it adds to the model and before the delivery, the factor on the weight, and its constants."""
        if projection.short_term is None:
            return "", "", "", {}
        text = projection.short_term.brian2()
        return f"\n{text.model}", f"{text.on_pre}\n", " * released", self._constants(text)

    def _rested(self, made: Any, projection: Projection) -> None:
        """Where the variables of short-term plasticity begin, in synapses that are connected."""
        if projection.short_term is not None:
            for name, value in projection.short_term.brian2().begin.items():
                setattr(made, name, value)

    def _times(self, steps: NDArray[np.int64]) -> Any:
        """Steps of each synapse as times, for the whole batch."""
        return np.tile(steps.ravel(), self.drive.batches) * self.dt

    def _counts(self, n: int, projection: Projection) -> tuple[str, dict[str, Any]]:
        """The factor on what arrives by a projection, as text and with its timed array: the efficacy of the step in which it left."""
        if projection.efficacy is None:
            return "", {}
        if self.net.own_delays(projection) is not None:
            values = np.array([projection.counts(step) for step in range(self.drive.steps)])
            return f" * counts_{n}(t - lag)", {f"counts_{n}": self.b2.TimedArray(values, dt=self.dt, name=f"counts_{n}")}
        left = np.arange(self.drive.steps) - self.net.steps(projection.delay)
        values = np.array([projection.counts(step) for step in left.tolist()])
        return f" * counts_{n}(t)", {f"counts_{n}": self.b2.TimedArray(values, dt=self.dt, name=f"counts_{n}")}

    def _wire(self, made: Any, projection: Projection) -> None:
        """Connect Brian2's synapses for the whole batch, and set their weights."""
        pre, post, weights = _triples(projection)
        (sources, targets), batches = projection.synapses.shape, self.drive.batches
        item = np.repeat(np.arange(batches), len(pre))
        made.connect(i=np.tile(pre, batches) + item * sources, j=np.tile(post, batches) + item * targets)
        made.w = np.tile(weights, batches)
        self.brian.add(made)

    def _relay(self, n: int, synapses: OneBit, projection: Projection, source: Any, event: str) -> None:
        """Feed-forward inhibition: an interneuron for each stretch of cells counts the spikes and reaches the whole stretch."""
        b2, batches, (sources, size) = self.b2, self.drive.batches, synapses.shape
        starts, stretch = np.unique(synapses.start, return_inverse=True)
        relay = b2.NeuronGroup(len(starts) * batches, "n : 1", dt=self.dt, name=f"relay_{n}")
        relay.run_regularly("n = 0", when="start", dt=self.dt, name=f"relay_silence_{n}")
        delay = (self.net.steps(projection.delay) - 1) * self.dt
        factor, namespace = self._counts(n, projection)
        model, on_pre, share, constants = self._releases(projection)
        counts = b2.Synapses(
            source, relay, model, on_pre=f"{on_pre}n_post += 1{share}{factor}", on_event={"pre": event}, delay=delay, dt=self.dt,
            namespace=namespace | constants, name=f"spikes_to_relay_{n}",
        )  # fmt: skip
        item = np.repeat(np.arange(batches), sources)
        counts.connect(i=np.arange(sources * batches), j=np.tile(stretch, batches) + item * len(starts))
        self._rested(counts, projection)
        target = self.groups[projection.post]
        reach = b2.Synapses(
            relay, target, f"r{n}_post = {synapses.off!r} * n_pre : 1 (summed)", dt=self.dt, name=f"reach_{n}"
        )  # fmt: skip
        cells = starts[:, None] + np.arange(synapses.width)
        every, item = np.repeat(np.arange(len(starts)), synapses.width), np.repeat(np.arange(batches), cells.size)
        reach.connect(i=np.tile(every, batches) + item * len(starts), j=np.tile(cells.ravel(), batches) + item * size)
        updater = reach.summed_updaters[f"r{n}_post"]
        updater.when, updater.order = "after_synapses", -1
        self.brian.add(relay, counts, reach)

    def _learning(self, n: int, projection: Projection, rule: PlasticityRule, forced: bool) -> Any:
        """Plastic synapses: they learn from the spikes of the step before, then they transmit."""
        text, back = rule.brian2(), self.net.steps(rule.dendritic)
        if text is None:
            raise UnsupportedError(f"brian2 cannot learn {projection.name!r}: {type(rule).__name__} has no Brian2 text; {ELSEWHERE}")
        whole, late = self.net.steps(projection.delay), self.net.own_delays(projection)
        model, release, factor, constants = self._releases(projection)
        on_pre = {"depress": text.on_pre} if text.on_pre else {}
        if not forced:
            on_pre["transmit"] = f"{release}{_input(projection, self.net)}_post += w{factor}"
        sooner = {name: steps for name, steps in (("depress", back), ("transmit", 1)) if name in on_pre}  # than the delay
        delays = {} if late is not None else {name: (whole - steps) * self.dt for name, steps in sooner.items()}
        delays["potentiate"] = back * self.dt
        source, target = self.groups[projection.pre], self.groups[projection.post]
        made = self.b2.Synapses(
            source, target, f"{text.model}{model}", on_pre=on_pre, on_post={"potentiate": text.on_post}, delay=delays,
            namespace=self._constants(text) | constants, method="exact", dt=self.dt, name=f"synapses_{n}",
        )  # fmt: skip
        self._wire(made, projection)
        self._rested(made, projection)
        for name, value in text.begin.items():
            setattr(made, name, value)
        if rule.reward is not None and text.on_reward:
            self._rewarding(n, projection, self.groups[rule.reward], made, text)
        if late is not None:
            for name, steps in sooner.items():
                getattr(made, name).delay = self._times(late - steps)
        if text.each_step:
            made.run_regularly(text.each_step, when="synapses", order=DRIFT, dt=self.dt, name=f"drift_{n}")
        first, second = ("potentiate", "depress") if text.post_first else ("depress", "potentiate")
        for name, order in ((first, FIRST), (second, SECOND)):
            if name == "potentiate" or text.on_pre:
                getattr(made, name).order = order
        return made

    def _rewarding(self, n: int, projection: Projection, source: Any, made: Any, text: Brian2Rule) -> None:
        """Synapses onto the synapses of a batch item, from all of its cells of the reward population."""
        b2, batches, cells, count = self.b2, self.drive.batches, len(source) // self.drive.batches, len(_triples(projection)[0])
        reward = b2.Synapses(source, made, on_pre=text.on_reward, dt=self.dt, namespace=self._constants(text), name=f"reward_{n}")
        cell, synapse = np.indices((cells, count)).reshape(2, -1)
        item = np.repeat(np.arange(batches), len(cell))
        reward.connect(i=np.tile(cell, batches) + item * cells, j=np.tile(synapse, batches) + item * count)
        reward.pre.order = FIRST
        self.brian.add(reward)

    # -- monitors ------------------------------------------------------------------------------------------------------------------

    def _monitor(self, name: str) -> Any:
        ranked = isinstance(self.net.populations[name].inhibition, KWinners) and name not in self.drive.clamped
        monitor = self.b2.SpikeMonitor(
            self.groups[name], variables=["rank"] if ranked else None, name=f"spikes_of_{self.groups[name].name}"
        )
        self.brian.add(monitor)
        return monitor

    def _watch(self, name: str, cells: NDArray[np.int64]) -> Any:
        size = self.net.populations[name].size
        cells_of_batch = (np.arange(self.drive.batches)[:, None] * size + cells).ravel()
        monitor = self.b2.StateMonitor(
            self.groups[name], "v", record=cells_of_batch, dt=self.dt, when="after_thresholds", name=f"voltages_of_{self.groups[name].name}"
        )
        self.brian.add(monitor)
        return monitor

    def _course(self, name: str, every: int) -> Any:
        """A monitor of the weights after every so many steps: of what a step learned at the start of the next one."""
        (projection,) = (q for q in self.net.projections if q.name == name)
        synapses = np.arange(self.drive.batches * len(_triples(projection)[0]))
        made = self.plastic[name]
        monitor = self.b2.StateMonitor(
            made, "w", record=synapses, dt=every * self.dt, when="after_synapses", name=f"weights_of_{made.name}"
        )  # fmt: skip
        self.brian.add(monitor)
        return monitor


def _cell(population: Population, dt: float) -> Brian2Neuron:
    if (text := population.neuron.brian2(dt)) is None:
        kind = type(population.neuron).__name__
        raise UnsupportedError(f"brian2 cannot simulate {population.name!r}: {kind} has no Brian2 text; {ELSEWHERE}")
    return text


def _own_constants(text: Brian2Neuron) -> dict[str, tuple[str, tuple[float, ...]]]:
    """The constants that differ from cell to cell, by their names: a line that declares each, and its values."""
    numbers = {name: (f"{name} : 1 (constant)", value) for name, value in text.numbers.items() if isinstance(value, tuple)}
    return numbers | {name: (f"{name} : second (constant)", value) for name, value in text.times.items() if isinstance(value, tuple)}


def _input(projection: Projection, net: Network) -> str:
    """The variable that a projection adds to."""
    first = net.populations[projection.post].neuron.receptors[0]
    return "j" if projection.receptor == first else f"j_{projection.receptor}"


def _triples(projection: Projection) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Presynaptic cell, postsynaptic cell and weight of each synapse; of one-bit ones without a rule what a set bit adds to `off`."""
    if isinstance(projection.synapses, OneBit) and projection.plasticity is not None:
        pre, post = np.nonzero(joined(projection.synapses))
        return pre, post, projection.synapses.matrix()[pre, post]
    match projection.synapses:
        case Dense(weights=weights):
            pre, post = np.indices(weights.shape).reshape(2, -1)
            return pre, post, weights.ravel()
        case Sparse(indptr=indptr, targets=targets, weights=weights):
            return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets.astype(np.int64), weights
        case OneBit(bits=bits, start=start, efficacy=on, off=off):
            pre, bit = np.nonzero(unpack(bits))
            return pre, start[pre] + bit, on[pre] - off
