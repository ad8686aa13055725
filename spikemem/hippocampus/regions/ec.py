"""Entorhinal cortex: encodes a vector in spikes of ON and OFF cells, and decodes them, by a `codes.VolleyCode`, analytic or trained.

    n = sum over t of m[t] (S_on[t] - S_off[t]) ~ round(s x),          x^ = n / s

n, whole numbers of at most 11, is all that reaches the regions behind EC. In the analytic code m = 1, and n is a spike count; a trained
code has other m, by which the synapses of `ec` weigh a spike (`efficacy`), and makes the same n of fewer spikes. Superficial EC (`ec`)
takes the cue; deep EC (`ec_deep`) receives the answer from the subiculum, n spikes a cell; `replay` carries the answer back when theta
allows, through `ec` or, past a trained `ec`, in its place.
ON cells are 0 to d - 1, OFF cells d to 2d - 1. DG needs less precision than CA1: in a model with a layer II of its own the stellate cells
`ec_two` fire once for every few spikes of layer III, `ec`, and drive DG in its place.

    n_two = round(g n),                                g = layer_two
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import SpecError, VectorError
from spikemem.hippocampus.codes import HALF, WINDOW, VolleyCode, on_off, overshoot, signed
from spikemem.hippocampus.damage import LOST
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.rhythm import BACK, DT, GAMMA, GRID, Mode, RecallSchedule
from spikemem.hippocampus.spec import ECSpec, ModelSpec, weights_file
from spikemem.kernels import circuit
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.synapses import Dense, Synapses, one_to_one
from spikemem.simulators.recording import Recording

HOLD = 2.0**10
"""Inhibition beyond any drive of EC."""
PERFECT = LIF(tau=math.inf, threshold=1.0)
"""The circuit's cells: reset by inhibition in each gamma cycle, so that the leak of 25 ms is neglected."""


def unit(vectors: object, dim: int) -> NDArray[np.float32]:
    """Vectors as unit-length float32, [n, d]; a single vector becomes [1, d].

    Raises VectorError where they are no finite, non-zero numbers of that dimension.
    """
    x = Checks(VectorError).array(vectors, f"vectors, [n, {dim}]", "fiu", finite=False).astype(np.float64)
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


@cache
def code(spec: ECSpec) -> VolleyCode:
    """The model's code of a vector as spikes; SpecError where its weights are for vectors of another dimension, or would not fit."""
    if spec.weights is None:
        return on_off(spec.dim, spec.charge)
    made = VolleyCode.load(weights_file(spec.weights))
    if made.dim != spec.dim or made.steps > WINDOW:
        raise SpecError(
            f"ec.weights {spec.weights!r} are for {made.dim} dimensions and {made.steps} steps; the model has dim {spec.dim} and time for "
            f"{WINDOW} steps"
        )
    return made


def scale(spec: ECSpec) -> float:
    """s: n for a component of 1 (a unit vector's root mean square is 1 / sqrt(d))."""
    return code(spec).scale


def charge(spec: ECSpec) -> float:
    """n for a component of root-mean-square size."""
    return spec.charge if spec.weights is None else scale(spec) / math.sqrt(spec.dim)


@cache
def rounding(spec: ECSpec) -> float:
    """The most by which n may exceed s x, by rounding."""
    return HALF if spec.weights is None else overshoot(code(spec))


def volley(spec: ECSpec, vectors: NDArray[np.float32], lost: NDArray[np.bool_] | None = None) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Encode vectors, [n, d]: n, and the spikes of each dimension's two cells, int8, [n, d] each; by the cells' own equation.

    lost: cells that are, [2d].
    """
    c = code(spec)
    common = np.broadcast_to(c.common, (c.steps, 2 * spec.dim))
    if lost is not None:
        common = common - LOST * lost
    return circuit.ec_counts(c.drive(vectors), c.profile, common, c.cell.beta(DT), c.efficacy)


def encode(spec: ECSpec, vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """n of a cue's volley, int8, [n, d]."""
    return volley(spec, vectors)[0]


