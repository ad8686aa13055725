"""snnTorch's cells in the torch loop: `snntorch.Leaky`, and `snntorch.Synaptic` where the synaptic current has a time constant.

snnTorch resets by subtraction at once, or to 0 (a `Synaptic` cell then skips a step, which is one step of refractoriness). It has no
sparse or delayed synapses, no winners and no STDP of this kind: the loop brings them.
"""

import snntorch
from torch import Tensor

from spikemem.errors import UnsupportedError
from spikemem.network.graph import Population
from spikemem.network.neurons.lif import LIF, LIFState
from spikemem.simulators.snntorch import unlisted
from spikemem.simulators.torch_loop.cells import Cells, Step, lif


class SnnTorch(Cells):
    """Neurons of the torch loop, computed by snnTorch. Constants go in as float64 tensors, since a float would be rounded to float32.

    The threshold has a dimension: snnTorch's spikes are float32, and would round a scalar that they are multiplied with.
    """

    def step(self, population: Population) -> Step:
        neuron = lif(population, "snntorch")
        options = {"threshold": self.number(neuron.threshold).reshape(1), "reset_mechanism": self._reset(population.name, neuron)}
        beta = self.number(neuron.beta(self.dt))
        if neuron.tau_syn:
            synaptic = unlisted(snntorch.Synaptic(self.number(neuron.gamma(self.dt)), beta, **options))

            def step(current: Tensor, state: LIFState) -> LIFState:
                before = current.new_zeros(current.shape) + state.current
                _, through, voltage = synaptic(neuron.resistance * current, before, state.voltage)
                return LIFState(voltage, voltage > neuron.threshold, through)

            return step
        leaky = unlisted(snntorch.Leaky(beta, **options))

        def plain(current: Tensor, state: LIFState) -> LIFState:
            spikes, voltage = leaky(neuron.resistance * current, state.voltage)
            return LIFState(voltage.detach(), spikes.detach() > 0)

        return plain

    def _reset(self, name: str, neuron: LIF) -> str:
        skipped = self.dt if neuron.tau_syn else 0.0
        match neuron.reset, neuron.refractory:
            case None, 0.0:
                return "subtract"
            case 0.0, refractory if abs(refractory - skipped) < 1e-9:
                return "zero"
        kind = "a synaptic current" if neuron.tau_syn else "no synaptic current"
        raise UnsupportedError(
            f"snntorch cannot simulate {name!r} with reset {neuron.reset} and {neuron.refractory} ms of refractoriness: with "
            f'{kind} it resets by subtraction at once, or to 0 after {skipped} ms; use simulator="event" or "brian2"'
        )
