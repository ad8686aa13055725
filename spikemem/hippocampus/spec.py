"""The parameters of a hippocampus, as read from a model file: one section a region, with defaults and ranges."""

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from spikemem._checks import Checks
from spikemem.errors import SpecError
from spikemem.network.modelfile import MODELS, NETWORK, Count, Listed, Section, locate, model_files, parsed, problems, read, to_toml
from spikemem.network.synapses import WORD

MOST_DIMENSIONS = 2**13
"""Dimensions of vectors: twice those of the largest sentence embedders; DG's covariance has their square."""
MOST_RECALLED = 2**17
"""Memories that a recall may ask for, and index cells that may fire in one."""
MOST_PLASTIC = 2**24
"""Synapses of a projection that learn in a simulation, where each has a weight of its own."""
CYCLES = 5
"""Gamma cycles in a theta cycle."""
Gain = Annotated[float, Field(ge=0, le=4)]
Strength = Annotated[float, Field(ge=0, le=1000)]
Time = Annotated[float, Field(gt=0)]


class ECSpec(Section):
    """Entorhinal cortex: ON and OFF cells that count out a vector in spikes."""

    dim: Annotated[int, Field(ge=1, le=MOST_DIMENSIONS)] = 384
    """Dimension of the vectors; there are twice as many cells."""
    charge: Annotated[float, Field(ge=0.5, le=8)] = 3.2
    """Spikes of a cell for a component of root-mean-square size."""
    layer_two: Annotated[float, Field(ge=0.25, le=1)] = 1.0
    """Spikes of layer II, which drives DG, for each of layer III, which drives CA1; 1: one layer drives both."""
    weights: str | None = None
    """A trained code, a name in models/weights or a path, with a folder, which replaces `charge`. None: the analytic code."""


class LexSpec(Section):
    """EC's word cells, and the learning rule of their synapses (`regions.bcpnn`)."""

    cells: Annotated[int, Field(ge=256, le=2**20)] = 65536
    """Words and pieces of words are hashed onto so many cells."""
    saturation: Annotated[float, Field(ge=0, le=10)] = 0.5
    """k1: how much a word counts that a text repeats; 0 counts it once."""
    length: Annotated[float, Field(ge=0, le=1)] = 0.5
    """b: how much a long text's synapses are scaled down; 0 not at all."""


class ContextSpec(Section):
    """EC's context cells: how long the words of a turn linger, and to which turns they are bound (`regions.ec_ctx`)."""

    forward: Annotated[float, Field(ge=0, le=1)] = 0.375
    """Binding of a turn's words to the next turn, as a share of that to the turn itself."""
    drift: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """rho: what is left of the context a turn later."""
    backward: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Binding to the turn before, as a share of `forward`."""
    reach: Annotated[int, Field(ge=0, le=8)] = 2
    """Turns after which the context is taken to be gone."""


class DGSpec(Section):
    """Dentate gyrus: granule cells of which the most excited win."""

    cells: Count = 16384
    winners: Annotated[int, Field(ge=1, le=256)] = 128
    fan_in: Annotated[int, Field(ge=1, le=64)] = 8
    """Dimensions that drive a granule cell, through push-pull pairs of ON and OFF cells."""
    weights: Annotated[str, Field(min_length=1)] | None = None
    """Trained synapses, from all dimensions: a name in models/weights or a path, with a folder. None: drawn ones, `fan_in` a cell."""

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without weights that earlier versions do not know, where there are none: files and snapshots are as they were."""
        table: dict[str, Any] = written(self)
        return {name: value for name, value in table.items() if name != "weights" or value is not None}


class CA3Spec(Section):
    """CA3: as many pyramidal cells as there are granule cells, in two hemispheres."""

    core: Annotated[int, Field(ge=1, le=255)] = 50
    """How many of an engram's cells, the first to fire, the recurrent synapses bind."""
    inhibition: Annotated[float, Field(ge=0, le=1)] = 0.4375
    """Share of a cell's active inputs that must be potentiated before recurrent excitation exceeds feed-forward inhibition."""


