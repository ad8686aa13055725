"""Plasticity rules: the interface that each implements, and spikemem's own, one file a family."""

from collections.abc import Callable

from spikemem.network.plasticity.coincidence import Coincidence, CoincidenceState
from spikemem.network.plasticity.contract import Brian2Rule, CompiledCoincidence, CompiledRule, PlasticityRule
from spikemem.network.plasticity.stdp import STDP, STDPState
from spikemem.network.registry import Registry

__all__ = [
    "RULES",
    "STDP",
    "Brian2Rule",
    "Coincidence",
    "CoincidenceState",
    "CompiledCoincidence",
    "CompiledRule",
    "PlasticityRule",
    "STDPState",
]

RULES: Registry[Callable[..., PlasticityRule]] = Registry("plasticity rule", "spikemem.rules", {"STDP": STDP, "Coincidence": Coincidence})
"""The plasticity rules that a model file may name as `model`: constructors, called with the file's keys."""
