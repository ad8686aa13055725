"""What a NIR graph of ours says beside its nodes, in their metadata: all of a network that NIR has no word for."""

import json
from dataclasses import asdict
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError, UnsupportedError
from spikemem.network.graph import Population, Projection
from spikemem.network.neurons.lif import LIF
from spikemem.network.neurons.receptors import DIRECT, Receptors
from spikemem.network.plasticity.stdp import STDP
from spikemem.network.synapses import OneBit, Sparse, Synapses

KEY = "spikemem"
"""Where a graph and its nodes hold our metadata: "text", JSON; "lag" of a population, in steps; the arrays of sparse synapses."""


def as_text(description: dict[str, Any]) -> str:
    """A description as JSON."""
    return json.dumps(description, default=lambda number: number.item())  # of numpy


def population_text(p: Population) -> str:
    """A population's neuron, inhibition, noise and start."""
    inhibition = p.inhibition and {"kind": type(p.inhibition).__name__, **asdict(p.inhibition)}
    noise = {} if p.noise is None else {"noise": {"kind": type(p.noise).__name__, **asdict(p.noise)}}
    start = {name: value for name, value in (("bias", p.bias), ("voltage", p.voltage)) if value not in (0.0, None)}
    return as_text({**_neuron_text(p.neuron), "inhibition": inhibition, **noise, **start})


def _neuron_text(neuron: Any) -> dict[str, Any]:
    """A neuron's parameters, with its kind where it is no LIF, and the receptor before it."""
    if isinstance(neuron, Receptors):
        ((name, kind),) = neuron.kinds
        return {**_neuron_text(neuron.neuron), "receptor": {name: kind.tau}}
    return {"neuron": asdict(neuron), **({} if isinstance(neuron, LIF) else {"kind": type(neuron).__name__})}


def projection_text(q: Projection) -> str:
    """How a projection goes, and by which rule it learns; UnsupportedError where that is no STDP."""
    bits = {"on": q.synapses.on if np.isscalar(q.synapses.on) else None, "off": q.synapses.off} if isinstance(q.synapses, OneBit) else {}
    if q.plasticity is not None and type(q.plasticity) is not STDP:
        raise UnsupportedError(f"NIR cannot hold {q.name!r}: of our rules its metadata have STDP, not {type(q.plasticity).__name__}")
    rule = q.plasticity and asdict(q.plasticity)
    ways = {"pre": q.pre, "post": q.post, "delay": q.delay, "first": q.first, "efficacy": q.efficacy}
    ways |= {} if q.receptor == DIRECT else {"receptor": q.receptor}
    ways |= {} if q.short_term is None else {"short_term": asdict(q.short_term)}
    return as_text({**ways, "plasticity": rule, "synapses": type(q.synapses).__name__, **bits})


def synapse_arrays(synapses: Synapses) -> dict[str, NDArray[Any]]:
    """The arrays of sparse and one-bit synapses, which the dense weights of a Linear node cannot give back, and all delays of their own."""
    delays = {} if isinstance(synapses, OneBit) or synapses.delays is None else {"delays": synapses.delays}
    match synapses:
        case Sparse():
            return {"indptr": synapses.indptr, "targets": synapses.targets, "weights": synapses.weights, **delays}
        case OneBit():
            own = {} if np.isscalar(synapses.on) else {"on": synapses.efficacy}
            return {"bits": synapses.bits, "start": synapses.start, **own}
    return delays


def nir_library() -> ModuleType:
    """The library `nir`, imported when it is first needed; MissingExtraError where it is not installed."""
    try:
        import nir
    except ImportError as error:
        raise MissingExtraError(f'NIR needs the "reference" extra: pip install "spikemem[reference]" ({error})') from error
    return nir
