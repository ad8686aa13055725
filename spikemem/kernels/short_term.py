"""Short-term plasticity on the CPU (numba), which visits only the cells that spiked: see `network.short_term`."""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.types import F64, I64


@njit(cache=CACHE)
def release(events: I64, first: int, step: int, last: I64, u: F64, x: F64, increment: float, facil: float, rec: float) -> F64:
    """What each event releases, u x, [event], with its effects on u, x and `last`, [batch, cell], in place; 0 where its rank is `first` on.

    last: the step at which u and x stand, before `step`.   increment: U.   facil, rec: dt / tau; infinity where tau is 0.
    """
    amount = np.zeros(events.shape[0])
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            b, c = events[e, 0], events[e, 1]
            past = step - last[b, c]
            now, available = u[b, c] * np.exp(-past * facil), 1.0 - (1.0 - x[b, c]) * np.exp(-past * rec)
            now += increment * (1.0 - now)
            amount[e] = now * available
            u[b, c], x[b, c], last[b, c] = now, available - amount[e], step
    return amount
