from .cache import CachedEmbedder
from .conversation import Turn, read_conversation
from .embed import Embedder, SentenceEmbedder
from .memory import Memory
from .results import Decision, Hit, Hits

__all__ = [
    "CachedEmbedder",
    "Decision",
    "Embedder",
    "Hit",
    "Hits",
    "Memory",
    "SentenceEmbedder",
    "Turn",
    "read_conversation",
]
