"""spikemem: spiking networks and a whole hippocampal memory made of spiking populations."""

from spikemem.formats.nir import from_nir, to_nir
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.rate_twin import RateHippocampus
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.spec import ModelSpec, load_model
from spikemem.memory.conversation import Turn
from spikemem.memory.memory import Memory
from spikemem.memory.results import Hit, Hits
from spikemem.network.file import NetworkSpec, load_network
from spikemem.network.graph import CycleReset, KWinners, Logistic, Network, Population, Projection
from spikemem.network.neurons import LIF
from spikemem.network.plasticity import STDP
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate

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
