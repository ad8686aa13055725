"""How to train: steps, rates, and where a training is kept."""

import math
from dataclasses import dataclass
from pathlib import Path

from spikemem._checks import Checks
from spikemem.errors import TrainingError

check = Checks(TrainingError)


@dataclass(frozen=True)
class Settings:
    """How to train.

    batch: rows in a step, over all processes.   lr: the highest learning rate.   weight_decay: AdamW's.   warmup: steps.
    clip: the gradient's largest norm; math.inf for any.   device: where there is none, CUDA where that is, else the CPU.
    amp: bf16 autocast, on CUDA alone.   compile: torch.compile.   patience: epochs without a better validation after which to stop.
    target: a validation that is good enough to stop.
    checkpoint: a folder, in which a training that stopped goes on.   tensorboard: a folder for logs.
    of: what is learned, from what, in words; the recipes set it. A checkpoint of something else is refused. By default a mark of
        the data; where a function gives the batches, nothing: name them, or they cannot be distinguished from others.

    Raises TrainingError for a value out of its range.
    """

    epochs: int = 20
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 0
    clip: float = 1.0
    seed: int = 0
    device: str | None = None
    amp: bool = True
    compile: bool = False
    patience: int | None = None
    target: float | None = None
    checkpoint: Path | None = None
    tensorboard: Path | None = None
    of: str = ""

    def __post_init__(self) -> None:
        for name in ("checkpoint", "tensorboard"):
            if (folder := getattr(self, name)) is not None:
                self._set(name, check.path(folder, name))
        for name, least in (("epochs", 1), ("batch", 1), ("warmup", 0)):
            self._set(name, check.integer(getattr(self, name), name, least=least))
        self._set("seed", check.seed(self.seed))
        if self.patience is not None:
            self._set("patience", check.integer(self.patience, "patience", least=0))
        self._set("lr", check.finite(self.lr, "lr", above=0))
        self._set("weight_decay", check.finite(self.weight_decay, "weight_decay", least=0))
        self._set("clip", check.number(self.clip, "clip", above=0))
        if self.target is not None:
            self._set("target", check.number(self.target, "target"))
        for name in ("amp", "compile"):
            self._set(name, check.flag(getattr(self, name), name))
        if self.device is not None:
            check.text(self.device, "device")
        check.instance(self.of, "of", str, "say in words what is learned from what")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the dataclass is frozen

    def rate(self, step: int, done: float) -> float:
        """The learning rate of a step.   done: the part of the training before it, 0 to 1."""
        return self.lr * min(1.0, (step + 1) / max(self.warmup, 1)) * (1.0 + math.cos(math.pi * done)) / 2.0


STANDARD = Settings()
