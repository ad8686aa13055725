"""The processes of one training: this one alone, or those that `torchrun` started."""

import atexit
import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from spikemem.errors import TrainingError


@dataclass(frozen=True)
class Team:
    """The processes of one training."""

    rank: int
    size: int
    device: torch.device

    def mean(self, value: Tensor) -> float:
        """The mean of a number over the processes."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value.item() / self.size

    def any(self, flags: Tensor) -> Tensor:
        """Which flags are up in any process."""
        if self.size == 1:
            return flags
        counts = flags.int()
        distributed.all_reduce(counts)
        return counts > 0

    def first(self, value: float) -> float:
        """The number that the first process has."""
        if self.size == 1:
            return value
        sent = torch.tensor(value, device=self.device, dtype=torch.float64)
        distributed.broadcast(sent, 0)
        return sent.item()


def _started() -> bool:
    """Whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def leads() -> bool:
    """Whether this process is the first of those that torchrun started, or alone: the one that writes files and prints."""
    return not _started() or int(os.environ["RANK"]) == 0


def team_on(device: str | None) -> Team:
    """This process alone, or those that torchrun started; the device is this process's own.   device: None for CUDA where that is.

    The processes meet at the first call, and stay together until they end; at each call they wait for the first, so that what it wrote
    before is there for all.

    Raises TrainingError for a device that is not there.
    """
    kind = device_of(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if not _started():
        return Team(0, 1, kind)
    if kind.type == "cuda":
        kind = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(kind)
    if not distributed.is_initialized():
        nccl = torch.cuda.is_available() and distributed.is_nccl_available()
        distributed.init_process_group("cpu:gloo,cuda:nccl" if nccl else "gloo")
        atexit.register(_part)
    team = Team(distributed.get_rank(), distributed.get_world_size(), kind)
    team.first(0.0)
    return team


def _part() -> None:
    """End the group of processes, where nobody has ended it before."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def device_of(name: str) -> torch.device:
    """A device on which a number can be kept and read."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:  # the latter from a torch that was built without CUDA
        there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        cause = str(error).partition("\n")[0]
        raise TrainingError(f"no device {name!r} to train on; there is {', '.join(there)} ({cause})") from error
    return device
