"""Networks as TOML files: neurons and their receptors, sources, populations, projections and rules, with named sizes and variants."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from spikemem._checks import Checks, shown
from spikemem.errors import NetworkError, SpecError
from spikemem.network.graph import CycleReset, KWinners, Network, Population
from spikemem.network.modelfile import NETWORK, Count, Listed, Section, locate, model_files, parsed, problems, read, to_toml
from spikemem.network.neurons import NEURONS, Alpha, Exponential, Receptors
from spikemem.network.neurons.contract import Numbers
from spikemem.network.noise import Logistic, NoiseCurrent, OrnsteinUhlenbeck, Shot, White
from spikemem.network.plasticity import RULES
from spikemem.network.registry import Registry
from spikemem.network.short_term import SHORT_TERM
from spikemem.network.sources import Source, bursts, poisson, regular, trains
from spikemem.network.synapses import Wiring, all_but_self, all_to_all, one_to_one, sparse_random

IN_FILES = float | Annotated[tuple[float, ...], Listed]
"""A parameter of a neuron: a number, or a list with one for each cell."""
_Row = Annotated[tuple[float, ...], Listed]
TYPES: list[tuple[Any, Any]] = [
    (Numbers, IN_FILES),
    (ArrayLike, float | Annotated[tuple[float | _Row, ...], Listed]),
    (Sequence[ArrayLike], Annotated[tuple[_Row, ...], Listed]),
]
"""What a parameter takes in Python, and what in a file: a number, a list, or a list of lists."""
RECEPTORS: Registry[Callable[..., Exponential]] = Registry("receptor", "spikemem.receptors", {"Exponential": Exponential, "Alpha": Alpha})
_SOURCES: dict[str, Callable[..., Source]] = {"poisson": poisson, "regular": regular, "bursts": bursts, "trains": trains}
SOURCES: Registry[Callable[..., Source]] = Registry("source", "spikemem.sources", _SOURCES)
_NOISES: dict[str, Callable[..., NoiseCurrent]] = {kind.__name__: kind for kind in (Logistic, White, OrnsteinUhlenbeck, Shot)}
NOISES: Registry[Callable[..., NoiseCurrent]] = Registry("noise", "spikemem.noise", _NOISES)
CELLS, SYNAPSES = 2**18, 2**23
"""The most cells and synapses that a file may ask for by its own sizes; sizes given in Python may be larger."""
SPIKE_RATE = 0.05
"""Probability that an input cell spikes in a step, where inputs are random."""


class PartSpec(Section):
    """A neuron or a rule: the name of its model, and that model's parameters by their names."""

    model: str

    def made(self, models: Registry[Callable[..., Any]], dt: float) -> Any:
        """The neuron or rule itself, for a network with steps of dt ms."""
        make = models[self.model]
        timed = {"dt": dt} if "dt" in signature(make).parameters else {}
        return make(**timed, **self.model_dump(exclude={"model", "receptors"}))


@cache
def _keys(name: str, make: Callable[..., Any], base: type[PartSpec]) -> type[PartSpec]:
    """The keys that a model may have in a file: the parameters of its constructor, with their types and defaults."""
    types = get_type_hints(make.__init__ if isinstance(make, type) else make)  # type: ignore[misc]
    keys = {key: p for key, p in signature(make).parameters.items() if key != "dt"}
    types = {key: next((written for given, written in TYPES if given == kind), kind) for key, kind in types.items()}
    fields: dict[str, Any] = {key: (types[key], ... if p.default is Parameter.empty else p.default) for key, p in keys.items()}
    return create_model(f"{name}Spec", __base__=base, **fields)


def _part(models: Registry[Callable[..., Any]], otherwise: str | None, table: Any, base: type[PartSpec] = PartSpec) -> Any:
    """A table of a model file, checked by the model that it names."""
    if not isinstance(table, dict):
        return table
    name = table.get("model", otherwise)
    try:
        if name is None:
            raise NetworkError(f"its model is missing; there are {', '.join(models)}")
        return _keys(name, models[name], base).model_validate({**table, "model": name})
    except ValidationError as error:
        raise PydanticCustomError("part", "{why}", {"why": problems(error)}) from error
    except NetworkError as error:
        raise PydanticCustomError("part", "{why}", {"why": str(error)}) from error


ReceptorSpec = Annotated[SerializeAsAny[PartSpec], BeforeValidator(partial(_part, RECEPTORS, "Exponential"))]


class CellSpec(PartSpec):
    """A neuron, and the receptors before it by their names."""

    receptors: dict[str, ReceptorSpec] = Field(default={})

    def made(self, models: Registry[Callable[..., Any]], dt: float) -> Any:
        cell, kinds = super().made(models, dt), {}
        for name, kind in self.receptors.items():
            try:
                kinds[name] = kind.made(RECEPTORS, dt)
            except NetworkError as error:
                raise NetworkError(f"receptors.{name}: {error}") from error
        return Receptors(cell, **kinds) if kinds else cell


