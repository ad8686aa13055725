"""Plasticity rules: the interface that each implements, and spikemem's own, one file a family."""

from collections.abc import Callable

from spikemem.network.plasticity.cascade import Cascade, CascadeState
from spikemem.network.plasticity.coincidence import Coincidence, CoincidenceState
from spikemem.network.plasticity.contract import (
    Brian2Rule,
    CompiledCoincidence,
    CompiledReward,
    CompiledRule,
    CompiledScaling,
    CompiledTriplet,
    PlasticityRule,
)
from spikemem.network.plasticity.inhibitory import InhibitorySTDP
from spikemem.network.plasticity.reward import RewardState, RewardSTDP
from spikemem.network.plasticity.scaling import ScalingState, SynapticScaling
from spikemem.network.plasticity.stdp import STDP, STDPState
from spikemem.network.plasticity.triplet import TripletState, TripletSTDP
from spikemem.network.registry import Registry

__all__ = [
    "RULES",
    "STDP",
    "Brian2Rule",
    "Cascade",
    "CascadeState",
    "Coincidence",
    "CoincidenceState",
    "CompiledCoincidence",
    "CompiledReward",
    "CompiledRule",
    "CompiledScaling",
    "CompiledTriplet",
    "InhibitorySTDP",
    "PlasticityRule",
    "RewardSTDP",
    "RewardState",
    "STDPState",
    "ScalingState",
    "SynapticScaling",
    "TripletSTDP",
    "TripletState",
]

_OWN: dict[str, Callable[..., PlasticityRule]] = {
    "STDP": STDP, "Coincidence": Coincidence, "InhibitorySTDP": InhibitorySTDP, "TripletSTDP": TripletSTDP, "RewardSTDP": RewardSTDP,
    "SynapticScaling": SynapticScaling, "Cascade": Cascade,
}  # fmt: skip
RULES: Registry[Callable[..., PlasticityRule]] = Registry("plasticity rule", "spikemem.rules", _OWN)
"""The plasticity rules that a model file may name as `model`: constructors, called with the file's keys."""
