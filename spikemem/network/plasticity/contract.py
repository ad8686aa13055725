"""The interface of a plasticity rule, which lets every simulator learn by it, and which spikes a synapse sees at a step.

The contract, the same in every simulator. A spike needs the projection's delay from cell to cell, of which `dendritic` lies behind the
synapse; a postsynaptic spike takes as long to travel back. At the end of step t, when all S[t] are known, a synapse sees

    pre  = S_pre[t - (delay - dendritic)]          post = S_post[t - dendritic]

where the delay may be each synapse's own: then each has a presynaptic trace of its own, and to a rule every postsynaptic cell is an item of
its own, whose presynaptic spikes come at times of theirs. A step of the rule makes of them, and of the state of step t - 1, the weights
and traces of step t. What arrives at step t was weighted by the w of the end of step t - 1. A rule may name a population whose spikes are a
reward: every synapse sees how many there were, S_reward[t], after its own.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from spikemem.network.neurons.contract import NOTHING


class CompiledRule(NamedTuple):
    """The constants of the compiled kernels of `kernels.plastic`: one step of pair STDP; see `plasticity.stdp`."""

    a_plus: float
    a_minus: float
    decay_plus: float
    decay_minus: float
    drift: float
    """The drift of a weight in one step."""
    divide: float
    w_min: float
    w_max: float
    multiplicative: bool
    nearest: bool
    post_first: bool
    target: float = 0.0
    """What is taken from the postsynaptic trace that a presynaptic spike sees."""


class CompiledTriplet(NamedTuple):
    """The constants of triplet STDP in the same kernels; see `plasticity.triplet`."""

    a2_plus: float
    a3_plus: float
    a2_minus: float
    a3_minus: float
    decay_r1: float
    decay_r2: float
    decay_o1: float
    decay_o2: float
    w_min: float
    w_max: float
    nearest: bool


class CompiledReward(NamedTuple):
    """The constants of reward-modulated STDP in the same kernels; see `plasticity.reward`."""

    a_plus: float
    a_minus: float
    decay_plus: float
    decay_minus: float
    decay_c: float
    decay_d: float
    gain: float
    """What a weight changes in a step by an eligibility of 1, for each unit of dopamine."""
    lost: float
    """What it loses by the baseline."""
    release: float
    """What a spike adds to dopamine."""
    w_min: float
    w_max: float


class CompiledScaling(NamedTuple):
    """The constants of the compiled kernel of synaptic scaling; see `plasticity.scaling`."""

    target: float
    growth: float
    """Of ln w in a step without spikes."""
    taken: float
    """What each Hz takes of it."""
    kept: float
    """The decay of the rate."""
    jump: float
    """What a spike adds to the rate."""
    w_min: float
    w_max: float


class CompiledCoincidence(NamedTuple):
    """The constants of the compiled kernel of learning by coincidence; see `plasticity.coincidence`."""

    amount: float
    window: int
    """Steps for which a presynaptic spike counts."""
    signs: tuple[int, ...]
    """s at each step of a period."""
    w_min: float
    w_max: float


class Brian2Rule(NamedTuple):
    """A rule as Brian2 reads it: w is the weight, `model` declares it and the traces."""

    model: str
    on_pre: str
    on_post: str
    post_first: bool = True
    """Whether, of two spikes that a synapse sees in one step, the postsynaptic one comes first."""
    each_step: str = ""
    """Statements that run for every synapse in each step, before the spikes that it sees: they run at the start of the next one, first at
    t = 0."""
    on_reward: str = ""
    """Statements that run for every synapse at each spike of the reward population; variables of the synapse end in `_post`."""
    begin: Mapping[str, float] = NOTHING
    """Where variables begin, by their names, if not at 0."""
    numbers: Mapping[str, float] = NOTHING
    """Constants without a unit, by their names in the text."""
    times: Mapping[str, float] = NOTHING
    """Constants in ms."""


class PlasticityRule(ABC):
    """A rule by which weights learn: a frozen dataclass of its parameters, with one step that numpy and torch run alike.

    `initial` and `step` make a rule; with `brian2` Brian2 learns by it, too, and with `compiled` the event-driven simulator touches the
    synapses of spikes alone. A simulator that lacks a rule says so in one UnsupportedError.
    """

    w_min: float = -math.inf
    """Lower bound of the weights; those that a projection begins with must keep it."""
    w_max: float = math.inf
    dendritic: float = 0.0
    """ms, the part of the projection's delay behind the synapse, from 0 to the whole of it."""
    reward: str | None = None
    """The population whose spikes reach every synapse alike; None where there is none."""

    @abstractmethod
    def initial(self, weights: Any, pre: Any, post: Any) -> Any:
        """The state before the first step: a named tuple with at least `weights`.

        weights: [..., pre, post], of any leading axes.   pre, post: zeros for traces, [..., pre] and [..., post].
        """

    @abstractmethod
    def step(self, pre: Any, post: Any, state: Any, dt: float) -> Any:
        """One step of dt ms on all-to-all synapses, for numpy arrays and torch tensors alike.

        pre, post: the spikes that the synapses see, bool, [..., pre] and [..., post].   Returns the state at the end of the step. Where
        a projection has no synapse, the simulator leaves the weight out.
        """

    def rewarded(self, spikes: Any, state: Any) -> Any:
        """The state after the spikes of the reward population, which come behind `step`.   spikes: how many in this step, [..., 1]."""
        return state

    def compiled(self, dt: float) -> CompiledRule | CompiledTriplet | CompiledReward | CompiledScaling | CompiledCoincidence | None:
        """The constants of the compiled kernels; None where they cannot run this rule, which then runs by its own `step`."""
        return None

    def brian2(self) -> Brian2Rule | None:
        """The same rule as Brian2 equations; None where it has none."""
        return None
