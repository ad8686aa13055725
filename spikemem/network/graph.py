"""A spiking network as data: populations, projections and inhibition. It does not run; simulators read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, many, shown
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import Neuron, Numbers, check, count_of, flat, parameter, whole_steps
from spikemem.network.neurons.lif import LIF
from spikemem.network.noise import NoiseCurrent
from spikemem.network.plasticity.contract import PlasticityRule
from spikemem.network.short_term import TsodyksMarkram
from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses, Wiring
from spikemem.network.weights import Drawn

BASKET = ".basket"
"""Suffix of the name under which a population's basket cell is recorded: that of "dg" is "dg.basket"."""
RESERVED = ("/", "->", "#")
"""Marks that no population's name may hold: names of recorded arrays and of projections are made with them."""


@dataclass(frozen=True)
class CycleReset:
    """Rhythmic inhibition: at the first step of each cycle the membrane starts anew, V[t] = R J[t], and no cell is refractory.

    cycle: ms, a whole number of steps. Cycles are counted from step 0.
    """

    cycle: float = 25.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "cycle", check.finite(self.cycle, f"{type(self).__name__} cycle", above=0, unit=" ms"))


@dataclass(frozen=True)
class KWinners(CycleReset):
    """Feedback inhibition, winners take all (the gamma cycle as a race: Fries 2007; de Almeida 2009).

    A basket cell counts the spikes of its population in the current cycle and spikes itself when `k` are reached. Of the cells that
    cross in the same step the higher V wins, then the lower index. A winner spikes once a cycle; from the step after its spike, and
    for all others from the moment at which the basket cell spikes, V is held at 0 and input is lost until the cycle ends.

    cycle: ms, a whole number of steps.
    k: winners a cycle, >= 1; or several numbers, which take turns from cycle to cycle: inhibition that follows a slower rhythm.
    """

    k: int | tuple[int, ...] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.k, list | tuple):
            turns = tuple(check.integer(k, "KWinners k", least=1, most=INDEX) for k in self.k)
            if not turns:
                raise NetworkError("KWinners k holds no number; give the winners of at least one cycle")
            object.__setattr__(self, "k", turns)
        else:
            object.__setattr__(self, "k", check.integer(self.k, "KWinners k", least=1, most=INDEX))

    @property
    def turns(self) -> tuple[int, ...]:
        """The winners of the cycles that take turns.

        >>> KWinners(k=3).turns, KWinners(k=(300, 50)).turns
        ((3,), (300, 50))
        """
        return self.k if isinstance(self.k, tuple) else (self.k,)


Inhibition = CycleReset | KWinners


