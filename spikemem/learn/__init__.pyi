from .checkpoints import load, mark, save
from .distributed import leads
from .health import Finding, Watch
from .hebbian import FastHebbian, HebbianMemory
from .layers import Linear, SpikingLayer
from .loop import Epoch, History, fit, moved
from .settings import Settings

__all__ = [
    "Epoch",
    "FastHebbian",
    "Finding",
    "HebbianMemory",
    "History",
    "Linear",
    "Settings",
    "SpikingLayer",
    "Watch",
    "fit",
    "leads",
    "load",
    "mark",
    "moved",
    "save",
]
