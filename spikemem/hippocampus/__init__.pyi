from .codes import Code, Fidelity, LatencyCode, VolleyCode, ZScoreCode, fidelity, on_off
from .free_recall import IN_ORDER, FreelyRecalled, FreeRecall
from .hippocampus import Hippocampus
from .rate_twin import RateHippocampus
from .recall import Recall
from .regions.ec_lex import Words, words
from .spec import ModelSpec, load_model, model_names
from .temporal_context import TemporalContext

__all__ = [
    "IN_ORDER",
    "Code",
    "Fidelity",
    "FreeRecall",
    "FreelyRecalled",
    "Hippocampus",
    "LatencyCode",
    "ModelSpec",
    "RateHippocampus",
    "Recall",
    "TemporalContext",
    "VolleyCode",
    "Words",
    "ZScoreCode",
    "fidelity",
    "load_model",
    "model_names",
    "on_off",
    "words",
]
