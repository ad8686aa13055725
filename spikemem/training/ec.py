"""The EC code, trained: from the analytic ON/OFF code, with learned thresholds, time constants, course of the current, and decoder.

    loss = 1 - cos(x^, x) + penalty spikes,                  x^ = sum over t of m[t] (S_on[t] - S_off[t])

The start is the analytic code: g constant, r one half at the first step, m constant. Learned are theta and tau of each cell, g, r and m;
m is a whole number where it is used, and its gradient passes the rounding (Bengio et al. 2013). No synapse joins two dimensions: a dense
decoder fits the texts that it was trained on and loses on others. Then m is fixed, all cells take their mean tau, which a population
has to share, and the rest is trained on. Thresholds are folded into the drive: V / theta has threshold 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikemem.errors import TrainingError
from spikemem.hippocampus import codes
from spikemem.hippocampus.codes import CUE_STEPS, HALF, VolleyCode, fidelity
from spikemem.learn import History, Settings, fit
from spikemem.learn.checkpoints import mark
from spikemem.learn.layers import SpikingLayer
from spikemem.network.neurons import LIF

CHARGE = 1.6
"""Spikes of a cell for a component of root-mean-square size, at the start."""
UNIT = 2.0
"""What a spike counts at the start: with `CHARGE`, n is then the count of the analytic code of charge 3.2."""
MOST = 11
"""The largest n: as many spikes as deep EC can answer with in a gamma cycle."""
SATURATION = 3.4
"""Root mean squares above which components are not distinguished: MOST over what one of them counts."""
TAU = 150.0
"""ms; the cells leak little at the start."""
PENALTY = 2e-5
"""Loss of a spike."""
ANALYTIC = 3.2
"""Charge of the analytic code beside which a trained one is shown."""
MEASURED = 2000
"""Texts of a source on which a code is measured."""
HELD_OUT = 0.1
"""Share of the texts that choose the best epoch."""
SETTLING = 0.25, 0.1
"""Shares of the epochs, and of the learning rate, after m is fixed."""
SETTINGS = Settings(epochs=16, batch=256, lr=1e-2)


class CodeModel(nn.Module):
    """The code as a model: unit vectors [n, d] to n [n, d] and spikes [n]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.cells = SpikingLayer(2 * dim, LIF(tau=TAU))
        self.profile = nn.Parameter(torch.full((CUE_STEPS,), 1.0 / CUE_STEPS))
        common = torch.zeros(CUE_STEPS)
        common[0] = HALF
        self.common = nn.Parameter(common)
        self.weight = nn.Parameter(torch.full((CUE_STEPS,), UNIT))

    @property
    def efficacy(self) -> Tensor:
        """m: whole numbers, with the gradient of what was rounded, [time]."""
        return self.weight + (self.weight.round() - self.weight).detach()

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.cat([vectors, -vectors], dim=1).clamp(0.0, SATURATION / math.sqrt(self.dim)) * (CHARGE * math.sqrt(self.dim))
        spikes = self.cells(x * self.profile[:, None, None] + self.common[:, None, None])
        n = torch.einsum("t,tbc->bc", self.efficacy, spikes).clamp(max=MOST)
        return n[:, : self.dim] - n[:, self.dim :], spikes.sum(dim=(0, 2))

    def settle(self) -> None:
        """Fix m, and give all cells their mean tau."""
        with torch.no_grad():
            self.weight.copy_(self.weight.round())
            if self.cells.log_tau is not None:
                self.cells.log_tau.fill_(self.cells.log_tau.mean())
        self.weight.requires_grad_(False)
        if self.cells.log_tau is not None:
            self.cells.log_tau.requires_grad_(False)

    def code(self) -> VolleyCode:
        """What was learned, as a code; `scale` is still to be measured."""
        theta, common = _array(self.cells.threshold), _array(self.common)
        gain = CHARGE * math.sqrt(self.dim) / theta
        learned = VolleyCode(
            LIF(float(self.cells.tau[0]), 1.0), gain, np.full(2 * self.dim, np.inf), _array(self.profile), common[:, None] / theta,
            np.rint(_array(self.weight)).astype(np.int64), 1.0,
        )  # fmt: skip
        return replace(learned, top=np.minimum(codes.saturation(learned, MOST), gain * SATURATION / math.sqrt(self.dim)))


@dataclass(frozen=True, eq=False)
class TrainedCode:
    """A trained code.   code: what was learned.   first, then: how the training went, before m was fixed and after."""

    code: VolleyCode
    first: History
    then: History


def train(
    vectors: NDArray[np.floating],
    settings: Settings = SETTINGS,
    penalty: float = PENALTY,
    progress: Callable[[int, int], None] | None = None,
) -> TrainedCode:
    """Learn a code from unit vectors, [n, d].   progress: called with the steps done, and all, of either part.

    penalty: of a spike, finite and at least 0.

    Raises TrainingError where there are too few vectors, or for a penalty out of its range.
    """
    if not 0 <= penalty < math.inf:
        raise TrainingError(f"the penalty of a spike is {penalty}; it must be finite, and at least 0")
    x = torch.as_tensor(np.asarray(vectors, np.float32))
    held = round(HELD_OUT * len(x))
    if held < 1:
        raise TrainingError(
            f"{len(x)} texts are too few to train a code and choose its best epoch; give at least {math.ceil(1 / HELD_OUT)}"
        )
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(settings.seed))
    test, rest = x[order[:held]], x[order[held:]]

    def loss(model: nn.Module, batch: tuple[Tensor]) -> Tensor:
        back, spikes = model(batch[0])
        cost: Tensor = (1.0 - torch.cosine_similarity(back, batch[0], dim=1) + penalty * spikes).mean()
        return cost

    def validate(model: nn.Module) -> float:
        return float(loss(model, (test.to(next(model.parameters()).device),)))

    model = CodeModel(x.shape[1])
    settings = replace(settings, of=f"EC's code, {CUE_STEPS} steps, a spike at {penalty}, from {len(x)} texts {mark(x)}")
    first = fit(model, [rest], loss, settings, validate=validate, progress=progress)
    model.settle()
    epochs, rate = SETTLING
    second = replace(
        settings, epochs=math.ceil(epochs * settings.epochs), lr=rate * settings.lr, checkpoint=_beside(settings),
        of=f"the settling of {settings.of}",
    )  # fmt: skip
    then = fit(model, [rest], loss, second, validate=validate, progress=progress)
    return TrainedCode(scaled(model.cpu().code(), vectors), first, then)


def scaled(code: VolleyCode, vectors: NDArray[np.floating]) -> VolleyCode:
    """The code with the scale of least squares, n ~ scale x, on vectors [n, d]."""
    x = np.asarray(vectors[:4000], np.float64)
    n = code.counts(code.encode(x))
    return replace(code, scale=float((n * x).sum() / (x * x).sum()))


def row(name: str, code: codes.Code, vectors: NDArray[np.floating]) -> dict[str, object]:
    """A line of the table: what a code makes of vectors, [n, d]."""
    made = fidelity(code, vectors)
    return {"code": name, "cosine": round(made.cosine, 4), "spikes": round(made.spikes, 1), "dead": round(made.dead, 4)}


def _beside(settings: Settings) -> Path | None:
    return None if settings.checkpoint is None else settings.checkpoint / "settling"


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().numpy().astype(np.float64)
