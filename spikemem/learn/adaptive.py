"""Cells whose threshold rises with what they fire, and which so remember for longer than their membrane does.

    theta[t] = theta + strength A[t],   A[t] = rho A[t-1] + (1 - rho) S[t-1],   rho = exp(-dt / tau_A)
    V[t] = beta V[t-1] + I[t] - theta[t-1] S[t-1],   S[t] = V[t] > theta[t]

The adaptive leaky integrate-and-fire cell (ALIF) of Bellec et al. 2018. Gradients go through the S that adapts, and as in `learn.layers`
not through the S that resets.
A spike takes away the threshold that it crossed, that of `ALIF`, as in the paper\'s own program, the risen one.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from spikemem.errors import NetworkError
from spikemem.learn.layers import LEARNED, SpikingLayer, check, filled, scaled, wide
from spikemem.learn.surrogates import spike
from spikemem.network.neurons import LIF

LEARNED_BY_ADAPTIVE = (*LEARNED, "tau_adaptation", "strength")


class AdaptiveLayer(SpikingLayer):
    """A population of trainable cells with adaptive thresholds: a current over a time window in, its spikes out.

    It is a `SpikingLayer`, by a loop over time in torch on any device (there are no kernels for it). Strength and time constant of the
    adaptation are learned as tau and theta are, as exp of what is 0 at first.

    tau_adaptation: at first, ms.   strength: by how much the threshold of a cell that fires in each step rises; with 0 it is a plain cell.
    learn: which of "tau", "threshold", "tau_adaptation" and "strength" are learned.   options: those of `SpikingLayer`.

    >>> layer = AdaptiveLayer(2, strength=4.0)
    >>> layer(torch.full((100, 1, 2), 1.2)).sum((1, 2)).split(50)[0].sum() > layer(torch.full((100, 1, 2), 1.2))[50:].sum()
    tensor(True)
    """

    tau_adaptation_0: Tensor
    strength_0: Tensor

    def __init__(
        self,
        cells: int,
        neuron: LIF = LIF(),  # noqa: B008 (frozen)
        dt: float = 1.0,
        *,
        tau_adaptation: float = 200.0,
        strength: float = 1.0,
        learn: Sequence[str] = LEARNED_BY_ADAPTIVE,
        **options: Any,
    ) -> None:
        learn = [check.choice(name, "what a layer learns", LEARNED_BY_ADAPTIVE) for name in check.listed(learn, "learn", "texts")]
        if options.pop("fused", None):
            raise NetworkError("AdaptiveLayer has no kernel; leave `fused` out")
        super().__init__(cells, neuron, dt, learn=[name for name in learn if name in LEARNED], fused=False, **options)
        tau_adaptation = check.finite(tau_adaptation, "tau_adaptation", above=0, unit=" ms")
        strength = check.finite(strength, "strength", least=0)
        if not strength:  # whose logarithm has no gradient
            learn = [name for name in learn if name not in ("strength", "tau_adaptation")]
        self.register_buffer("tau_adaptation_0", filled(self.cells, tau_adaptation, "tau_adaptation"))
        self.register_buffer("strength_0", filled(self.cells, strength, "strength"))
        self.log_tau_adaptation = nn.Parameter(torch.zeros(self.cells)) if "tau_adaptation" in learn else None
        self.log_strength = nn.Parameter(torch.zeros(self.cells)) if "strength" in learn else None

    @property
    def tau_adaptation(self) -> Tensor:
        """Time constants of the adaptation, ms, [cell]."""
        return scaled(self.tau_adaptation_0, self.log_tau_adaptation)

    @property
    def strength(self) -> Tensor:
        """By how much A raises the threshold, [cell]."""
        return scaled(self.strength_0, self.log_strength)

    def run(self, current: Tensor) -> tuple[Tensor, Tensor]:
        """Voltages and spikes, [time, batch, cell] each, under a current of that shape, float32 or float64."""
        beta, theta, strength, rho = self.beta, self.threshold, self.strength, torch.exp(-self.dt / self.tau_adaptation)
        fire = spike(self.surrogate, self.slope)
        voltage, adapted, level = wide(self.start).expand_as(current[0]), torch.zeros_like(current[0]), theta
        fired, voltages, spikes = fire(voltage - level), [], []
        for now in current:
            voltage = beta * voltage + now - level * fired.detach()
            adapted = rho * adapted + (1.0 - rho) * fired
            level = theta + strength * adapted
            fired = fire(voltage - level)
            voltages.append(voltage)
            spikes.append(fired)
        return torch.stack(voltages), torch.stack(spikes)