NeuronSpec = Annotated[SerializeAsAny[CellSpec], BeforeValidator(partial(_part, NEURONS, None, base=CellSpec))]
SourceSpec = Annotated[SerializeAsAny[PartSpec], BeforeValidator(partial(_part, SOURCES, None))]
NoiseSpec = Annotated[SerializeAsAny[PartSpec], BeforeValidator(partial(_part, NOISES, "Logistic"))]
RuleSpec = Annotated[SerializeAsAny[PartSpec], BeforeValidator(partial(_part, RULES, "STDP"))]
ShortTermSpec = Annotated[SerializeAsAny[PartSpec], BeforeValidator(partial(_part, SHORT_TERM, "TsodyksMarkram"))]


class PopulationSpec(Section):
    """A population.

    size: a number, or the name of one under [sizes].   neuron, source: the name of one under [neurons] or [sources].
    winners, cycle: with `winners` it has KWinners (a list of them takes turns), with `cycle` alone CycleReset.
    noise: its model, Logistic if it names none.   bias, voltage: as in `Population`.
    """

    size: Count | str
    neuron: str | None = None
    source: str | None = None
    cycle: float | None = None
    winners: Count | Annotated[tuple[Count, ...], Listed] | None = None
    noise: NoiseSpec | None = None
    bias: IN_FILES = 0.0
    voltage: IN_FILES | None = None

    @model_validator(mode="after")
    def _one(self) -> "PopulationSpec":
        if (self.neuron is None) == (self.source is None):
            raise ValueError("a population has either a neuron or a source; give the name of one")
        return self


class ProjectionSpec(Section):
    """A projection. weight: of every synapse (the mean, for sparse_random); times: the name of a size that multiplies it.

    delay: ms; a list has one for each synapse, by presynaptic and then by postsynaptic cell.
    """

    pre: str
    post: str
    wiring: Literal["one_to_one", "all_to_all", "all_but_self", "sparse_random"]
    weight: float
    times: str | None = None
    delay: float | Annotated[tuple[float, ...], Listed] | None = None
    plasticity: str | None = None
    short_term: str | None = None
    receptor: str | None = None
    fan_in: Count | None = None
    seed: int | None = None
    """Of sparse_random; where it is missing it follows from the projection's name."""


class NetworkSpec(Section):
    """A network's model file, validated; `network()` builds the network."""

    kind: Literal["network"]
    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    dt: float = 1.0
    inputs: list[str] = Field(default=[])
    """Populations that are driven from outside, with teacher-forced spikes."""
    sizes: dict[str, Count] = Field(default={})
    neurons: dict[str, NeuronSpec] = Field(default={})
    sources: dict[str, SourceSpec] = Field(default={})
    rules: dict[str, RuleSpec] = Field(default={})
    short_term: dict[str, ShortTermSpec] = Field(default={})
    populations: dict[str, PopulationSpec]
    projections: list[ProjectionSpec]

    @model_validator(mode="after")
    def _small(self) -> "NetworkSpec":
        """A file of a few lines is no reason to fill the memory."""
        size = {name: p.size if isinstance(p.size, int) else self.sizes.get(p.size, 0) for name, p in self.populations.items()}
        if (cells := sum(size.values())) > CELLS:
            raise ValueError(f"its populations have {shown(cells)} cells; a file may ask for {CELLS:,}: give `sizes` in Python")
        ways = [(size.get(q.pre, 0), size.get(q.post, 0), q) for q in self.projections]
        synapses = sum({"one_to_one": post, "sparse_random": post * (q.fan_in or 0)}.get(q.wiring, pre * post) for pre, post, q in ways)
        if synapses > SYNAPSES:
            raise ValueError(f"its projections have {shown(synapses)} synapses; a file may ask for {SYNAPSES:,}: give `sizes` in Python")
        return self

    def network(self, **sizes: int) -> Network:
        """The network, with sizes other than the file's where given.

        >>> load_network("spike-cam").network(cues=2, contents=3).populations["CueCont"].size
        2

        Raises SpecError where a name is not in the file, NetworkError where the parts do not fit.
        """
        unknown = sizes.keys() - self.sizes.keys()
        if unknown:
            raise SpecError(f"{self.name} has no size {', '.join(sorted(unknown))}; there are {', '.join(self.sizes) or 'none'}")
        check = Checks(SpecError)
        numbers = {**self.sizes, **{name: check.integer(size, f"size {name!r}", least=1) for name, size in sizes.items()}}
        net = Network(self.dt)
        for name, p in self.populations.items():
            size = p.size if isinstance(p.size, int) else self._find("size", p.size, numbers)
            neuron = self._cells(p)
            noise = None if p.noise is None else self._part(f"populations.{name}.noise", p.noise, NOISES)
            net.add(Population(name, size, neuron, _inhibition(name, p), noise, p.bias, p.voltage))
        for q in self.projections:
            weight = q.weight * (self._find("size", q.times, numbers) if q.times is not None else 1)
            rule = None if q.plasticity is None else self._made("rules", q.plasticity, self.rules, RULES)
            tires = None if q.short_term is None else self._made("short_term", q.short_term, self.short_term, SHORT_TERM)
            net.connect(q.pre, q.post, _wiring(q, weight), delay=q.delay, plasticity=rule, short_term=tires, receptor=q.receptor)
        for name in self.inputs:
            self._find("population", name, self.populations)
        return net

    def random_spikes(self, net: Network, steps: int, seed: int = 0) -> dict[str, NDArray[np.bool_]]:
        """Seeded teacher-forced spikes for the inputs of a network made from this file, [time, cell] each.

        Raises SpecError where the file names no inputs.
        """
        if not self.inputs and not self.sources:
            raise SpecError(
                f"{self.name} names no inputs, so that nothing would drive it; list populations under `inputs`, or give it sources"
            )
        check = Checks(SpecError)
        rng, steps = np.random.default_rng(check.seed(seed)), check.integer(steps, "steps", least=0)
        check.room(steps * max((net.populations[name].size for name in self.inputs), default=0), "random spikes", "give fewer steps")
        return {name: rng.random((steps, net.populations[name].size)) < SPIKE_RATE for name in self.inputs}

    def _made(self, section: str, name: str, table: dict[str, Any], models: Registry[Callable[..., Any]]) -> Any:
        """A part of the file, such as a neuron or a rule; an error names its key."""
        return self._part(f"{section}.{name}", self._find(section.removesuffix("s"), name, table), models)

    def _cells(self, population: PopulationSpec) -> Any:
        if population.source is not None:
            return self._made("sources", population.source, self.sources, SOURCES)
        return self._made("neurons", str(population.neuron), self.neurons, NEURONS)

    def _part(self, key: str, spec: PartSpec, models: Registry[Callable[..., Any]]) -> Any:
        try:
            return spec.made(models, self.dt)
        except NetworkError as error:
            raise NetworkError(f"{self.name}: {key}: {error}") from error

    def to_toml(self) -> str:
        """The file's content, with its defaults filled in."""
        return to_toml(self)

    def _find(self, what: str, name: str, table: dict[str, Any]) -> Any:
        if name not in table:
            raise SpecError(f"{self.name} has no {what} {name!r}; there are {', '.join(table) or 'none'}")
        return table[name]


