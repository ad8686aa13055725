"""SPMN, the Stimulus-Perception Memory Network: events write into a memory through gates, and slots recall them."""

from spikemem.spmn.contract import Cell, Gates
from spikemem.spmn.losses import Happened, Slots, match, similarities, slots_loss, write_similarity
from spikemem.spmn.rate_v1 import RateV1
from spikemem.spmn.rate_v2 import RateV2

__all__ = ["Cell", "Gates", "Happened", "RateV1", "RateV2", "Slots", "match", "similarities", "slots_loss", "write_similarity"]
