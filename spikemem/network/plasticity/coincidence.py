"""Hebbian learning by coincidence, at once and in a phase of a rhythm: parameters, one time step, and the same rule as Brian2 equations.

The step of `plasticity.contract`, on the spikes `pre` and `post` that a synapse sees at the end of step t:

    pre:   h <- window                                     else    h <- h - dt
    post:  w <- clip(w + s(t) amount, w_min, w_max)        where h >= 0

    s(t) = +1 in the phase in which synapses potentiate, -1 in that in which they depress, 0 elsewhere

With an amount of w_max - w_min one coincidence sets a bit (the Willshaw rule: Willshaw, Buneman & Longuet-Higgins 1969). With two phases a
cell that predicts in one and is taught in the other learns by the delta rule, amount x (taught - predicted): that the sign of plasticity
follows the phase of theta is Huerta & Lisman 1995; that this separates recall from encoding, Hasselmo 2002.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FINITE
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check, whole_steps
from spikemem.network.plasticity.contract import Brian2Rule, CompiledCoincidence, PlasticityRule

Phase = tuple[float, float]


class CoincidenceState(NamedTuple):
    """What a projection carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    heard: Any
    """Steps for which the last presynaptic spike still counts, this one included, [..., pre]."""
    step: int
    """Steps taken."""


@dataclass(frozen=True)
class Coincidence(PlasticityRule):
    """A change of `amount` where a postsynaptic spike comes within `window` after a presynaptic one (equations: see the module).

    amount: in the unit of the weights, > 0.   window: ms, >= 0.   w_min, w_max: hard bounds.
    period: ms of the rhythm.   potentiate, depress: from and to when in a period, ms, the end not included; by default all of it, and none.
    dendritic: ms, the part of the projection's delay behind the synapse.

    Raises NetworkError where a parameter is out of its range, and where a time is no whole number of steps.

    >>> Coincidence(window=8.0).amount
    1.0
    """

    amount: float = 1.0
    window: float = 0.0
    w_min: float = 0.0
    w_max: float = 1.0
    period: float = 1.0
    potentiate: Phase | None = None
    depress: Phase | None = None
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        above = {"amount": 0.0, "period": 0.0}
        for name in ("amount", "window", "w_min", "w_max", "period", "dendritic"):
            least = 0.0 if name in ("window", "dendritic") else -FINITE
            value = check.finite(getattr(self, name), f"Coincidence {name}", least=least, above=above.get(name, -math.inf))
            object.__setattr__(self, name, value)  # the dataclass is frozen
        if not self.w_min < self.w_max:
            raise NetworkError(f"Coincidence bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")
        for name in ("potentiate", "depress"):
            phase = getattr(self, name)
            if phase is not None and not 0 <= phase[0] <= phase[1] <= self.period:
                raise NetworkError(f"Coincidence {name} is {phase}; it must be (from, to) within the period of {self.period} ms")

    @property
    def phases(self) -> tuple[Phase, Phase]:
        """When synapses potentiate and when they depress, ms."""
        return self.potentiate or (0.0, self.period), self.depress or (0.0, 0.0)

    def sign(self, step: int, dt: float) -> int:
        """s at a step."""
        return self._signs(np.array([step % whole_steps(self.period, dt)]), dt)[0]

    def _signs(self, place: NDArray[np.int64], dt: float) -> list[int]:
        """s at some places in the rhythm's period."""
        (a, b), (c, d) = ([whole_steps(time, dt) for time in phase] for phase in self.phases)
        signs: list[int] = (((a <= place) & (place < b)).astype(int) - ((c <= place) & (place < d))).tolist()
        return signs

    def initial(self, weights: Any, pre: Any, post: Any) -> CoincidenceState:
        return CoincidenceState(weights, pre, 0)

    def step(self, pre: Any, post: Any, state: CoincidenceState, dt: float) -> CoincidenceState:
        """One step of the contract on all-to-all synapses, for numpy arrays and torch tensors alike."""
        heard = (state.heard - 1).clip(0) * ~pre + (whole_steps(self.window, dt) + 1) * pre
        sign, weights = self.sign(state.step, dt), state.weights
        if sign and post.any():
            together = (heard > 0)[..., :, None] & post[..., None, :]
            weights = (weights + sign * self.amount * together).clip(self.w_min, self.w_max)
        return CoincidenceState(weights, heard, state.step + 1)

    def compiled(self, dt: float) -> CompiledCoincidence:
        signs = tuple(self._signs(np.arange(whole_steps(self.period, dt)), dt))
        return CompiledCoincidence(self.amount, whole_steps(self.window, dt), signs, self.w_min, self.w_max)

    def brian2(self) -> Brian2Rule:
        """The same rule for Brian2, which runs it in the step after the spikes."""
        (a, b), (c, d) = self.phases
        place = "timestep(t - dt, dt) % timestep(rhythm, dt)"  # not `period`, which a clamped group of Brian2 has for itself
        phases = [
            f"int({place} >= timestep({start!r} * ms, dt) and {place} < timestep({stop!r} * ms, dt))" for start, stop in ((a, b), (c, d))
        ]
        return Brian2Rule(
            model="w : 1\nuntil : second",
            on_pre="until = t + window + dt / 2",
            on_post=f"w = clip(w + amount * int(t < until) * ({phases[0]} - {phases[1]}), w_min, w_max)",
            post_first=False,
            numbers={"amount": self.amount, "w_min": self.w_min, "w_max": self.w_max},
            times={"window": self.window, "rhythm": self.period},
        )
