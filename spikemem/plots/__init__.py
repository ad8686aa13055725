"""Figures: each function takes spikes or numbers and returns a matplotlib `Figure`; `animation` returns a matplotlib animation."""

from spikemem.plots.activity import animation, psth, rates, voltages
from spikemem.plots.bench import bench
from spikemem.plots.connections import weights, weights_over_time
from spikemem.plots.diagram import network
from spikemem.plots.engrams import (
    allocation,
    completion_curve,
    drift,
    engram_cells,
    linking,
    memory_graph,
    overlap,
    rdm,
    reactivation,
    rsa,
    selectivity,
    separation_curve,
)
from spikemem.plots.free_recall import first_recall, lag_crp, response_times, serial_position
from spikemem.plots.learning import changes, differences, losses, story_gates, task_errors
from spikemem.plots.memory import attention, cost, damage, drives, regions, retrieval, rows, similarity
from spikemem.plots.places import assemblies, decode, oscillation, place_fields, precession, remapping, replay
from spikemem.plots.rhythms import phase, spectrum
from spikemem.plots.spikes import agreement, attempts, membrane, raster
from spikemem.plots.statistics import correlation, cv, cv2, fano, isi, synchrony

__all__ = [
    "agreement", "allocation", "animation", "assemblies", "attempts", "attention", "bench", "changes", "completion_curve", "correlation",
    "cost", "cv", "cv2", "damage", "decode", "differences", "drift", "drives", "engram_cells", "fano", "first_recall", "isi", "lag_crp",
    "linking", "losses", "membrane", "memory_graph", "network", "oscillation", "overlap", "phase", "place_fields", "precession", "psth",
    "raster", "rates", "rdm", "reactivation", "regions", "remapping", "replay", "response_times", "retrieval", "rows", "rsa", "selectivity",
    "separation_curve", "serial_position", "similarity", "spectrum", "story_gates", "synchrony", "task_errors", "voltages", "weights",
    "weights_over_time",
]  # fmt: skip
