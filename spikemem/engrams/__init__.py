"""Analysis of engrams and place cells: pure functions on spikes and sets of cells, of the model's recordings and of animals' alike.

Sets of cells are bool, [memory, cell], or the cells' indices (`members`); spikes are `spikemem.instruments.Trains`. Each function gives its
equation and its paper, and `spikemem.plots` has a figure of the same name that takes its result.
"""

from spikemem.engrams.assemblies import Assemblies, assemblies
from spikemem.engrams.changing import Allocated, Drift, Linking, allocation, drift, linking
from spikemem.engrams.curves import Similarity, completion_curve, separation_curve, variants
from spikemem.engrams.decoding import Decoded, decode
from spikemem.engrams.free_recall import RecallCurve, ResponseTimes, first_recall, lag_crp, response_times, serial_position
from spikemem.engrams.graph import MemoryGraph, memory_graph
from spikemem.engrams.place import PlaceField, RateMaps, Remapping, place_fields, remapping
from spikemem.engrams.replay import Replay, bursts_of, replay, weighted_correlation
from spikemem.engrams.rhythm import Oscillation, Precession, oscillation, precession
from spikemem.engrams.sets import Overlap, members, overlap
from spikemem.engrams.similarity import RSA, rdm, rsa
from spikemem.engrams.tagging import Reactivation, Selectivity, engram_cells, reactivation, selectivity

__all__ = [
    "RSA", "Allocated", "Assemblies", "Decoded", "Drift", "Linking", "MemoryGraph", "Oscillation", "Overlap", "PlaceField", "Precession",
    "RateMaps", "Reactivation", "RecallCurve", "Remapping", "Replay", "ResponseTimes", "Selectivity", "Similarity", "allocation",
    "assemblies", "bursts_of", "completion_curve", "decode", "drift", "engram_cells", "first_recall", "lag_crp", "linking", "members",
    "memory_graph", "oscillation", "overlap", "place_fields", "precession", "rdm", "reactivation", "remapping", "replay", "response_times",
    "rsa", "selectivity", "separation_curve", "serial_position", "variants", "weighted_correlation",
]  # fmt: skip
