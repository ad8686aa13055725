"""Functions that sweeps run in other processes, which import this file: nothing heavy is loaded here."""

import os
import signal
import time
from typing import Any

import numpy as np


def product(a: float, b: float) -> dict[str, float]:
    return {"product": a * b}


def draws(a: float, seed: int) -> dict[str, float]:
    return {"drawn": np.random.default_rng(seed).random() + a}


def failing(n: int) -> dict[str, float]:
    if n == 2:
        raise ValueError("two is too many")
    time.sleep(0.005)
    return {"twice": 2 * n}


class Unsendable(Exception):  # noqa: N818
    """An exception that pickle cannot make anew."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def unsendable(n: int) -> dict[str, float]:
    if n == 1:
        raise Unsendable("un", "sent")
    return {"square": n * n}


def slow(n: int, seconds: float) -> dict[str, float]:
    time.sleep(seconds)
    return {"square": n * n, "pid": os.getpid()}


def threads(n: int) -> dict[str, Any]:
    import torch
    from numba import config

    return {"torch": torch.get_num_threads(), "numba": config.NUMBA_NUM_THREADS, "openblas": os.environ["OPENBLAS_NUM_THREADS"]}


def killed(n: int) -> dict[str, float]:
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return {"square": n * n}