def _inhibition(name: str, spec: PopulationSpec) -> CycleReset | KWinners | None:
    if spec.winners is not None:
        return KWinners(k=spec.winners) if spec.cycle is None else KWinners(spec.cycle, spec.winners)
    return None if spec.cycle is None else CycleReset(spec.cycle)


def _wiring(spec: ProjectionSpec, weight: float) -> Wiring:
    match spec.wiring:
        case "one_to_one":
            return one_to_one(weight)
        case "all_to_all":
            return all_to_all(weight)
        case "all_but_self":
            return all_but_self(weight)
        case "sparse_random":
            if spec.fan_in is None:
                raise NetworkError(f"{spec.pre} -> {spec.post}: sparse_random needs a fan_in")
            return sparse_random(spec.fan_in, spec.seed, *sorted((0.5 * weight, 1.5 * weight)))


def network_names() -> list[str]:
    """The networks that ship with spikemem, with their variants: "spike-cam", "spike-cam:bistable"."""
    names = []
    for path in model_files(network=True):
        names += [path.stem, *(f"{path.stem}:{variant}" for variant in read(path).get("variants", {}))]
    return names


def is_network(name_or_path: str | Path) -> bool:
    """Whether a model file, of this name or path, describes a network and not a hippocampus."""
    path = locate(_split(name_or_path)[0], lambda: [path.stem for path in model_files(network=False)] + network_names())
    return read(path).get("kind") == NETWORK


def load_network(name_or_path: str | Path, variant: str | None = None) -> NetworkSpec:
    """A network by its name, or from a model file; "NAME:VARIANT" names a variant, too.

    A variant is a table [variants.NAME] whose entries replace the file's own.

    Raises SpecError, naming the key and the mend, where the file is missing, is no TOML, has an unknown key or a bad value.
    """
    name, named = _split(name_or_path)
    variant = variant or named
    path = locate(name, network_names)
    table = read(path)
    if table.get("kind") != NETWORK:
        raise SpecError(f'{path.stem} describes no network (kind = "{NETWORK}"); a hippocampus is loaded with load_model')
    variants = table.pop("variants", {})
    if variant is not None:
        if variant not in variants:
            raise SpecError(f"{path.stem} has no variant {variant!r}; there are {', '.join(variants) or 'none'}")
        table = _merged(table, variants[variant]) | {"name": f"{table.get('name')}:{variant}"}
    return parsed(NetworkSpec, table, path)


def _split(name_or_path: str | Path) -> tuple[str, str | None]:
    """Name or path, and the variant after its last colon; a file's own name may hold colons."""
    whole = str(Checks(SpecError).path(name_or_path, "a model's name or path"))
    if Path(whole).is_file() or ":" not in whole:
        return whole, None
    name, _, variant = whole.rpartition(":")
    return name, variant


def _merged(table: Any, changes: Any) -> Any:
    if not (isinstance(table, dict) and isinstance(changes, dict)):
        return changes
    return {**table, **{key: _merged(table.get(key), value) for key, value in changes.items()}}
