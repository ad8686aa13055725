from .codes import Code, Fidelity, LatencyCode, VolleyCode, ZScoreCode, fidelity, on_off
from .free_recall import IN_ORDER, FreelyRecalled, FreeRecall
from .hippocampus import Hippocampus
from .lifespans import LifespanRule, Lives, Stage, forgotten, lived, no_lives, wake
from .lifespans_in_spikes import fire_in_spikes, race_in_spikes
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
    "LifespanRule",
    "Lives",
    "ModelSpec",
    "RateHippocampus",
    "Recall",
    "Stage",
    "TemporalContext",
    "VolleyCode",
    "Words",
    "ZScoreCode",
    "fidelity",
    "fire_in_spikes",
    "forgotten",
    "lived",
    "load_model",
    "model_names",
    "no_lives",
    "on_off",
    "race_in_spikes",
    "wake",
    "words",
]
