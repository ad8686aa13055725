"""The training loop: AdamW on a cosine schedule, with checkpoints from which a killed training goes on to the same losses.

It knows nothing of tasks: a model, data, and a loss go in. Everything random in epoch e is drawn from the generators of torch, numpy
and Python, seeded from (seed, e), and the learning rate is a function of the position alone,

    lr(step, p) = lr min(1, (step + 1) / warmup) (1 + cos(pi p)) / 2        p: the part of the training that is done

so that a checkpoint between two epochs holds all there is: weights, the optimiser's moments, losses, and the number of epochs.
Loshchilov & Hutter 2017 (SGDR), 2019 (AdamW).

Started by `torchrun`, each process takes its share of each batch, and gradients are averaged (DistributedDataParallel).
"""

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from spikemem._checks import shown
from spikemem.errors import TrainingError, interruptible
from spikemem.learn import allocator
from spikemem.learn.checkpoints import State, mark, read_state, spoiled, write_state
from spikemem.learn.distributed import Team, device_of, team_on
from spikemem.learn.health import MENDS, Finding, Watch
from spikemem.learn.logs import Epoch, bar, logs
from spikemem.learn.settings import STANDARD, Settings, check

Batch = Any
Data = Sequence[Tensor] | Callable[[torch.Generator], Iterable[Batch]]
COURSE = ("of", "epochs", "batch", "lr", "weight_decay", "warmup", "clip", "seed")
"""The settings that decide a training's course: a checkpoint goes on with the same alone."""


@dataclass(frozen=True)
class History:
    """How a training went, all its restarts together.

    losses: of each step.   validation: of each epoch up to the last that had one, NaN of those that had none.
    best: the epoch, from 1, whose weights the model holds.
    health: what was wrong in the last epoch.   seconds: spent training and validating.   samples: rows trained on.
    metrics: of each epoch, by their names; of those without any an empty dict.
    """

    losses: list[float]
    validation: list[float] = field(default_factory=list)
    best: int = 0
    health: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    samples: int = 0
    metrics: list[dict[str, float]] = field(default_factory=list)


class _Step(nn.Module):
    """A model and its loss as one module, which can be compiled and shared among processes whatever the loss calls."""

    def __init__(self, model: nn.Module, loss: Callable[[nn.Module, Batch], Tensor]) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(self.model, batch)


class _Rows(Sequence[tuple[Tensor, ...]]):
    """Batches of rows of tensors, each cut from them when it is used."""

    def __init__(self, tensors: Sequence[Tensor], parts: Sequence[Tensor]) -> None:
        self.tensors, self.parts = tensors, parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, i: Any) -> Any:
        return tuple(tensor[self.parts[i]] for tensor in self.tensors)


