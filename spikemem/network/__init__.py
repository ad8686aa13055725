"""The description of a spiking network that every simulator reads: neurons, synapses, plasticity rules, and the network of them."""

from spikemem.network.file import NetworkSpec, load_network
from spikemem.network.graph import CycleReset, KWinners, Logistic, Network, Population, Projection
from spikemem.network.neurons import LIF, NEURONS, Brian2Neuron, CompiledNeuron, Neuron
from spikemem.network.plasticity import RULES, STDP, Brian2Rule, CompiledRule, PlasticityRule
from spikemem.network.synapses import (
    Dense,
    OneBit,
    Sparse,
    Synapses,
    Wiring,
    all_but_self,
    all_to_all,
    one_to_one,
    pack,
    sparse_random,
    unpack,
)

__all__ = [
    "LIF", "NEURONS", "RULES", "STDP", "Brian2Neuron", "Brian2Rule", "CompiledNeuron", "CompiledRule", "CycleReset", "Dense", "KWinners",
    "Logistic", "Network", "NetworkSpec", "Neuron", "OneBit", "PlasticityRule", "Population", "Projection", "Sparse", "Synapses", "Wiring",
    "all_but_self", "all_to_all", "load_network", "one_to_one", "pack", "sparse_random", "unpack",
]  # fmt: skip
