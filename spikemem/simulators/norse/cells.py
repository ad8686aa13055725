"""Norse's neurons and STDP in the torch loop: `lif_box`, `iaf`, `leaky_integrator_box` and `stdp`.

Norse integrates by Euler, V + dt / tau (I - V); with 1 - exp(-dt / tau) instead of dt / tau, and I divided by it, that is the step
of `network.neurons.contract`. It resets at the end of a step and the contract in the next one, so that Norse's reset
functions are called there. Its STDP trace adds dt / tau a for a spike where the contract adds 1.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from spikemem.errors import MissingExtraError, UnsupportedError
from spikemem.network.graph import Population, Projection
from spikemem.network.neurons.lif import LIF, LIFState
from spikemem.network.plasticity.contract import PlasticityRule
from spikemem.network.plasticity.stdp import STDP
from spikemem.simulators.torch_loop.cells import Cells, Learner, Step, lif

UNIT = 1.0
"""dt in Norse's functions; time constants are given as shares of a step."""

Membrane = Callable[[Tensor, Tensor], Tensor]


class Norse(Cells):
    """Neurons and STDP of the torch loop, computed by Norse."""

    def step(self, population: Population) -> Step:
        functional, neuron = _norse(), lif(population, "norse")
        membrane, synapse = self._membrane(neuron), self._synapse(neuron)
        threshold, reset = self.number(neuron.threshold), self.number(neuron.reset or 0.0)
        refractory = torch.tensor(round(neuron.refractory / self.dt))
        rest = functional.lif_refrac.LIFRefracParameters(rho_reset=refractory)

        def step(current: Tensor, state: LIFState) -> LIFState:
            spikes = state.spikes.to(current.dtype)
            through = synapse(current, state.current)
            if neuron.reset is None:
                stays = functional.reset.reset_subtract(spikes, state.voltage, reset, threshold)
                decayed = membrane(neuron.resistance * through, state.voltage)
                voltage = functional.reset.reset_subtract(spikes, decayed, reset, threshold)
            else:
                stays = functional.reset.reset_value(spikes, state.voltage, reset, threshold)
                voltage = membrane(neuron.resistance * through, stays)
            fired = functional.threshold.threshold(voltage - threshold, "heaviside", 0.0)
            if not neuron.refractory:
                return LIFState(voltage, fired > 0, through)
            held = functional.lif.LIFFeedForwardState(v=stays, i=through)
            waiting = functional.lif_refrac.LIFRefracFeedForwardState(lif=held, rho=torch.zeros_like(voltage) + state.refractory)
            voltage, fired, left = functional.lif_refrac.compute_refractory_update(waiting, fired, voltage, rest)
            return LIFState(voltage, fired > 0, through, left)

        return step

    def _membrane(self, neuron: LIF) -> Membrane:
        """(R J, V after the reset) to V, by Norse's LIF without current, or by its integrate-and-fire cell where nothing leaks."""
        functional, leak = _norse(), 1.0 - neuron.beta(self.dt)
        never, beyond = _no_reset, self.number(neuron.threshold)
        if leak == 0.0:
            params = functional.iaf.IAFParameters(v_th=self.number(torch.inf))

            def integrate(current: Tensor, voltage: Tensor) -> Tensor:
                return functional.iaf.iaf_feed_forward_step(current, functional.iaf.IAFFeedForwardState(v=voltage), params)[1].v

            return integrate
        share = functional.lif_box.LIFBoxParameters(tau_mem_inv=self.number(leak), v_th=beyond, reset_method=never)

        def decay(current: Tensor, voltage: Tensor) -> Tensor:
            state = functional.lif_box.LIFBoxFeedForwardState(v=voltage)
            return functional.lif_box.lif_box_feed_forward_step(current / leak, state, share, UNIT)[1].v

        return decay

    def _synapse(self, neuron: LIF) -> Membrane:
        """(I, J of the step before) to J, by Norse's leaky integrator without current."""
        if not neuron.tau_syn:
            return lambda current, _: current
        functional, leak = _norse(), 1.0 - neuron.gamma(self.dt)
        share = functional.leaky_integrator_box.LIBoxParameters(tau_mem_inv=self.number(leak))

        def decay(current: Tensor, through: Tensor) -> Tensor:
            state = functional.leaky_integrator_box.LIBoxState(v=torch.zeros_like(current) + through)
            return functional.leaky_integrator_box.li_box_feed_forward_step(current / leak, state, share, UNIT)[0]

        return decay

    def learner(self, projection: Projection, rule: PlasticityRule, weights: Tensor) -> Learner:
        if type(rule) is not STDP:
            raise UnsupportedError(
                f"norse cannot learn {projection.name!r}: of our rules it has STDP, not {type(rule).__name__}; "
                f'use simulator="event" or "torch"'
            )
        if weights.ndim > 3:
            raise UnsupportedError(
                f"norse cannot learn {projection.name!r}: its STDP has one delay for all synapses; "
                f'use simulator="event", "torch" or "brian2"'
            )
        if rule.pairing == "nearest":
            raise UnsupportedError(f"norse cannot learn {projection.name!r}: it has no nearest-neighbour pairing; any other simulator has")
        return _Learners([_Learner(rule, item.unsqueeze(0), self) for item in weights])


