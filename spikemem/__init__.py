"""spikemem: spiking networks and a whole hippocampal memory made of spiking populations."""

from spikemem.conversation import Turn
from spikemem.hippocampus import Hippocampus
from spikemem.hits import Hit, Hits
from spikemem.memory import Memory
from spikemem.network import CycleReset, KWinners, Logistic, Network, Population, Projection
from spikemem.network_file import NetworkSpec, load_network
from spikemem.neurons import LIF
from spikemem.plasticity import STDP
from spikemem.rate import RateHippocampus
from spikemem.recall import Recall
from spikemem.recording import Recording
from spikemem.simulate import simulate
from spikemem.simulators.nir import from_nir, to_nir
from spikemem.spec import ModelSpec, load_model

__all__ = [
    "LIF",
    "STDP",
    "CycleReset",
    "Hippocampus",
    "Hit",
    "Hits",
    "KWinners",
    "Logistic",
    "Memory",
    "ModelSpec",
    "Network",
    "NetworkSpec",
    "Population",
    "Projection",
    "RateHippocampus",
    "Recall",
    "Recording",
    "Turn",
    "from_nir",
    "load_model",
    "load_network",
    "simulate",
    "to_nir",
]
