"""What a training tells while it runs: a bar on a terminal, and logs for TensorBoard."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from spikemem.errors import MissingExtraError, TrainingError
from spikemem.learn.health import Finding


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave, for `on_epoch`.

    number: from 1.   loss: the mean over its steps.   rate: the last learning rate.   metrics: by their names.
    """

    number: int
    loss: float
    validation: float | None
    rate: float
    health: list[Finding]
    metrics: dict[str, float] = field(default_factory=dict)


@contextmanager
def bar(show: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not (show and sys.stderr.isatty())) as progress:
        task = progress.add_task("training", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def logs(folder: Path | None, step: int) -> Iterator[Callable[[Epoch, Sequence[float]], None]]:
    """A function that writes an epoch and its steps' losses to TensorBoard, from a step on; nothing without a folder."""
    if folder is None:
        yield lambda epoch, losses: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(f'logs for TensorBoard need the "train" extra: pip install "spikemem[train]" ({error})') from error
    try:
        writer: Any = SummaryWriter(folder, purge_step=step or None)
    except OSError as error:
        raise TrainingError(f"no logs can be written to the folder {folder} ({error}); give another") from error

    def write(epoch: Epoch, losses: Sequence[float]) -> None:
        nonlocal step
        for loss in losses:
            writer.add_scalar("loss", loss, step)
            step += 1
        writer.add_scalar("learning rate", epoch.rate, step)
        if epoch.validation is not None:
            writer.add_scalar("validation", epoch.validation, step)
        for name, value in epoch.metrics.items():
            writer.add_scalar(f"metric/{name}", value, step)
        for finding in epoch.health:
            writer.add_scalar(f"{finding.name}/{finding.layer}", finding.value, step)
        writer.flush()

    try:
        yield write
    finally:
        writer.close()
