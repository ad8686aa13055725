from .checkpoints import load, mark, save
from .distributed import leads
from .health import Finding, Watch
from .layers import Linear, SpikingLayer
from .logs import Epoch
from .loop import History, fit, moved
from .scores import Scores, accuracy
from .settings import Settings

__all__ = [
    "Epoch",
    "Finding",
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
]