@dataclass(frozen=True)
class Population:
    """A named group of neurons of one model.

    size: cells, >= 1.   neuron: its model; parameters that differ from cell to cell are arrays, [cell].
    noise: None for deterministic cells.
    bias: a constant external current, beside that of the stimulus; a number, or one for each cell.
    voltage: V before the first step, a number or one for each cell; None is where the neuron begins.
    """

    name: str
    size: int
    neuron: Neuron = field(default_factory=LIF)
    inhibition: Inhibition | None = None
    noise: NoiseCurrent | None = None
    bias: Numbers = 0.0
    voltage: Numbers | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check.text(self.name, "population name"))
        if self.name.endswith(BASKET) or any(mark in self.name for mark in RESERVED):
            raise NetworkError(f"population name {self.name!r}: it must not hold {' or '.join(RESERVED)}, or end in {BASKET!r}")
        object.__setattr__(self, "size", check.integer(self.size, f"the size of population {self.name!r}", least=1, most=INDEX))
        where = f"population {self.name!r}"
        check.instance(self.neuron, f"the neuron of {where}", Neuron, "give one such as LIF(), an instance of a Neuron")
        check.instance(self.inhibition, f"the inhibition of {where}", Inhibition | None, "give a CycleReset, KWinners or None")
        check.instance(self.noise, f"the noise of {where}", NoiseCurrent | None, "give one such as White(sigma), or None")
        object.__setattr__(self, "bias", parameter(self.bias, f"the bias of {where}"))
        object.__setattr__(self, "voltage", None if self.voltage is None else parameter(self.voltage, f"the voltage of {where}"))
        for what, count in (("neuron's parameters", self.neuron.cells), ("bias", count_of(self.bias)), ("voltage", count_of(self.voltage))):
            if count not in (None, self.size):
                raise NetworkError(f"{where} has {self.size} cells, and its {what} {count}; give one number, or one for each cell")
        if self.inhibition is not None and not self.neuron.from_rest:
            kind = type(self.neuron).__name__
            raise NetworkError(f"{where}: {type(self.inhibition).__name__} holds V at 0, and V of {kind} is not measured from rest")

    @property
    def driven(self) -> NDArray[np.float64] | None:
        """The bias as a current, [1 or cell]; None where there is none."""
        return None if self.bias == 0.0 else np.array(flat(self.bias))


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another.

    delay: ms, at least one step; where the synapses have delays of their own, the longest of them.
    first: how many spikes of the source are carried in a cycle, the first to come (presynaptic inhibition by the basket cell: Vogt & Regehr
    2001); the source must have KWinners. None carries all.
    efficacy: the factor on a spike's weight, by the step of a cycle in which it leaves, [step]; cycles are counted from step 0. Such
    weights follow the phase of a rhythm (weighted spikes: Kim et al. 2018). None: 1 in each step.
    plasticity: the rule by which the weights learn, from those of the synapses on; each batch item learns for itself. None keeps them.
    short_term: how synapses tire and facilitate from one spike that they carry to the next. It scales what arrives, w u x, of fixed and of
        plastic weights; the rule of plastic ones sees every spike whole. None: each spike counts alike.
    """

    name: str
    """"pre->post", with "#2" and so on where there are several."""
    pre: str
    post: str
    synapses: Synapses
    delay: float = 1.0
    first: int | None = None
    plasticity: PlasticityRule | None = None
    efficacy: tuple[float, ...] | None = None
    short_term: TsodyksMarkram | None = None
    receptor: str = "current"
    """Which receptor of the postsynaptic neuron the synapses reach."""

    def counts(self, step: int) -> float:
        """The factor by which a spike that leaves at a step is weighted: the efficacy of that step of the cycle."""
        return 1.0 if self.efficacy is None else self.efficacy[step % len(self.efficacy)]

    def carried(self, cells: NDArray[np.integer], rank: NDArray[np.integer]) -> int:
        """Synaptic events: how many synapses carry the spikes of these presynaptic cells, given their rank in the cycle."""
        if self.first is not None:
            cells = cells[rank < self.first]
        match self.synapses:
            case Sparse(indptr=indptr):
                return int(np.bincount(cells, minlength=len(indptr) - 1) @ np.diff(indptr))
            case OneBit(bits=bits):
                return int(np.bitwise_count(bits[cells]).sum())
            case Dense(weights=weights):
                return len(cells) * weights.shape[1]


def _made(where: str, rule: Wiring, pre: int, post: int) -> Synapses:
    """The synapses that a wiring rule makes."""
    try:
        return rule(pre, post)
    except TypeError as error:
        name = getattr(rule, "__name__", type(rule).__name__)
        raise NetworkError(f"{where}: {name} makes no synapses of two sizes ({error}); call it first, as all_to_all()") from error


def least_weight(synapses: Synapses, efficacy: Sequence[float] | None, rule: PlasticityRule | None) -> float:
    """The least that a spike may add: by the weights, by what they may learn, and by the efficacies of a spike."""
    weights = np.append(synapses.efficacy, synapses.off) if isinstance(synapses, OneBit) else synapses.weights
    low, high = float(weights.min(initial=0.0)), float(weights.max(initial=0.0))
    if rule is not None:
        low = min(low, rule.w_min)
    return min(min(low * factor, high * factor) for factor in ([1.0] if efficacy is None else efficacy))


class Network:
    """Populations and the projections between them, on a time step of dt ms.

    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("input", 3))
    >>> _ = net.add(Population("output", 2, LIF(tau=10.0)))
    >>> from spikemem.network.synapses import all_to_all
    >>> _ = net.connect("input", "output", all_to_all(0.5), delay=2.0)
    >>> net
    Network(dt=1.0 ms: input 3, output 2; 6 synapses)
    """

    def __init__(self, dt: float = 1.0) -> None:
        self.dt = check.finite(dt, "dt", above=0, unit=" ms")
        self._populations: dict[str, Population] = {}
        self._projections: list[Projection] = []

    @property
    def populations(self) -> Mapping[str, Population]:
        return MappingProxyType(self._populations)

    @property
    def projections(self) -> tuple[Projection, ...]:
        return tuple(self._projections)

    def add(self, population: Population) -> Population:
        """Add a population; its name must be new."""
        check.instance(population, "what is added", Population, 'give a Population("name", size)')
        if population.name in self._populations:
            raise NetworkError(f"there is already a population {population.name!r}")
        try:
            population.neuron.check(self.dt)
        except NetworkError as error:
            raise NetworkError(f"{population.name!r}: {error}") from error
        if population.inhibition is not None and self.steps(population.inhibition.cycle) < 1:
            raise NetworkError(f"{population.name!r}: a cycle of {population.inhibition.cycle} ms is shorter than a step of {self.dt} ms")
        self._populations[population.name] = population
        return population

    def connect(
        self,
        pre: str,
        post: str,
        synapses: Synapses | Wiring,
        *,
        delay: ArrayLike | None = None,
        first: int | None = None,
        plasticity: PlasticityRule | None = None,
        efficacy: Sequence[float] | None = None,
        short_term: TsodyksMarkram | None = None,
        receptor: str | None = None,
    ) -> Projection:
        """Connect two populations.

        synapses: of shape [pre, post], or a wiring rule that makes them (`one_to_one()`, `sparse_random(fan_in=8)`).
        delay: ms, a whole number of steps and at least one; one step by default. An array has one for each synapse, in the shape of the
            weights; those of sparse synapses are in the order of `synapses.weights`, which `Sparse.from_coo` sorts: give it their delays.
        first, plasticity, efficacy, short_term: see `Projection`.
        receptor: which one of the postsynaptic neuron; needed where it has several.
        """
        for name in (pre, post):
            if not isinstance(name, str) or name not in self._populations:
                raise NetworkError(f"no population {shown(name)}; there are {', '.join(self._populations) or 'none'}")
        source, target = self._populations[pre], self._populations[post]
        again = 1 + sum(p.pre == pre and p.post == post for p in self._projections)
        projection_name = f"{pre}->{post}" if again == 1 else f"{pre}->{post}#{again}"
        if isinstance(synapses, Drawn):
            synapses = synapses.of(projection_name, self.dt)
        made = _made(f"{pre} -> {post}", synapses, source.size, target.size) if callable(synapses) else synapses
        if not isinstance(made, Dense | Sparse | OneBit):
            raise NetworkError(
                f"{pre} -> {post}: synapses are Dense, Sparse or OneBit, not {type(made).__name__}; wrap an array in Dense(...)"
            )
        if made.shape != (source.size, target.size):
            raise NetworkError(f"{pre} -> {post}: synapses have shape {made.shape}, the populations {(source.size, target.size)}")
        made, shortest, longest = self._delayed(f"{pre} -> {post}", made, delay)
        first = None if first is None else check.integer(first, f"{pre} -> {post}: first", least=1, most=INDEX)
        if first is not None and not isinstance(source.inhibition, KWinners):
            raise NetworkError(f"{pre} -> {post}: first={first} needs {pre!r} to have KWinners")
        if plasticity is not None:
            self._check_plastic(f"{pre} -> {post}", made, shortest, first, plasticity)
        shares = self._shares(f"{pre} -> {post}", efficacy, plasticity, short_term)
        if shortest < longest and (short_term is not None or (plasticity is not None and plasticity.reward is not None)):
            raise NetworkError(f"{pre} -> {post}: with delays of its own no synapse tires, or learns by a reward; give one delay to all")
        reached = self._receptor(f"{pre} -> {post}", target.neuron, receptor)
        if reached in target.neuron.conductances and least_weight(made, shares, plasticity) < 0:
            raise NetworkError(f"{pre} -> {post}: {reached!r} is a conductance, and no weight of it is negative; its reversal inhibits")
        projection = Projection(projection_name, pre, post, made, longest, first, plasticity, shares, short_term, reached)
        self._projections.append(projection)
        return projection

    def _shares(
        self, where: str, efficacy: Sequence[float] | None, rule: PlasticityRule | None, short_term: TsodyksMarkram | None
    ) -> tuple[float, ...] | None:
        """The efficacies of the steps of a cycle, checked."""
        check.instance(short_term, f"{where}: short_term", TsodyksMarkram | None, "give one such as TsodyksMarkram(U=0.5), or None")
        if efficacy is None:
            return None
        factors = check.floats(efficacy, f"{where}: efficacy", shape=(None,))
        if rule or not len(factors):
            raise NetworkError(f"{where}: efficacy is one number a step, for synapses that do not learn")
        if short_term is not None:
            raise NetworkError(f"{where}: efficacy and short_term both weigh a spike; give one of them")
        return tuple(factors.tolist())

    def _delayed(self, where: str, synapses: Synapses, given: ArrayLike | None) -> tuple[Synapses, float, float]:
        """The synapses, with delays of their own only where these differ, and the shortest and the longest delay, ms."""
        own = None if isinstance(synapses, OneBit) else synapses.delays
        if given is not None and many(given):
            if isinstance(synapses, OneBit) or own is not None:
                raise NetworkError(f"{where}: one-bit synapses have one delay, and others get theirs once; give one number, or none")
            own, given = check.floats(given, f"{where}: the delays"), None
            if own.shape not in (synapses.weights.shape, (synapses.count,)):
                raise NetworkError(
                    f"{where}: delays of shape {own.shape} for weights of shape {synapses.weights.shape}; give one a synapse"
                )
            own = own.reshape(synapses.weights.shape)
        time = None if given is None else check.finite(given, f"{where}: the delay", unit=" ms")
        if own is not None and own.size and time not in (None, own.max()):
            raise NetworkError(f"{where}: delay {time} ms, and its synapses have delays of their own; leave it out")
        different = np.unique(own) if own is not None and own.size else np.array([self.dt if time is None else time])
        for delay in different.tolist():
            if self.steps(delay) < 1:
                raise NetworkError(f"{where}: delay {delay} ms; it must be at least one step of {self.dt} ms")
        if own is not None and not isinstance(synapses, OneBit):
            synapses = replace(synapses, delays=own if len(different) > 1 else None)
        return synapses, float(different[0]), float(different[-1])

    def _receptor(self, where: str, neuron: Neuron, given: str | None) -> str:
        known = neuron.receptors
        if given is None and len(known) > 1:
            raise NetworkError(f"{where}: {type(neuron).__name__} has several receptors; give receptor= one of {', '.join(known)}")
        return known[0] if given is None else check.choice(given, f"{where}: receptor", known)

    def _check_plastic(self, where: str, synapses: Synapses, delay: float, first: int | None, rule: PlasticityRule) -> None:
        if not isinstance(rule, PlasticityRule):
            raise NetworkError(f"{where}: {shown(rule)} is no plasticity rule; give one such as STDP(), an instance of a PlasticityRule")
        if rule.reward is not None and rule.reward not in self._populations:
            raise NetworkError(
                f"{where}: the reward of {type(rule).__name__} is the spikes of {shown(rule.reward)}, and the populations are "
                f"{', '.join(self._populations)}; add it first"
            )
        if first is not None:
            raise NetworkError(f"{where}: plastic synapses carry every spike; leave `first` out")
        if isinstance(synapses, Sparse) and synapses.repeats():
            raise NetworkError(f"{where}: plastic synapses join a pair of cells at most once")
        if isinstance(synapses, OneBit):
            check.room(synapses.shape[0] * synapses.shape[1], f"{where}: one-bit synapses that learn", "take fewer cells")
        weights = np.append(synapses.off, synapses.on) if isinstance(synapses, OneBit) else synapses.weights
        if weights.size and (weights.min() < rule.w_min or weights.max() > rule.w_max):
            raise NetworkError(
                f"{where}: weights from {weights.min():g} to {weights.max():g} leave the bounds {rule.w_min:g} to {rule.w_max:g}"
            )
        try:
            late = self.steps(rule.dendritic) > self.steps(delay)
        except NetworkError as error:
            raise NetworkError(f"{where}: the dendritic delay of {rule.dendritic} ms: {error}") from error
        if late:
            raise NetworkError(f"{where}: a dendritic delay of {rule.dendritic} ms is longer than the whole delay of {delay} ms")

    def steps(self, time: float) -> int:
        """A time in ms as a whole number of steps; NetworkError where it is none."""
        return whole_steps(time, self.dt)

    def own_delays(self, projection: Projection) -> NDArray[np.int64] | None:
        """The delays of a projection's synapses in steps, in the shape of their weights; None where all have `projection.delay`."""
        delays = None if isinstance(projection.synapses, OneBit) else projection.synapses.delays
        return None if delays is None else np.rint(delays / self.dt).astype(np.int64)

    def __repr__(self) -> str:
        cells = ", ".join(f"{p.name} {p.size}" for p in self._populations.values())
        return f"Network(dt={self.dt} ms: {cells}; {sum(p.synapses.count for p in self._projections)} synapses)"
