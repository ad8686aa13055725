"""One step of each neuron model and of its receptors, compiled for the CPU (numba); `network.neurons` has the equations.

Shapes: state [field, batch, cell], as `CompiledStep.fields` names the fields; spikes bool, [batch, cell], those of the step before, and
then of this one; current [batch, cell]; conductance [batch, cell], or of size 0 where there is none.
"""

import math

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.types import F64, Bools

Constants = tuple[float, ...]
SHORT = 0.25
"""Up to here the series of `decay` ends at its eleventh power; what is left out, .25^12 / 12!, is about half a unit in the last place."""
S2, S3, S4, S5, S6, S7, S8, S9, S10, S11 = (1.0 / math.factorial(n) for n in range(2, 12))


@njit(cache=CACHE, inline="always")
def decay(x: float) -> float:
    """exp(-x); in short steps, where |x| is small, by its series, which is cheaper than the library's function, to within 2^-52."""
    if not -SHORT <= x <= SHORT:
        return math.exp(-x)
    y, s = -x, x * x
    late = (S6 + S7 * y) + s * (S8 + S9 * y) + s * s * (S10 + S11 * y)
    return 1.0 + (y + s * ((S2 + S3 * y) + s * (S4 + S5 * y) + s * s * late))


@njit(cache=CACHE)
def gather(
    arriving: F64, traces: F64, rising: F64, gamma: F64, share: F64, rise: F64, reversal: F64, current: F64, conductance: F64
) -> None:
    """One step of receptors: what they let through as a current, and as a conductance, in place.

    arriving: [1 + receptor, batch, cell], the first of them a current as it is.   traces, rising: J and what J rises by, [receptor, batch,
    cell].   gamma, share, rise: [receptor, 1 or cell], reversal: [receptor], see `CompiledReceptors`.   current, conductance: written,
    [batch, cell].
    """
    receptors, batch, cells = traces.shape
    own = gamma.shape[1] > 1
    for b in range(batch):
        for c in range(cells):
            current[b, c] = arriving[0, b, c]
        if conductance.size:
            for c in range(cells):
                conductance[b, c] = 0.0
        for r in range(receptors):
            fades, step, counts, towards = gamma[r, 0], rise[r, 0], share[r, 0], reversal[r]
            opens, rises = not math.isnan(towards), step > 0.0
            for c in range(cells):
                if own:
                    fades, step, counts = gamma[r, c], rise[r, c], share[r, c]
                if rises:
                    j = fades * (traces[r, b, c] + step * rising[r, b, c])
                    rising[r, b, c] = fades * rising[r, b, c] + math.e * arriving[1 + r, b, c]
                else:
                    j = fades * traces[r, b, c] + arriving[1 + r, b, c]
                traces[r, b, c] = j
                if opens:
                    conductance[b, c] += j
                    current[b, c] += j * towards
                else:
                    current[b, c] += counts * j


@njit(cache=CACHE)
def lif(state: F64, spikes: Bools, current: F64, conductance: F64, constants: Constants) -> None:
    """`LIF`, with reset to a value or by subtraction, refractoriness and conductances; fields V, refractory steps left."""
    beta, gain, theta, reset, rest, rho, rate = constants
    subtract, opens, each = np.isnan(reset), conductance.size > 0, state.shape[0] > 1
    batch, cells = spikes.shape
    for b in range(batch):
        for c in range(cells):
            v, spiked, left = state[0, b, c], spikes[b, c], 0.0
            if each:
                left = rest if spiked else max(state[1, b, c] - 1.0, 0.0)
                state[1, b, c] = left
            if spiked and not subtract:
                v = reset
            if left > 0.0:
                state[0, b, c] = v - theta if spiked and subtract else v
                spikes[b, c] = False
                continue
            if opens:
                wide = 1.0 + rho * conductance[b, c]
                kept = decay(rate * wide)
                v = kept * v + rho * (1.0 - kept) / wide * current[b, c]
            else:
                v = beta * v + gain * current[b, c]
            if spiked and subtract:
                v -= theta
            state[0, b, c], spikes[b, c] = v, v > theta


@njit(cache=CACHE)
def alif(state: F64, spikes: Bools, current: F64, conductance: F64, constants: Constants) -> None:
    """`ALIF`, with conductances; fields V, b, refractory steps left."""
    beta, rho, theta, jump, resistance, rest, gain, rate = constants
    opens, (batch, cells) = conductance.size > 0, spikes.shape
    for b in range(batch):
        for c in range(cells):
            spiked = 1.0 if spikes[b, c] else 0.0
            adaptation = rho * state[1, b, c] + (1.0 - rho) * spiked
            limit = theta + jump * adaptation
            if opens:
                wide = 1.0 + gain * conductance[b, c]
                decay = math.exp(-rate * wide)
                v = decay * state[0, b, c] + gain * (1.0 - decay) / wide * current[b, c] - limit * spiked
            else:
                v = beta * state[0, b, c] + resistance * current[b, c] - limit * spiked
            left = rest if spikes[b, c] else max(state[2, b, c] - 1.0, 0.0)
            state[0, b, c], state[1, b, c], state[2, b, c] = v, adaptation, left
            spikes[b, c] = v > limit and not left > 0.0


@njit(cache=CACHE)
def adex(state: F64, spikes: Bools, current: F64, conductance: F64, constants: Constants) -> None:
    """`AdEx`; fields V, w, refractory steps left."""
    step, leak, rest, threshold, slope, peak, reset, share, a, jump, refractory = constants
    opens, (batch, cells), steep, grows = conductance.size > 0, spikes.shape, 1.0 / slope, leak * slope
    for b in range(batch):
        for c in range(cells):
            spiked = spikes[b, c]
            v = reset if spiked else state[0, b, c]
            w = state[1, b, c] + (jump if spiked else 0.0)
            left = refractory if spiked else max(state[2, b, c] - 1.0, 0.0)
            above = v - rest
            state[1, b, c], state[2, b, c] = w + share * (a * above - w), left
            if left > 0.0:
                state[0, b, c], spikes[b, c] = v, False
                continue
            inward = grows * math.exp((v - threshold) * steep) - leak * above
            total = inward - w + current[b, c]
            if opens:
                total -= conductance[b, c] * v
            v += step * total
            spikes[b, c] = v > peak
            state[0, b, c] = min(v, peak)


@njit(cache=CACHE)
def izhikevich(state: F64, spikes: Bools, current: F64, conductance: F64, constants: Constants) -> None:
    """`Izhikevich`; fields v, u."""
    dt, a, b_, c_, d, peak, square, linear, constant, half = constants
    opens, (batch, cells) = conductance.size > 0, spikes.shape
    for b in range(batch):
        for c in range(cells):
            spiked = spikes[b, c]
            v = c_ if spiked else state[0, b, c]
            u = state[1, b, c] + (d if spiked else 0.0)
            open_ = conductance[b, c] if opens else 0.0
            i = current[b, c]
            v += half * (square * (v * v) + linear * v + constant - u + (i - open_ * v))
            v += half * (square * (v * v) + linear * v + constant - u + (i - open_ * v))
            spikes[b, c] = v >= peak
            state[0, b, c], state[1, b, c] = min(v, peak), u + dt * a * (b_ * v - u)


@njit(cache=CACHE)
def integrator(state: F64, spikes: Bools, current: F64, conductance: F64, constants: Constants) -> None:
    """`LeakyIntegrator`; field V."""
    beta, resistance = constants
    batch, cells = spikes.shape
    for b in range(batch):
        for c in range(cells):
            state[0, b, c] = beta * state[0, b, c] + resistance * current[b, c]