class _Training:
    """One call of `fit`: the model, its optimiser, and what one epoch does to them."""

    def __init__(self, model: nn.Module, data: Data, loss: Callable[[nn.Module, Batch], Tensor], settings: Settings, team: Team) -> None:
        self.settings, self.team, self.data = settings, team, data
        if not callable(data) and not (isinstance(data, Sequence) and all(isinstance(part, Tensor) for part in data)):
            kind = type(data).__name__
            raise TrainingError(
                f"the data are a {kind}; give a tuple of tensors, or a function of a generator that returns batches (lambda _: loader)"
            )
        self.model = model.to(team.device)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        if not self.parameters:
            raise TrainingError("the model has no parameter to train; leave something to learn")
        self.optimiser = torch.optim.AdamW(self.parameters, settings.lr, weight_decay=settings.weight_decay, fused=True)
        course = {name: getattr(settings, name) for name in COURSE}
        if settings.checkpoint is not None and not settings.of and not callable(data):
            course["of"] = f"data {mark(*data)}"
        self.state = State(course)
        if settings.checkpoint is not None:
            self.state = read_state(settings.checkpoint, course, model, self.optimiser)
        if (name := spoiled(model, dict(model.named_parameters()))) is not None:
            raise TrainingError(f"the model's {name!r} is NaN or infinite before the first step; build it anew, or load other weights")
        self.step: Callable[[Batch], Tensor] = _Step(model, loss)
        if settings.compile:
            self.step = torch.compile(self.step)
        if team.size > 1:
            self.step = DistributedDataParallel(self.step)

    def batches(self, epoch: int) -> Sequence[Batch]:
        """The batches of an epoch that this process takes, in order."""
        generator = torch.Generator().manual_seed(_seed(self.settings.seed, epoch))
        rank, size = self.team.rank, self.team.size
        if callable(self.data):
            given = self.data(generator)
            batches = given if isinstance(given, Sequence) else list(given)
            return batches[rank : len(batches) - len(batches) % size : size]
        if not len(self.data):
            raise TrainingError("the data hold no tensor; give at least one, with a row for each sample")
        rows = len(self.data[0])
        if any(len(tensor) != rows for tensor in self.data):
            raise TrainingError(f"the data have {[len(tensor) for tensor in self.data]} rows; give each tensor the same number")
        if self.settings.batch % size:
            raise TrainingError(f"a batch of {self.settings.batch} rows cannot be shared equally by {size} processes; give a multiple")
        order = torch.randperm(rows, generator=generator)
        order = order[: rows - rows % size]
        return _Rows(self.data, [part[rank::size] for part in torch.split(order, self.settings.batch) if len(part)])

    def epoch(self, tell: Callable[[int, int], None], watch: Watch) -> float:
        """Train for one epoch, and return its last learning rate.   tell: takes steps done, and all."""
        state, settings = self.state, self.settings
        _sow(_seed(settings.seed, state.epoch, self.team.rank), self.team.device)
        batches = self.batches(state.epoch)
        if not len(batches):
            raise TrainingError("the data hold no batch; give more rows, or fewer processes")
        rate = 0.0
        for i in range(len(batches)):
            rate = settings.rate(len(state.losses), (state.epoch + i / len(batches)) / settings.epochs)
            self.optimiser.param_groups[0]["lr"] = rate
            self.optimiser.zero_grad()
            batch = moved(batches[i], self.team.device)
            with torch.autocast(self.team.device.type, torch.bfloat16, enabled=settings.amp and self.team.device.type == "cuda"):
                value = self.step(batch)
            if not (isinstance(value, Tensor) and value.ndim == 0 and value.requires_grad):
                raise TrainingError("the loss must be one number that depends on the model's parameters, as a tensor with a gradient")
            value.backward()  # type: ignore[no-untyped-call]
            watch.step()
            norm = nn.utils.clip_grad_norm_(self.parameters, settings.clip).item()
            loss = self.team.mean(value.detach())
            if not (math.isfinite(loss) and math.isfinite(norm)):
                cause = f"step {i + 1} of epoch {state.epoch + 1}: the loss is {loss}, the gradient's norm {norm}"
                mend = f"See that the data are finite; if they are, {MENDS['exploding state']}"
                raise TrainingError(f"{cause}; the weights are those before it. {mend}")
            self.optimiser.step()
            state.losses.append(loss)
            state.samples += _rows(batch) * self.team.size
            tell(state.epoch * len(batches) + i + 1, settings.epochs * len(batches))
        state.epoch += 1
        return rate

    @property
    def best(self) -> int:
        """The epoch, from 1, of the best validation; without one, the last."""
        validation = self.state.validation
        return 1 + int(np.nanargmin(validation)) if validation and not np.isnan(validation).all() else self.state.epoch

    def validated(self, validate: Callable[[nn.Module], float]) -> None:
        """Note what the first process measures, and the weights where it is the best so far."""
        self.model.eval()
        with torch.no_grad():
            value = self.team.first(_number(validate(self.model)) if self.team.rank == 0 else 0.0)
        if math.isnan(value):
            raise TrainingError(f"`validate` gave no number after epoch {self.state.epoch}; it must give one, lower is better")
        self.model.train()
        self.state.validation += [math.nan] * (self.state.epoch - 1 - len(self.state.validation)) + [value]
        if self.best == self.state.epoch:
            self.state.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def measured(self, metrics: Callable[[nn.Module], Mapping[str, float]]) -> None:
        """Note what the metrics say of the model, in every process, since some are made to be shared among them."""
        self.model.eval()
        with torch.no_grad():
            found = {name: _number(value) for name, value in check.named(metrics(self.model), "what `metrics` gave", "numbers").items()}
        self.model.train()
        self.state.metrics += [{} for _ in range(self.state.epoch - 1 - len(self.state.metrics))] + [found]

    @property
    def ended(self) -> bool:
        patience = self.settings.patience
        impatient = patience is not None and bool(self.state.validation) and self.state.epoch - self.best > patience
        reached = self.settings.target is not None and np.nanmin([math.inf, *self.state.validation]) <= self.settings.target
        return self.state.epoch >= self.settings.epochs or impatient or reached


