from .checkpoints import load, mark, save
from .distributed import leads
from .health import Finding, Watch
from .layers import Linear, SpikingLayer
from .loop import Epoch, History, fit, moved
from .network import to_network
from .settings import Settings

__all__ = [
    "Epoch",
    "Finding",
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
    "to_network",
]
