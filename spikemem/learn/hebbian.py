"""Fast Hebbian weights: a memory that an episode writes and reads in spikes, with gradients through what is written.

    W <- W + potentiation (bound - W) post pre^T - depression W pre^2

is Hebb's rule with a soft bound, and with forgetting where the presynaptic cell fires (Limbacher, Özdenizci & Legenstein 2022, whose rule
acts in each step on traces of spikes; here it acts once an item, on rates). Slow weights, which gradient descent learns over many
episodes, decide what fires; fast ones begin at 0 in each episode and bind it (differentiable plasticity: Miconi, Stanley & Clune 2018).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikemem._checks import Checks, shown
from spikemem.errors import NetworkError, StimulusError
from spikemem.learn.layers import SpikingLayer
from spikemem.network.neurons import LIF

check = Checks(NetworkError)


@dataclass(frozen=True)
class FastHebbian:
    """Hebb's rule for fast weights, W <- W + potentiation (bound - W) post pre^T - depression W pre^2.

    potentiation, depression: an item's at rates of 1, 0 to 1; their sum is 1 at most, so that weights stay between 0 and the bound.
    Potentiation 0 silences the memory.   bound: of a weight, > 0.   Source: Limbacher, Özdenizci & Legenstein (2022).

    Raises NetworkError for a value out of its range.
    """

    potentiation: float = 0.3
    depression: float = 0.3
    bound: float = 1.0

    def __post_init__(self) -> None:
        for name in ("potentiation", "depression"):
            check.finite(getattr(self, name), name, least=0, most=1)
        check.finite(self.bound, "bound", above=0)
        if self.potentiation + self.depression > 1:
            raise NetworkError(f"potentiation and depression sum to {self.potentiation + self.depression}; their sum must be 1 at most")

    def write(self, pre: Tensor, post: Tensor) -> Tensor:
        """The weights, [batch, post cell, pre cell], after all items of an episode, one by one, from W = 0.

        pre, post: rates, 0 to 1, [batch, item, cell].   Raises StimulusError where their batches or items are not as many.

        >>> pre, post = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.5]]])
        >>> FastHebbian(potentiation=0.4, depression=0.1).write(pre, post)
        tensor([[[0.2000, 0.0000]]])
        """
        _check_shape(pre, "pre", "batch", "item", "cell")
        _check_shape(post, "post", *pre.shape[:2], "cell")
        weights = pre.new_zeros(len(pre), post.shape[2], pre.shape[2])
        for k, v in zip(pre.unsqueeze(2).unbind(1), post.unsqueeze(3).unbind(1), strict=True):
            coincidence = self.potentiation * v * k
            weights = torch.addcmul(weights + self.bound * coincidence, weights, coincidence + self.depression * k**2, value=-1)
        return weights


class HebbianMemory(nn.Module):
    """Key, value and recall cells, and the fast weights that bind keys to values.

        store     k_i, v_i = rates of key and value cells under the constant currents of item i,   W by `FastHebbian`, item by item
        recall    I[t] = gain (W S_k[t] - its mean over cells) + b,   r = rates of recall cells under I

    S_k: spikes of the key cells under the cue's current. The mean is feedforward inhibition: without it interference, which grows with the
    number of items, drives all recall cells. gain and b are learned; synapses onto keys and values are the caller's. All cells are leaky,
    reset by subtraction (`SpikingLayer`), and begin each item at V = 0.

    keys, values: cells.   steps: of an item and of a recall; 0 for the rate twin, whose cells have the rate min(1, max(0, I)), which is
    that of a perfect integrator of threshold 1.   rule: of the fast weights, read anew at each call.   slope: of the surrogate.
    """

    def __init__(
        self,
        keys: int,
        values: int,
        steps: int = 20,
        neuron: LIF = LIF(),  # noqa: B008 (frozen)
        rule: FastHebbian = FastHebbian(),
        *,
        gain: float = 1.0,
        slope: float = 5.0,
    ) -> None:
        super().__init__()
        self.steps = check.integer(steps, "steps", least=0)
        self.rule: FastHebbian = check.instance(rule, "rule", FastHebbian, "give a FastHebbian")
        self.key_cells, self.value_cells, self.recall_cells = (
            SpikingLayer(cells, neuron, learn=(), slope=slope) for cells in (keys, values, values)
        )
        self.gain = nn.Parameter(torch.tensor(check.finite(gain, "gain")))
        self.bias = nn.Parameter(torch.zeros(values))

    def forward(self, keys: Tensor, values: Tensor, cues: Tensor) -> Tensor:
        """What each cue recalls of its episode: rates of the recall cells, 0 to 1, [batch, value cell].

        keys, values: currents of the items, [batch, item, cell].   cues: currents of the key cells, [batch, cell].
        Raises StimulusError where a shape does not fit.
        """
        _check_shape(keys, "keys", "batch", "item", self.key_cells.cells)
        _check_shape(values, "values", *keys.shape[:2], self.value_cells.cells)
        _check_shape(cues, "cues", len(keys), self.key_cells.cells)
        key_spikes = self._fire(self.key_cells, self._held(keys))
        value_spikes = self._fire(self.value_cells, self._held(values))
        weights = self.rule.write(key_spikes.mean(0), value_spikes.mean(0))
        drive = self._fire(self.key_cells, self._held(cues)).movedim(0, 1) @ weights.mT
        current = self.gain * (drive - drive.mean(2, keepdim=True)) + self.bias
        return self._fire(self.recall_cells, current.movedim(1, 0)).mean(0)

    def _held(self, current: Tensor) -> Tensor:
        """A constant current over an item's steps, [time, ..., cell]; the rate twin has one."""
        return current.expand(max(self.steps, 1), *current.shape)

    def _fire(self, cells: SpikingLayer, current: Tensor) -> Tensor:
        """Spikes, or the twin's rates, under a current [time, ..., cell]."""
        return cells(current.flatten(1, -2)).view(current.shape) if self.steps else current.clamp(0, 1)


def _check_shape(given: object, name: str, *shape: str | int) -> None:
    """StimulusError where something is no tensor of a shape; a word stands for any size."""
    sizes = given.shape if isinstance(given, Tensor) else ()
    if len(sizes) != len(shape) or any(isinstance(want, int) and size != want for size, want in zip(sizes, shape, strict=True)):
        raise StimulusError(f"{name} is {shown(given)}; expected a torch tensor, [{', '.join(map(str, shape))}]")