@interruptible()
def fit(
    model: nn.Module,
    data: Data,
    loss: Callable[[nn.Module, Batch], Tensor],
    settings: Settings = STANDARD,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    metrics: Callable[[nn.Module], Mapping[str, float]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:
    """Train a model in place; at the end it holds the weights of the best epoch, and is on the device on which it was trained.

    data: tensors with a row for each sample, shuffled and cut into batches (a batch is a tuple of tensors); or a function that gives an
    epoch's batches, called with the epoch's seeded generator. Tensors in a batch are moved to the device. Of several processes each
    takes equal shares of a batch of rows, so that up to one row less than there are processes is left out of an epoch; of batches from a
    function each takes whole ones in turn. Memory that is freed stays with the process from then on (`allocator.keep`).
    loss: of the model on a batch, a mean over its rows.   validate: a number, lower is better, after each epoch, without gradients.
    metrics: numbers by their names, measured likewise and kept beside, such as a `Scores`; they decide nothing.
    progress: called with the steps done, and all; without one a bar shows on a terminal.   on_epoch: called after each epoch, in the
    first process.

    Raises TrainingError where a parameter is not finite at the start, the loss or its gradient is no longer finite, settings and data do
    not fit, or the device is not there.
    """
    _check(model, settings, loss, validate=validate, metrics=metrics, progress=progress, on_epoch=on_epoch)
    team = team_on(settings.device)
    allocator.keep()
    with ExitStack() as stack:
        stack.enter_context(_own_random_numbers(team.device))
        stack.enter_context(_flushed())
        training = _Training(model, data, loss, settings, team)
        leads = team.rank == 0
        tell = progress if progress is not None and leads else stack.enter_context(bar(leads))
        log = stack.enter_context(logs(settings.tensorboard if leads else None, len(training.state.losses)))
        watch = stack.enter_context(Watch(model))
        health: list[Finding] = []
        stack.callback(model.train, model.training)
        model.train()
        while not training.ended:
            start, state = time.perf_counter(), training.state
            before = len(state.losses)
            rate = training.epoch(tell, watch)
            health = watch.findings(team.any)
            if validate is not None:
                training.validated(validate)
            if metrics is not None:
                training.measured(metrics)
            state.seconds += time.perf_counter() - start
            if leads:
                mean = sum(state.losses[before:]) / (len(state.losses) - before)
                valid, found = (None if validate is None else state.validation[-1]), ({} if metrics is None else state.metrics[-1])
                made = Epoch(state.epoch, mean, valid, rate, health, found)
                log(made, state.losses[before:])
                if settings.checkpoint is not None:
                    write_state(settings.checkpoint, state, model, training.optimiser)
                if on_epoch is not None:
                    on_epoch(made)
    state = training.state
    if state.best is not None:
        model.load_state_dict(state.best)
    return History(state.losses, state.validation, training.best, health, state.seconds, state.samples, state.metrics)


def _check(model: object, settings: Settings, loss: object, **optional: object) -> None:
    """TrainingError where an argument of `fit` is none."""
    check.instance(model, "model", nn.Module, "give a torch module")
    check.instance(settings, "settings", Settings, "give spikemem.learn.Settings(...)")
    for name, function in {"loss": loss, **optional}.items():
        if not callable(function) and (function is not None or name == "loss"):
            raise TrainingError(f"{name} is {shown(function)}; it must be a function")
    if optional["validate"] is None and (settings.patience is not None or settings.target is not None):
        raise TrainingError("patience and target are about the validation, and there is none; give `validate`, or leave them out")


@contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[None]:
    """A context that leaves the random numbers of its caller, of torch (on the CPU and the device), numpy and Python, as they were."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


@contextmanager
def _flushed() -> Iterator[None]:
    """Denormal numbers as 0, in this thread: gradients of saturated cells are such, and a processor is many times slower on them."""
    smallest = torch.full((1,), 1e-40)
    kept = bool((smallest * 1.0 != 0).item())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(not kept)


def _number(measured: Any) -> float:
    """What a validation gave as a number; NaN where it gave none."""
    try:
        return float(measured)
    except (TypeError, ValueError, RuntimeError):
        return math.nan


def _sow(seed: int, device: torch.device) -> None:
    """Seed the generators that a training draws from, and no other: `torch.manual_seed` would reach those of every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _seed(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def moved(batch: Batch, device: torch.device) -> Batch:
    """A batch with its tensors on the device."""
    device = device if isinstance(device, torch.device) else device_of(check.text(device, "device"))
    match batch:
        case Tensor():
            return batch.to(device, non_blocking=True)
        case tuple() if hasattr(batch, "_fields"):
            return type(batch)(*(moved(part, device) for part in batch))
        case tuple() | list():
            return type(batch)(moved(part, device) for part in batch)
        case dict():
            return {name: moved(part, device) for name, part in batch.items()}
    return batch


def _rows(batch: Batch) -> int:
    """The rows of a batch: the length of its first tensor, or 1."""
    match batch:
        case Tensor():
            return len(batch)
        case tuple() | list():
            return _rows(batch[0]) if batch else 0
        case dict():
            return _rows(next(iter(batch.values()), None))
    return 1
