"""Figures: each function takes spikes or numbers and returns a matplotlib `Figure`; `animation` returns a matplotlib animation."""

from spikemem.plots.activity import animation, psth, rates, voltages
from spikemem.plots.connections import weights, weights_over_time
from spikemem.plots.diagram import network
from spikemem.plots.learning import changes, differences, losses, story_gates, task_errors
from spikemem.plots.memory import attention, cost, damage, drives, regions, retrieval, rows, similarity
from spikemem.plots.rhythms import phase, spectrum
from spikemem.plots.spikes import agreement, attempts, membrane, raster
from spikemem.plots.statistics import correlation, cv, cv2, fano, isi, synchrony

__all__ = [
    "agreement", "animation", "attempts", "attention", "changes", "correlation", "cost", "cv", "cv2", "damage", "differences", "drives",
    "fano", "isi", "losses", "membrane", "network", "phase", "psth", "raster", "rates", "regions", "retrieval", "rows", "similarity",
    "spectrum", "story_gates", "synchrony", "task_errors", "voltages", "weights", "weights_over_time",
]  # fmt: skip
