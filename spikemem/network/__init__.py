"""The description of a spiking network that every simulator reads: neurons, synapses, plasticity rules, and the network of them."""

from spikemem.network.file import NetworkSpec, load_network
from spikemem.network.graph import CycleReset, KWinners, Network, Population, Projection
from spikemem.network.neurons import (
    ALIF,
    LIF,
    NEURONS,
    AdEx,
    Alpha,
    Brian2Neuron,
    CompiledNeuron,
    CompiledStep,
    Exponential,
    Izhikevich,
    LeakyIntegrator,
    Neuron,
    Receptors,
)
from spikemem.network.noise import Logistic, NoiseCurrent, OrnsteinUhlenbeck, White
from spikemem.network.plasticity import RULES, STDP, Brian2Rule, CompiledRule, PlasticityRule
from spikemem.network.sources import Source, bursts, poisson, regular, trains
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
    "ALIF", "LIF", "NEURONS", "RULES", "STDP", "AdEx", "Alpha", "Brian2Neuron", "Brian2Rule", "CompiledNeuron", "CompiledRule",
    "CompiledStep", "CycleReset", "Dense", "Exponential", "Izhikevich", "KWinners", "LeakyIntegrator", "Logistic", "Network",
    "NetworkSpec", "Neuron", "NoiseCurrent", "OneBit", "OrnsteinUhlenbeck", "PlasticityRule", "Population", "Projection", "Receptors",
    "Source", "Sparse", "Synapses", "White", "Wiring", "all_but_self", "all_to_all", "bursts", "load_network", "one_to_one", "pack",
    "poisson", "regular", "sparse_random", "trains", "unpack",
]  # fmt: skip
