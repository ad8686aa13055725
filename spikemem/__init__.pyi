from . import plots
from .evaluate.sweeps.run import sweep
from .formats.nir import from_nir, to_nir
from .hippocampus.hippocampus import Hippocampus
from .hippocampus.rate_twin import RateHippocampus
from .hippocampus.recall import Recall
from .hippocampus.spec import ModelSpec, load_model
from .memory.conversation import Turn
from .memory.memory import Memory
from .memory.results import Hit, Hits
from .network.file import NetworkSpec, load_network
from .network.graph import CycleReset, KWinners, Logistic, Network, Population, Projection
from .network.neurons import LIF
from .network.plasticity import STDP
from .simulators.recording import Recording
from .simulators.registry import simulate

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
    "plots",
    "simulate",
    "sweep",
    "to_nir",
]
