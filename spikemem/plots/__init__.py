"""Figures: each function takes spikes or numbers and returns a matplotlib `Figure`."""

from spikemem.plots.learning import changes, differences, losses, story_gates, task_errors
from spikemem.plots.memory import attention, cost, damage, drives, regions, retrieval, rows, similarity
from spikemem.plots.spikes import agreement, attempts, membrane, raster

__all__ = [
    "agreement", "attempts", "attention", "changes", "cost", "damage", "differences", "drives", "losses", "membrane", "raster", "regions",
    "retrieval", "rows", "similarity", "story_gates", "task_errors",
]  # fmt: skip
