"""SPMN, the Stimulus-Perception Memory Network: events write into a memory through gates, and slots recall them."""

from spikemem.spmn.cell import SpikingCell
from spikemem.spmn.contract import Cell, Gates
from spikemem.spmn.decoder import Decoder
from spikemem.spmn.encoders import Encoder, Event, Image, Moment, Sense, Sound, Vector
from spikemem.spmn.losses import Happened, Slots, match, similarities, slots_loss, write_similarity
from spikemem.spmn.model import SPMN, Flow, Written
from spikemem.spmn.rate_v1 import RateV1
from spikemem.spmn.rate_v2 import RateV2
from spikemem.spmn.words import HopRecall, SentenceEncoder

__all__ = [
    "SPMN",
    "Cell",
    "Decoder",
    "Encoder",
    "Event",
    "Flow",
    "Gates",
    "Happened",
    "HopRecall",
    "Image",
    "Moment",
    "RateV1",
    "RateV2",
    "Sense",
    "SentenceEncoder",
    "Slots",
    "Sound",
    "SpikingCell",
    "Vector",
    "Written",
    "match",
    "similarities",
    "slots_loss",
    "write_similarity",
]  # fmt: skip
