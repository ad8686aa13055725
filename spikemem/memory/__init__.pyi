from .cache import CachedEmbedder
from .conversation import Turn, read_conversation
from .damage import FileCheck, check, repair
from .embed import Embedder, SentenceEmbedder
from .memory import Memory
from .results import Decision, Hit, Hits, Occasion, Record, Slept

__all__ = [
    "CachedEmbedder",
    "Decision",
    "Embedder",
    "FileCheck",
    "Hit",
    "Hits",
    "Memory",
    "Occasion",
    "Record",
    "SentenceEmbedder",
    "Slept",
    "Turn",
    "check",
    "read_conversation",
    "repair",
]
