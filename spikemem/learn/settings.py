"""How to train: steps, rates, and where a training is kept."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikemem.errors import TrainingError

LARGEST_SEED = 2**63 - 1
"""Of torch's generators."""


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
                if not isinstance(folder, str | Path):
                    raise TrainingError(f"{name} is {folder!r}; it must be a folder")
                object.__setattr__(self, name, Path(folder))
        for name, least in (("epochs", 1), ("batch", 1), ("warmup", 0), ("seed", 0), ("patience", 0)):
            value = getattr(self, name)
            if value is None and name == "patience":
                continue
            if not isinstance(value, int | np.integer):
                raise TrainingError(f"{name} is {value!r}; it must be a whole number")
            if value < least:
                raise TrainingError(f"{name} is {value}; it must be at least {least}")
        if self.seed > LARGEST_SEED:
            raise TrainingError(f"seed is {self.seed}; it must be at most {LARGEST_SEED}")
        for name in ("lr", "weight_decay", "clip", "target"):
            value = getattr(self, name)
            if not (isinstance(value, int | float | np.integer | np.floating) or (value is None and name == "target")):
                raise TrainingError(f"{name} is {value!r}; it must be a number")
        if not 0 < self.lr < math.inf:
            raise TrainingError(f"lr is {self.lr}; it must be finite, and above 0")
        if not 0 <= self.weight_decay < math.inf:
            raise TrainingError(f"weight_decay is {self.weight_decay}; it must be finite, and at least 0")
        if not self.clip > 0:
            raise TrainingError(f"clip is {self.clip}; it must be above 0 (math.inf for no clipping)")
        if self.target is not None and math.isnan(self.target):
            raise TrainingError("target is nan; it must be a number, or None to train to the end")

    def rate(self, step: int, done: float) -> float:
        """The learning rate of a step.   done: the part of the training before it, 0 to 1."""
        return self.lr * min(1.0, (step + 1) / max(self.warmup, 1)) * (1.0 + math.cos(math.pi * done)) / 2.0


STANDARD = Settings()