class _Learners:
    """One learner for each batch item: Norse's STDP shares the weights of a batch."""

    def __init__(self, items: list["_Learner"]) -> None:
        self.items = items
        self.weights = torch.cat([item.weights for item in items])

    def learn(self, pre: Tensor, post: Tensor) -> None:
        for b, item in enumerate(self.items):
            item.learn(pre[b : b + 1], post[b : b + 1])
        self.weights = torch.cat([item.weights for item in self.items])

    def rewarded(self, spikes: Tensor) -> None:
        """Nothing: Norse's STDP knows no reward."""


class _Learner:
    """Norse's `stdp_step_linear`, called once for what potentiates and once for what depresses, in the contract's order.

    A trace that must not hold the present spike yet is fed with the last step's, which has decayed once by then.
    """

    def __init__(self, rule: STDP, weights: Tensor, cells: Cells) -> None:
        self.weights, self.rule, self.dt, stdp = weights, rule, cells.dt, _norse().stdp
        self.late_pre, self.late_post = rule.coincidence == "depression", rule.coincidence == "potentiation"
        x, y = rule.decays(cells.dt)
        amounts = {
            "a_pre": cells.number((x if self.late_pre else 1.0) / (1.0 - x)),
            "a_post": cells.number((y if self.late_post else 1.0) / (1.0 - y)),
            "tau_pre_inv": cells.number(1.0 - x),
            "tau_post_inv": cells.number(1.0 - y),
            "w_min": rule.w_min,
            "w_max": rule.w_max,
            "stdp_algorithm": "additive" if rule.dependence == "additive" else "multiplicative_relu",
        }
        self.step = stdp.stdp_step_linear
        self.potentiating = stdp.STDPParameters(**amounts, eta_plus=rule.a_plus, eta_minus=0.0)
        self.depressing = stdp.STDPParameters(**amounts, eta_plus=0.0, eta_minus=rule.a_minus)
        pre, post = weights.new_zeros(1, weights.shape[1]), weights.new_zeros(1, weights.shape[2])
        self.last = pre, post
        self.rises, self.falls = stdp.STDPState(pre, post), stdp.STDPState(pre, post)

    def learn(self, pre: Tensor, post: Tensor) -> None:
        seen = pre.to(self.weights.dtype), post.to(self.weights.dtype)
        late = self.last
        self.last = seen
        matrix = self.rule.drifted(self.weights[0], self.dt).T  # Norse's weights are [post, pre], and know no drift
        for potentiates in (True, False) if self.late_pre else (False, True):
            if potentiates:
                matrix, self.rises = self.step(late[0] if self.late_pre else seen[0], seen[1], matrix, self.rises, self.potentiating, UNIT)
            else:
                matrix, self.falls = self.step(seen[0], late[1] if self.late_post else seen[1], matrix, self.falls, self.depressing, UNIT)
        self.weights = matrix.T.unsqueeze(0)


def _no_reset(spikes: Tensor, voltage: Tensor, reset: Tensor, threshold: Tensor) -> Tensor:
    """Norse's reset at the end of a step, left to the start of the next."""
    return voltage


def _norse() -> Any:
    try:
        import norse.torch.functional.iaf
        import norse.torch.functional.leaky_integrator_box
        import norse.torch.functional.lif_box
        import norse.torch.functional.lif_refrac
        import norse.torch.functional.reset
        import norse.torch.functional.stdp
        import norse.torch.functional.threshold
    except ImportError as error:
        raise MissingExtraError(
            f'simulator "norse" needs the "reference" extra, and Norse without the torchvision that it demands but does not use: '
            f'pip install "spikemem[reference]", then pip install --no-deps norse ({error})'
        ) from error
    return norse.torch.functional