def decode(spec: ECSpec, counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """The vector that n stands for, float64, [n, d]."""
    return counts / scale(spec)


def counted(spec: ECSpec, recording: Recording) -> NDArray[np.integer]:
    """n of each cue, [n, d], read from the spikes of `ec` in the first gamma cycle."""
    fired, counts = recording["ec"], np.zeros((recording.batches, 2 * spec.dim))
    early = fired.step < GAMMA
    np.add.at(counts, (fired.batch[early], fired.cell[early]), np.array(efficacy(spec))[fired.step[early]])
    return signed(counts.astype(np.int64))


def said(recording: Recording) -> NDArray[np.int64]:
    """What deep EC says in each gamma cycle, n, [n, cycle, d]."""
    deep = recording["ec_deep"]
    counts = np.zeros((recording.batches, recording.steps // GAMMA, deep.size), np.int64)
    np.add.at(counts, (deep.batch, deep.step // GAMMA, deep.cell), 1)
    return signed(counts).astype(np.int64)


def layer_two(spec: ECSpec, counts: NDArray[np.int8]) -> NDArray[np.int8]:
    """Layer II's signed spike counts for layer III's, int8, [n, d]: its cells integrate them with gain g from V = 1/2."""
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


def efficacy(spec: ECSpec) -> tuple[float, ...]:
    """The weight of a spike of `ec` by its step in the gamma cycle, [GAMMA]; 0 where the code has none."""
    m = code(spec).efficacy
    return (*m.tolist(), *[0.0 if spec.weights else 1.0] * (GAMMA - len(m)))


def connect(net: Network, spec: ECSpec, post: str, synapses: Synapses) -> None:
    """Connect EC to a population, which is then driven by n, through synapses of shape [2d, post]."""
    if spec.weights is None:
        net.connect("ec", post, synapses)
        return
    net.connect("ec", post, synapses, efficacy=efficacy(spec))
    net.connect("replay", post, synapses)


def connect_perforant(net: Network, spec: ECSpec, synapses: Synapses) -> None:
    """The perforant path onto DG, by synapses of shape [2d, dg]."""
    if spec.layer_two == 1:
        connect(net, spec, "dg", synapses)
    else:
        net.connect(perforant_source(spec), "dg", synapses)


def connect_answer(net: Network, contents: NDArray[np.int8]) -> None:
    """The subiculum's synapses onto deep EC: its cell j makes it fire contents[j], int8, [index cell, d]."""
    synapses = Dense(np.concatenate([np.maximum(contents, 0), np.maximum(-contents, 0)], axis=1).astype(np.float64))
    for name in ("ec_deep", "replay"):
        net.connect("sub", name, synapses, delay=BACK)


class EC:
    """Superficial and deep entorhinal cortex with the relay between them: `ec`, `ec_two` where layer II is apart, `ec_deep`, `replay`."""

    name = "ec"

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec.ec

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add its populations; CA1, built later, connects the answer (`connect_answer`)."""
        spec = self.spec
        for name in dict.fromkeys(("ec", perforant_source(spec), "ec_deep", "replay")):
            cell = code(spec).cell if name == "ec" else PERFECT
            net.add(Population(name, 2 * spec.dim, cell, CycleReset(GAMMA * DT)))
        if spec.weights is None:
            net.connect("replay", "ec", one_to_one(1.0))
        if spec.layer_two != 1:
            connect(net, spec, "ec_two", one_to_one(layer_two_gain(spec))(2 * spec.dim, 2 * spec.dim))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External currents of `ec` [time, n, 2d], of `ec_two`, `ec_deep` and `replay` [time]."""
        c, spec, protocol = code(self.spec), self.spec, drive.protocol
        cue = np.zeros((GAMMA, len(drive.vectors), 2 * spec.dim))
        cue[: c.steps] = c.current(drive.vectors)
        cue[c.steps] -= HOLD
        relay = np.zeros_like(cue)
        relay[0] = HALF
        relay[WINDOW + 2] -= HOLD  # by the relay's synapse and by the subiculum's last release it comes up to two steps later
        closed = np.zeros_like(cue)
        closed[0] = -HOLD
        of_mode = {Mode.CUE: cue, Mode.REPLAY: relay if spec.weights is None else closed, Mode.HOP: closed, Mode.QUIET: closed}
        deep, shut = np.zeros(GAMMA), np.zeros(GAMMA)
        deep[0], shut[0] = HALF, -HOLD
        tonic = {name: np.concatenate([deep for _ in protocol]) for name in ("ec_deep", "ec_two")[: 1 if spec.layer_two == 1 else 2]}
        return {
            "ec": np.concatenate([of_mode[g.mode] for g in protocol]),
            **tonic,
            "replay": np.concatenate([deep if g.mode is Mode.REPLAY else shut for g in protocol]),
        }

    def read(self, recording: Recording, schedule: RecallSchedule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The vectors decoded from the first volley of `ec`, and from all spikes of `ec_deep`, [n, d] each."""
        deep = recording["ec_deep"].counts(recording.batches)
        return decode(self.spec, counted(self.spec, recording)), decode(self.spec, signed(deep))
