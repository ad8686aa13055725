from .adaptive import AdaptiveLayer
from .checkpoints import load, mark, save
from .delays import DelayedLinear
from .distributed import leads
from .health import Finding, Watch
from .hebbian import FastHebbian, HebbianMemory
from .layers import Linear, SpikingLayer
from .logs import Epoch
from .loop import History, fit, moved
from .network import to_network
from .scores import Scores, accuracy
from .settings import Settings

__all__ = [
    "AdaptiveLayer",
    "DelayedLinear",
    "Epoch",
    "FastHebbian",
    "Finding",
    "HebbianMemory",
    "History",
    "Linear",
    "Scores",
    "Settings",
    "SpikingLayer",
    "Watch",
    "accuracy",
    "fit",
    "leads",
    "load",
    "mark",
    "moved",
    "save",
    "to_network",
]
