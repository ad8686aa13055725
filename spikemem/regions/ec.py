"""Entorhinal cortex: a vector as spike counts of ON and OFF cells, and back.

    I_on = s max(x, 0) / T,  I_off = s max(-x, 0) / T   for T steps, from V = 1/2;    n = spikes_on - spikes_off ~ round(s x)
    x^ = n / s,                                        s = charge sqrt(d)

The cells do not leak, so that a cell's count is its charge, rounded; T = 8 steps of current, at most 11 spikes. Superficial EC (`ec`)
takes the cue; deep EC (`ec_deep`) receives the answer from the subiculum; `replay` carries the answer back to `ec` when theta allows.
ON cells are 0 to d - 1, OFF cells d to 2d - 1. DG needs less precision than CA1: in a model with a layer II of its own the stellate cells
`ec_two` fire once for every few spikes of layer III, `ec`, and drive DG in its place.

    n_two = round(g n),                                g = layer_two
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import VectorError
from spikemem.kernels import circuit
from spikemem.network import CycleReset, Network, Population
from spikemem.neurons import LIF
from spikemem.regions.rhythm import BACK, CUE_STEPS, DT, GAMMA, GRID, WINDOW, Gamma, Mode
from spikemem.spec import ECSpec
from spikemem.synapses import Dense, one_to_one

HALF = 0.5
"""A tonic half threshold at the start of each volley: spike counts round instead of rounding down."""
HOLD = 2.0**10
PERFECT = LIF(tau=math.inf, threshold=1.0)
"""The circuit's cells: reset by inhibition in each gamma cycle, so that the leak of 25 ms is neglected."""


def unit(vectors: object, dim: int) -> NDArray[np.float32]:
    """Vectors as unit-length float32, [n, d]; a single vector becomes [1, d].

    Raises VectorError where they are no finite, non-zero numbers of that dimension.
    """
    try:
        x = np.asarray(vectors)
        if x.dtype.kind not in "fiu":
            raise VectorError(f"vectors must be real numbers of shape [n, {dim}], not {x.dtype}")
        x = x.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise VectorError(f"vectors must be numbers of shape [n, {dim}]: {error}") from error
    x = x[None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[1] != dim:
        raise VectorError(f"vectors have shape {x.shape}; expected [n, {dim}] (ec.dim of the model)")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if len(bad):
        raise VectorError(f"vector {bad[0]} holds NaN or infinity; leave it out or mend its embedding")
    with np.errstate(over="ignore"):
        x = x / np.maximum(np.abs(x).max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float64).tiny)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    if len(x) and norm.min() == 0:
        raise VectorError(f"vector {int(norm.argmin())} is zero; it has no direction to remember")
    return (x / norm).astype(np.float32)


def scale(spec: ECSpec) -> float:
    """s: spikes of a cell for a component of 1 (a unit vector's root mean square is 1 / sqrt(d))."""
    return spec.charge * math.sqrt(spec.dim)


def current(spec: ECSpec, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The cue current of a step, float64, [n, 2d]."""
    drive = vectors.astype(np.float64) * (scale(spec) / CUE_STEPS)
    return np.concatenate([np.maximum(drive, 0.0), np.maximum(-drive, 0.0)], axis=1)


def encode(spec: ECSpec, vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """The spike counts of a cue volley, ON minus OFF, int8, [n, d], by running the cells' own equation."""
    return circuit.ec_counts(current(spec, vectors), HALF, CUE_STEPS, WINDOW)


def decode(spec: ECSpec, counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """The vector that spike counts stand for, float64, [n, d]."""
    return counts / scale(spec)


def signed(counts: NDArray[np.integer]) -> NDArray[np.integer]:
    """Counts of ON and OFF cells, [..., 2d], as ON minus OFF, [..., d]."""
    d = counts.shape[-1] // 2
    return counts[..., :d] - counts[..., d:]


def layer_two(spec: ECSpec, counts: NDArray[np.int8]) -> NDArray[np.int8]:
    """What layer II makes of layer III's signed counts: those of cells that integrate them with gain g from V = 1/2."""
    if spec.layer_two == 1:
        return counts
    charge = np.abs(counts.astype(np.float64)) * layer_two_gain(spec) + HALF
    return (np.sign(counts) * (np.ceil(charge) - 1)).astype(np.int8)


def layer_two_gain(spec: ECSpec) -> float:
    """g on the grid of synaptic weights."""
    return round(spec.layer_two / GRID) * GRID


def perforant_source(spec: ECSpec) -> str:
    """The population that drives DG."""
    return "ec" if spec.layer_two == 1 else "ec_two"


def push_pull(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Synapses from ON and OFF cells, [2d, post], for weights on signed counts, [d, post]."""
    return np.concatenate([weights, -weights], axis=0).astype(np.float64)


def build(net: Network, spec: ECSpec) -> None:
    """Add `ec`, `ec_deep` and `replay`, and `ec_two` where it is a layer of its own."""
    for name in dict.fromkeys(("ec", perforant_source(spec), "ec_deep", "replay")):
        net.add(Population(name, 2 * spec.dim, PERFECT, CycleReset(GAMMA * DT)))
    net.connect("replay", "ec", one_to_one(1.0))
    if spec.layer_two != 1:
        net.connect("ec", "ec_two", one_to_one(layer_two_gain(spec)))


def connect_answer(net: Network, contents: NDArray[np.int8]) -> None:
    """The subiculum's synapses onto deep EC: its cell j makes it fire contents[j], int8, [index cell, d]."""
    synapses = Dense(np.concatenate([np.maximum(contents, 0), np.maximum(-contents, 0)], axis=1).astype(np.float64))
    for name in ("ec_deep", "replay"):
        net.connect("sub", name, synapses, delay=BACK)


def stimulus(spec: ECSpec, protocol: list[Gamma], vectors: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """External currents of `ec` [time, n, 2d], of `ec_two`, `ec_deep` and `replay` [time] over a protocol."""
    cue = np.zeros((GAMMA, len(vectors), 2 * spec.dim))
    cue[:CUE_STEPS] = current(spec, vectors)
    cue[0] += HALF
    cue[WINDOW] -= HOLD
    replay = np.zeros_like(cue)
    replay[0] = HALF
    replay[WINDOW + 2] -= HOLD  # by the relay's synapse and by the subiculum's last release it comes up to two steps later
    closed = np.zeros_like(cue)
    closed[0] = -HOLD
    of_mode = {Mode.CUE: cue, Mode.REPLAY: replay, Mode.HOP: closed, Mode.QUIET: closed}
    deep, shut = np.zeros(GAMMA), np.zeros(GAMMA)
    deep[0], shut[0] = HALF, -HOLD
    tonic = {name: np.concatenate([deep for _ in protocol]) for name in ("ec_deep", "ec_two")[: 1 if spec.layer_two == 1 else 2]}
    return {
        "ec": np.concatenate([of_mode[g.mode] for g in protocol]),
        **tonic,
        "replay": np.concatenate([deep if g.mode is Mode.REPLAY else shut for g in protocol]),
    }