class CA1Spec(Section):
    """CA1 and subiculum: index cells that need CA3 and EC together."""

    candidates: Annotated[int, Field(ge=1, le=MOST_RECALLED)] = 200
    """Index cells whose dendrites the Schaffer collaterals may open in a gamma cycle."""
    competitors: Annotated[int, Field(ge=1, le=MOST_RECALLED)] = 20
    """Index cells that fire in a gamma cycle, and compete for attention."""
    sharpness: Annotated[float, Field(ge=0.1, le=1000)] = 16.0
    """Inverse temperature of the attention: softmax(sharpness x drive)."""
    meaning: Gain = 1.0
    """Gain of the perforant path: the drive of a cue by its own copy."""
    words: Gain = 0.0417
    """Gain of the word synapses: the drive of one word that singles out a memory."""
    time: Gain = 0.5
    """Gain of the time cells: the drive of a memory of the very moment that a cue is about."""
    key: Gain = 0.3
    """Gain of an apical dendrite that the cue's words excite."""
    spreading: Gain = 0.5
    """Gain of a plateau that the words of what was recalled excite."""
    denial: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of what a cue's words bring that they take away again from memories that deny what it affirms, or affirm what it denies."""

    coincidence: Annotated[float, Field(ge=0.1, lt=1)] = 0.8
    """Share of its synaptic weight that must be active together for an apical dendrite to fire."""

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without a gain that earlier versions do not know, where it is 0: files and snapshots are as they were."""
        table: dict[str, Any] = written(self)
        return {name: value for name, value in table.items() if name != "denial" or value}


class EngramSpec(Section):
    """CA3 as what recalls (`regions.engrams`): in each attempt one engram fires, and CA1 has no index cells."""

    rising: Annotated[tuple[Count, ...], Listed, Field(min_length=CYCLES, max_length=CYCLES)] = (300, 200, 100, 50, 50)
    """CA3's cells that may fire in each gamma cycle of an attempt; at its end as many as an engram has."""
    gain: Annotated[int, Field(ge=1, le=64)] = 2
    """What a recurrent synapse adds to a cell's drive, in synapses from DG; so for the others below."""
    plastic: bool = False
    """Whether storing is always simulated, with plastic synapses (`teaching`), for small circuits; else where a recording is asked for."""
    meaning: Gain = 1.0
    """Gain of the synapses from DG themselves."""
    words: Strength = 7.0
    """Gain of the synapse of a word that singles out a memory."""
    context: Gain = 0.3
    """Gain of context, as a share of that of the word itself."""
    time: Strength = 4.0
    """Gain of the synapse of one of the twenty cells that a moment has."""
    key: Strength = 40.0
    """Gain of a dendrite that the cue's words excite."""
    spreading: Strength = 100.0
    """Gain of a dendrite that the words of what was recalled excite."""
    excitable: Annotated[float, Field(gt=0, le=1)] = 1.0
    """f: share of CA3's cells that are excitable at a time, to which memories of it are allocated (`regions.excitability`); 1: all are."""
    lasting: Annotated[float, Field(gt=0, le=8760)] = 8.0
    """Time constant of excitability, h."""
    balance: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the excitation from DG that a cell gets on average which inhibition takes away (`regions.engrams`)."""

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what earlier versions do not know, where it plays no part: files and snapshots are as they were."""
        table: dict[str, Any] = written(self)
        unknown = (() if self.excitable < 1 else ("excitable", "lasting")) + (() if self.balance else ("balance",))
        return {name: value for name, value in table.items() if name not in unknown}


class BasketSpec(Section):
    """CA3's inhibition by explicit basket cells, and the leaky pyramidal cells that they inhibit (`regions.basket_cells`)."""

    cells: Annotated[int, Field(ge=1, le=2**10)] = 100
    """Basket cells; each inhibits all pyramidal cells of CA3."""
    tau: Time = 10.0
    """Membrane time constant of basket cells, ms."""
    pyramidal: Time = 20.0
    """Membrane time constant of CA3's pyramidal cells, ms; inf: they do not leak."""
    synaptic: Annotated[float, Field(gt=0, le=100)] = 3.0
    """Time constant of the pyramidal cells' synaptic currents, ms."""
    threshold: Annotated[float, Field(gt=0, le=1000)] = 12.0
    """What a pyramidal cell needs to fire, in synapses from DG that are active at once."""
    volley: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """What one spike of every basket cell takes from a pyramidal cell, in synapses from DG."""
    depth: Strength = 60.0
    """What basket cells take from it when as many pyramidal cells have fired as `engram.rising` says."""
    granule: Time | None = None
    """Membrane time constant of granule cells, ms, with basket cells of DG's own; None: DG keeps the ideal k winners."""


