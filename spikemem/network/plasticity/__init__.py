"""Plasticity rules: the contract that each fulfils, and those that spikemem brings, one file a family."""

from collections.abc import Callable

from spikemem.network.plasticity.contract import Brian2Rule, CompiledRule, PlasticityRule
from spikemem.network.plasticity.stdp import STDP, STDPState
from spikemem.network.registry import Registry

__all__ = ["RULES", "STDP", "Brian2Rule", "CompiledRule", "PlasticityRule", "STDPState"]

RULES: Registry[Callable[..., PlasticityRule]] = Registry("plasticity rule", "spikemem.rules", {"STDP": STDP})
"""What a model file may name as the `model` of a rule, as in `neurons.NEURONS`."""
