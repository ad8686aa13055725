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
from .network.graph import CycleReset, KWinners, Network, Population, Projection
from .network.neurons import ALIF, LIF, AdEx, Alpha, Exponential, HodgkinHuxley, Izhikevich, LeakyIntegrator, Receptors
from .network.noise import Logistic, OrnsteinUhlenbeck, Shot, White
from .network.plasticity import STDP, Cascade, InhibitorySTDP, RewardSTDP, SynapticScaling, TripletSTDP
from .network.short_term import TsodyksMarkram
from .network.sources import bursts, poisson, regular, trains
from .simulators.recording import Recording
from .simulators.registry import simulate

__all__ = [
    "ALIF",
    "LIF",
    "STDP",
    "AdEx",
    "Alpha",
    "Cascade",
    "CycleReset",
    "Exponential",
    "Hippocampus",
    "Hit",
    "Hits",
    "HodgkinHuxley",
    "InhibitorySTDP",
    "Izhikevich",
    "KWinners",
    "LeakyIntegrator",
    "Logistic",
    "Memory",
    "ModelSpec",
    "Network",
    "NetworkSpec",
    "OrnsteinUhlenbeck",
    "Population",
    "Projection",
    "RateHippocampus",
    "Recall",
    "Receptors",
    "Recording",
    "RewardSTDP",
    "Shot",
    "SynapticScaling",
    "TripletSTDP",
    "TsodyksMarkram",
    "Turn",
    "White",
    "bursts",
    "from_nir",
    "load_model",
    "load_network",
    "plots",
    "poisson",
    "regular",
    "simulate",
    "sweep",
    "to_nir",
    "trains",
]