class GatesSpec(Section):
    """SPMN's gates: whether an event is written, refreshes an engram or supersedes it, and whether a cue is answered (`regions.gates`)."""

    weights: Annotated[str, Field(min_length=1)] = "gates.safetensors"
    """Trained gates, a name in models/weights or a path, with a folder."""
    cells: Annotated[int, Field(ge=1, le=1024)] = 32
    """Cells of each gate; it is on where more than half of them fire."""


class ModelSpec(Section):
    """The parameters of a hippocampus. `ModelSpec()` has those of hippocampus-base."""

    name: Annotated[str, Field(min_length=1)] = "unnamed"
    description: str = ""
    load: Count = 20000
    """Memories that the model is made for; `info` says how full CA3 is."""
    ec: ECSpec = ECSpec()
    lex: LexSpec | None = None
    """Word cells; None: a memory of vectors alone."""
    context: ContextSpec = ContextSpec()
    dg: DGSpec = DGSpec()
    ca3: CA3Spec = CA3Spec()
    ca1: CA1Spec = CA1Spec()
    gates: GatesSpec | None = None
    """Gates; None: every event is written."""
    engram: EngramSpec | None = None
    """CA3 recalls, by engrams; None: CA1's index cells do."""
    basket: BasketSpec | None = None
    """Basket cells and leaky cells in an engram model's CA3; None: the ideal k winners, and cells that do not leak."""

    @model_validator(mode="after")
    def _fits(self) -> "ModelSpec":
        if self.dg.cells % (2 * WORD):
            raise ValueError(f"dg.cells is {self.dg.cells}; it must be a multiple of {2 * WORD} (two hemispheres of packed synapses)")
        if self.dg.cells > 2**16:
            raise ValueError(f"dg.cells is {self.dg.cells}; at most {2**16}")
        if self.gates is not None and self.lex is None:
            raise ValueError("gates compare words, and this model has no word cells; add a table [lex], or leave [gates] out")
        if self.engram is not None:
            self._fits_engrams(self.engram)
        if self.basket is not None and (self.engram is None or self.lex is not None):
            raise ValueError(
                "basket cells are for an engram model of vectors alone; add [engram], and leave [lex] out, or leave [basket] out"
            )
        g = self.ec.layer_two
        if g < 1 and math.ceil(11 * g + 0.5) != math.ceil(10 * g + 0.5):
            raise ValueError(f"ec.layer_two is {g}: a cell's eleventh spike would come too late for DG; take a little less or more")
        for name, small, big, limit in (
            ("dg.winners", self.dg.winners, "dg.cells", self.dg.cells),
            ("ca3.core", self.ca3.core, "dg.winners", self.dg.winners),
            ("dg.fan_in", self.dg.fan_in, "ec.dim", self.ec.dim),
            ("ca1.competitors", self.ca1.competitors, "ca1.candidates", self.ca1.candidates),
        ):
            if small > limit:
                raise ValueError(f"{name} is {small}, more than {big} = {limit}")
        return self

    def learns_in_simulation(self) -> None:
        """Raise ValueError where an engram model is too large to learn by plastic synapses, or cannot be taught again from its spikes."""
        synapses = self.dg.cells * max(self.dg.cells, (2 if self.ca1.denial else 1) * self.lex.cells if self.lex else 0)
        if synapses > MOST_PLASTIC:
            raise ValueError(f"{synapses:,} plastic synapses of a projection, where {MOST_PLASTIC:,} may be; take hippocampus-engram-small")
        if self.ec.weights is not None:
            raise ValueError("EC's trained code cannot be taught again from its spikes; leave ec.weights out")

    def _fits_engrams(self, engram: EngramSpec) -> None:
        if engram.plastic:
            self.learns_in_simulation()
        if engram.rising[-1] != self.ca3.core:
            raise ValueError(f"engram.rising ends with {engram.rising[-1]} cells; an engram has ca3.core = {self.ca3.core}")
        if round(engram.excitable * self.dg.cells) < self.ca3.core:
            raise ValueError(
                f"engram.excitable is {engram.excitable}: of {self.dg.cells} cells these are fewer than ca3.core = {self.ca3.core}"
            )
        if engram.balance and self.basket is not None:
            raise ValueError("engram.balance is of inhibition without basket cells; leave it out, or leave [basket] out")
        if max(engram.rising) > self.dg.cells:
            raise ValueError(f"engram.rising has {max(engram.rising)}, more than dg.cells = {self.dg.cells}")
        if self.gates is not None:
            raise ValueError("gates judge by index cells, which an engram model has not; leave [gates] out")
        if self.lex is not None and (self.lex.cells % WORD or self.lex.cells > 2**16):
            raise ValueError(f"lex.cells is {self.lex.cells}; in an engram model it must be a multiple of {WORD}, at most {2**16}")

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the sections that earlier versions do not know, where they are not given: files and snapshots are as they were."""
        table: dict[str, Any] = written(self)
        return {name: value for name, value in table.items() if name not in ("engram", "basket") or value is not None}

    def with_dim(self, dim: int) -> "ModelSpec":
        """The same model for vectors of another dimension, for which DG's synapses are drawn."""
        dim = Checks(SpecError).integer(dim, "the dimension of vectors", least=1, most=MOST_DIMENSIONS)
        dg = self.dg.model_dump() if dim == self.ec.dim else {**self.dg.model_dump(), "weights": None}
        try:
            return ModelSpec.model_validate({**self.model_dump(), "ec": {**self.ec.model_dump(), "dim": dim}, "dg": dg})
        except ValidationError as error:
            raise SpecError(f"model {self.name!r} cannot take vectors of {dim} dimensions: {problems(error)}") from error

    def for_load(self, memories: int) -> "ModelSpec":
        """The same model, made for another number of memories: DG and CA3 get as many cells as keep CA3's synapses as full as they were.

            p = 1 - (1 - k^2 / N^2)^M,   so that N = N_0 sqrt(M / M_0), rounded up to whole words of synapses     (Willshaw et al. 1969)

        p: the share of CA3's recurrent synapses that are potentiated by M memories with k cells each; those from DG follow the same law.
        What a memory needs of synapses is N^2 / M bits a matrix, the same at each load. Other sections stay as they are.

        Raises SpecError where that is more cells than a model may have, or more synapses than may learn in a simulation.

        >>> large = load_model("hippocampus-engram").for_load(80_000)
        >>> large.dg.cells, large.load
        (32768, 80000)
        """
        memories = Checks(SpecError).integer(memories, "memories", least=1)
        needed = math.ceil(self.dg.cells * math.sqrt(memories / self.load) / (2 * WORD)) * 2 * WORD
        least = 2 * max(self.dg.winners, max(self.engram.rising) if self.engram else 0)  # or all would win
        cells = max(needed, math.ceil(least / (2 * WORD)) * 2 * WORD)
        if self.dg.weights is not None and cells != self.dg.cells:
            raise SpecError(
                f"model {self.name!r} has trained synapses of {self.dg.cells:,} granule cells, not of {cells:,}; leave dg.weights out"
            )
        dg = {**self.dg.model_dump(), "cells": cells}
        try:
            return ModelSpec.model_validate({**self.model_dump(), "load": memories, "dg": dg})
        except ValidationError as error:
            raise SpecError(f"model {self.name!r} cannot be made for {memories:,} memories: {problems(error)}") from error

    def at_once(self) -> "ModelSpec":
        """The same model, which stores by the short cut where it would learn in a simulation: with the same synapses, in a moment.

        >>> load_model("hippocampus-engram-small").at_once().engram.plastic
        False
        """
        if self.engram is None or not self.engram.plastic:
            return self
        return self.model_copy(update={"engram": self.engram.model_copy(update={"plastic": False})})

    def to_toml(self) -> str:
        """The whole specification, defaults filled in, as a model file."""
        return to_toml(self)


def weights_file(name: str) -> Path:
    """Where trained weights lie: in models/weights where a bare name is given, whatever the working directory holds, or at their path.

    The suffix .safetensors may be left out.

    >>> weights_file("gates") == weights_file("gates.safetensors") == MODELS / "weights" / "gates.safetensors"
    True
    """
    path = Path(name if name.endswith(".safetensors") else f"{name}.safetensors")
    return path if "/" in name or path.parent != Path() else MODELS / "weights" / path


def model_names() -> list[str]:
    """The hippocampi that ship with spikemem."""
    return sorted(path.stem for path in model_files(network=False))


def load_model(name_or_path: str | Path) -> ModelSpec:
    """A model by its name, or from a model file.

    Raises SpecError, naming the key and the mend, where the file is missing, is no TOML, has an unknown key or a bad value.

    >>> load_model("hippocampus-base").dg.cells
    16384
    """
    path = locate(name_or_path, model_names)
    table = read(path)
    if table.get("kind") == NETWORK:
        raise SpecError(f"{path.stem} is a network, not a hippocampus; load it with load_network")
    return parsed(ModelSpec, table, path)
