"""A time window of leaky integrate-and-fire cells, forward and backward (numba); the gradient is derived in `learn.layers`.

Arrays are [time, batch, cell], C-contiguous, and parameters [cell], all of one dtype (float32 or float64), in which every sum is made.
A call does the cells from `first` to `last`, without the GIL: threads share a window by cells, and as each cell's sums are made by one
thread in a fixed order, the result is the same to the last bit for any number of them.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikemem.kernels import CACHE

Floats = NDArray[np.floating[Any]]


@njit(cache=CACHE, nogil=True)
def forward(current: Floats, beta: Floats, theta: Floats, start: Floats, voltage: Floats, spikes: Floats, first: int, last: int) -> None:
    """Voltages and spikes of a window, written into `voltage` and `spikes`.   start: V before the first step."""
    one, zero = voltage.dtype.type(1.0), voltage.dtype.type(0.0)
    decay, threshold = beta[first:last], theta[first:last]
    for b in range(current.shape[1]):
        before = start[first:last]
        for t in range(current.shape[0]):
            i, v, s = current[t, b, first:last], voltage[t, b, first:last], spikes[t, b, first:last]
            for c in range(last - first):
                x = decay[c] * before[c] + i[c] - (threshold[c] if before[c] > threshold[c] else zero)
                v[c] = x
                s[c] = one if x > threshold[c] else zero
            before = v


@njit(cache=CACHE, nogil=True)
def backward(
    upstream: Floats,
    voltage: Floats,
    beta: Floats,
    theta: Floats,
    start: Floats,
    known: Floats,
    slope: Any,
    into: Floats,
    sums: Floats,
    first: int,
    last: int,
) -> None:
    """The gradient of a loss whose gradient by the spikes is `upstream`: by the current, written into `into`, and by beta and theta.

    The latter are added to the rows of `sums`, [2, cell], over time and batch.   known: the surrogate's derivatives; of no value for those
    of the fast sigmoid, which are computed here.   slope: of that, of the arrays' dtype.
    """
    one, zero = voltage.dtype.type(1.0), voltage.dtype.type(0.0)
    decay, threshold = beta[first:last], theta[first:last]
    by_beta, by_theta = sums[0, first:last], sums[1, first:last]
    later = np.empty(last - first, voltage.dtype)
    for b in range(voltage.shape[1]):
        later[:] = zero
        for t in range(voltage.shape[0] - 1, -1, -1):
            up, v, g = upstream[t, b, first:last], voltage[t, b, first:last], into[t, b, first:last]
            before = voltage[t - 1, b, first:last] if t else start[first:last]
            if known.size:
                near = known[t, b, first:last]
                for c in range(last - first):
                    g[c] = up[c] * near[c]
            else:
                for c in range(last - first):  # short loops, which the compiler turns into vector instructions
                    away = one + slope * abs(v[c] - threshold[c])
                    g[c] = up[c] / (away * away)
            for c in range(last - first):
                total = g[c] + decay[c] * later[c]
                by_theta[c] -= g[c] + (total if before[c] > threshold[c] else zero)
                g[c] = total
                later[c] = total
            for c in range(last - first):
                by_beta[c] += g[c] * before[c]
