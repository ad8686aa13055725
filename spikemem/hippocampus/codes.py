"""Spike codes of vectors: encoding a vector in spikes, and decoding it.

Every code has the same interface. Its cells come in two halves, ON cells 0 to d - 1 and OFF cells d to 2d - 1; vectors are of unit length,
so that sqrt(d) x has a root mean square of 1.

    encode(vectors [n, d]) -> spikes, bool, [time, n, 2d]          decode(spikes) -> vectors, float64, [n, d]

| code | a component is coded by | source |
|---|---|---|
| `VolleyCode`, `on_off` | how often a cell fires | Adrian & Zotterman 1926; ON and OFF: Schiller 1992 |
| `VolleyCode`, trained | how often and when | `spikemem.training.ec`; a spike's weight by its phase: Kim et al. 2018 |
| `LatencyCode` | when its one spike comes | Thorpe & Gautrais 1998 |
| `ZScoreCode` | whether it fires at all | k winners: Maass 2000 |
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks, shown
from spikemem.errors import VectorError
from spikemem.network.neurons import LIF, LIFState
from spikemem.snapshot import contents, load_arrays, save_arrays

FORMAT = "spikemem-ec-code-1"
HALF = 0.5
"""A tonic half threshold at the start of a volley: spike counts round instead of rounding down."""
CUE_STEPS = 8
"""Steps for which the current of the analytic code lasts."""
WINDOW = 11
"""Steps in which cells of the analytic code may fire, which bounds a cell's spikes a volley. (One spike a millisecond is a count,
not a cell: an EC cell of the model stands for a handful of stellate cells.)"""
ARRAYS = ("gain", "top", "profile", "common")
MOST_WEIGHT = 11
"""The largest weight of a spike in a trained code: n of a volley stays within int8."""
check = Checks(VectorError)
MOST_DIM = 2**24
"""The most dimensions of a code's vectors."""
DRIVES = 1024
"""Drives at which `response` evaluates a code."""

Spikes = NDArray[np.bool_]


class Code(Protocol):
    """The interface of a spike code of vectors."""

    @property
    def dim(self) -> int: ...

    def encode(self, vectors: NDArray[np.floating]) -> Spikes:
        """Unit vectors, [n, d], as spikes, [time, n, 2d]."""
        ...

    def decode(self, spikes: Spikes) -> NDArray[np.float64]:
        """Spikes, [time, n, 2d], as vectors, [n, d]."""
        ...


def rectified(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """The input of ON and OFF cells for vectors, [n, d]: their positive and their negative part, [n, 2d]."""
    x = check.floats(vectors, "vectors", shape=(None, None))
    return np.concatenate([np.maximum(x, 0.0), np.maximum(-x, 0.0)], axis=1)


def signed(counts: NDArray[np.integer]) -> NDArray[np.integer]:
    """Counts of ON and OFF cells, [..., 2d], as ON minus OFF, [..., d].

    >>> signed(np.array([3, 0, 0, 2])).tolist()
    [3, -2]
    """
    d = counts.shape[-1] // 2
    return counts[..., :d] - counts[..., d:]


def _spikes(spikes: Spikes, steps: int, dim: int) -> NDArray[np.int64]:
    """Spikes, [time, n, 2d], as numbers."""
    return check.array(spikes, "spikes", "b", shape=(steps, None, 2 * dim)).astype(np.int64)


def _set_counts(code: "LatencyCode | ZScoreCode", **most: int) -> None:
    """Check the whole numbers of a code, each from 1 to a bound."""
    for name, bound in most.items():
        object.__setattr__(code, name, check.integer(getattr(code, name), f"{name} of a code", least=1, most=bound))


@dataclass(frozen=True, eq=False)
class VolleyCode:
    """LIF cells of threshold 1 under a volley of current, read with a weight for each step.

        I_c[t] = min(gain_c max(+-x, 0), top_c) g[t] + r_c[t],   V_c[t] = beta V_c[t-1] + I_c[t] - S_c[t-1],     S_c[t] = V_c[t] > 1
        n = sum over t of m[t] (S_on[t] - S_off[t]),             x^ = n / scale

    cell: the LIF; beta is that of its tau, for steps of 1 ms.   gain: of the drive, top: where it saturates, [2d].
    profile: g, how the drive is spread over the steps, [time].   common: r, what a cell receives whatever the vector, [time, 2d or 1].
    efficacy: m, the weight of a spike by its step, whole numbers, int64, [time].   scale: n for a component of 1.

    The analytic code (`on_off`) has m = 1 and g constant, so that n is the drive, rounded; the trained one has learned g, r, tau and m.

    >>> code = on_off(dim=2, charge=4.0)
    >>> code.counts(code.encode(np.array([[0.6, -0.8]]))).tolist()
    [[3, -5]]
    """

    cell: LIF
    gain: NDArray[np.float64]
    top: NDArray[np.float64]
    profile: NDArray[np.float64]
    common: NDArray[np.float64]
    efficacy: NDArray[np.int64]
    scale: float

    def __post_init__(self) -> None:
        for name in (*ARRAYS, "efficacy"):
            finite = name != "top"  # which is infinite where nothing bounds it
            array = check.array(getattr(self, name), f"{name} of a code", "iu" if name == "efficacy" else "f", finite=finite)
            object.__setattr__(self, name, array.astype(np.int64 if name == "efficacy" else np.float64))
        object.__setattr__(self, "scale", check.finite(self.scale, "the scale of a code", above=0))
        steps, cell = self.profile.size, check.instance(self.cell, "the cell of a code", LIF, "give a LIF of threshold 1")
        if cell != LIF(self.cell.tau, 1.0):
            raise VectorError(f"a volley's cells are plain LIF of threshold 1, not {self.cell}")
        if (
            self.gain.shape != self.top.shape
            or self.efficacy.shape != (steps,)
            or self.common.shape not in ((steps, 1), (steps, self.top.size))
            or self.top.ndim != 1
            or self.profile.ndim != 1
            or self.top.size % 2
            or np.isnan(self.top).any()
            or np.abs(self.efficacy).max(initial=0) > MOST_WEIGHT
        ):
            names = (*ARRAYS, "efficacy")
            shapes = ", ".join(f"{name} {getattr(self, name).shape}" for name in names)
            expected = f"[2d], [2d], [time], [time, 2d or 1], [time], with efficacies up to {MOST_WEIGHT}"
            raise VectorError(f"a code's arrays do not fit together: {shapes}; expected {expected}")

    @property
    def dim(self) -> int:
        return len(self.top) // 2

    @property
    def steps(self) -> int:
        """Steps of a volley."""
        return len(self.profile)

    def drive(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """min(gain max(+-x, 0), top), [n, 2d]."""
        x = check.floats(vectors, "vectors", shape=(None, self.dim))
        return np.minimum(rectified(x) * self.gain, self.top)

    def current(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """I, [time, n, 2d]."""
        return self.drive(vectors) * self.profile[:, None, None] + self.common[:, None, :]

    def encode(self, vectors: NDArray[np.floating]) -> Spikes:
        """The spikes of a volley, bool, [time, n, 2d]."""
        return fired(self.cell, self.current(vectors))

    def counts(self, spikes: Spikes) -> NDArray[np.int64]:
        """n, [n, d], of spikes, [time, n, 2d]."""
        return signed(np.tensordot(self.efficacy, _spikes(spikes, self.steps, self.dim), axes=1)).astype(np.int64)

    def decode(self, spikes: Spikes) -> NDArray[np.float64]:
        """Vectors, [n, d], of spikes, [time, n, 2d]."""
        return self.counts(spikes) / self.scale

    def save(self, path: str | Path, **metadata: object) -> Path:
        """Write the code as safetensors with a checksum.   metadata: further entries of the file, JSON-able."""
        arrays = {name: getattr(self, name) for name in (*ARRAYS, "efficacy")}
        return save_arrays(path, arrays, {**metadata, "format": FORMAT, "tau": self.cell.tau, "scale": self.scale})

    @classmethod
    def load(cls, path: str | Path) -> "VolleyCode":
        """Read what `save` wrote; SnapshotError where the file is missing, damaged or something else."""
        arrays, head = load_arrays(path, FORMAT)
        with contents(path, "whole code"):
            whole = {name: arrays[name] for name in ARRAYS}
            tau, scale = float(str(head["tau"])), float(str(head["scale"]))
            return cls(cell=LIF(tau, 1.0), efficacy=arrays["efficacy"], scale=scale, **whole)  # type: ignore[arg-type]  # checked there


def fired(cell: LIF, current: NDArray[np.float64]) -> Spikes:
    """The spikes of cells from rest under a current, [time, n, cell], in steps of 1 ms."""
    state = LIFState(np.zeros(current.shape[1:]), np.zeros(current.shape[1:], bool))
    spikes = np.zeros(current.shape, bool)
    for t, now in enumerate(current):
        state = cell.step(now, state, 1.0)
        spikes[t] = state.spikes
    return spikes


def on_off(dim: int, charge: float) -> VolleyCode:
    """The analytic code: cells without leak, starting at V = 1/2, whose spike count is their input charge, rounded.

        I = s max(+-x, 0) / T for T steps,     n = S_on - S_off ~ round(s x),     s = charge sqrt(d)

    charge: spikes of a cell for a component of root-mean-square size.   T = 8; at most 11 spikes.
    """
    dim = check.integer(dim, "dim", least=1, most=MOST_DIM)
    scale = check.finite(charge, "charge", above=0) * math.sqrt(dim)
    profile, common = np.zeros(WINDOW), np.zeros((WINDOW, 1))
    profile[:CUE_STEPS], common[0] = 1.0, HALF
    gain, top = np.full(2 * dim, scale / CUE_STEPS), np.full(2 * dim, np.inf)
    return VolleyCode(LIF(math.inf, 1.0), gain, top, profile, common, np.ones(WINDOW, np.int64), scale)


def response(code: VolleyCode) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The response curve of each cell without saturation: drives from 0 to that of a spike in every step, [drive], and n, [drive, 2d]."""
    drives = np.linspace(0.0, (code.steps + 1.0) * code.cell.threshold / max(float(code.profile.sum()), 1e-9), DRIVES)
    n = np.zeros((DRIVES, 2 * code.dim), np.int64)
    for part in np.array_split(np.arange(DRIVES), 16):
        current = drives[part, None] * code.profile[:, None, None] + code.common[:, None, :]
        whole = np.broadcast_to(current, (code.steps, len(part), current.shape[2]))
        n[part] = np.tensordot(code.efficacy, fired(code.cell, whole).astype(np.int64), axes=1)
    return drives, n


def saturation(code: VolleyCode, most: int) -> NDArray[np.float64]:
    """The drive up to which a cell's n stays within `most`, [2d]: the `top` that bounds it."""
    drives, n = response(code)
    within = np.logical_and.accumulate(n <= most, axis=0).sum(axis=0)
    return drives[np.maximum(within - 2, 0)]


def overshoot(code: VolleyCode) -> float:
    """The most by which a cell's n may exceed scale x, by rounding."""
    drives, n = response(code)
    meant = drives[:, None] * (code.scale / code.gain)
    return float(np.where(drives[:, None] <= code.top, n - meant, 0.0).max())


@dataclass(frozen=True)
class LatencyCode:
    """One spike a cell, the earlier the larger its component (Thorpe & Gautrais 1998; with a linear ramp: Hopfield 1995).

        V[t] = |sqrt(d) x| / width + t + 1/2 >= T,    S at the first such t < T,    sqrt(d) x^ = +-(T - t) width

    A cell is silent below width / 2, and fires at step 0 from (T - 1/2) width up.   width: of a step of the ramp, in root mean squares.
    """

    dim: int
    width: float
    steps: int = 8

    def __post_init__(self) -> None:
        _set_counts(self, dim=MOST_DIM, steps=MOST_DIM)
        object.__setattr__(self, "width", check.finite(self.width, "width of a code", above=0))

    def encode(self, vectors: NDArray[np.floating]) -> Spikes:
        """Spikes, bool, [time, n, 2d]."""
        vectors = check.floats(vectors, "vectors", shape=(None, self.dim))
        check.room(self.steps * vectors.size * 2, "the spikes", "give fewer vectors, or a code of fewer steps")
        level = np.floor(rectified(vectors) * (math.sqrt(self.dim) / self.width) + 0.5)
        step = self.steps - np.clip(level, 0, self.steps).astype(np.int64)
        return np.arange(self.steps)[:, None, None] == step

    def decode(self, spikes: Spikes) -> NDArray[np.float64]:
        """Vectors, [n, d]."""
        weight = np.arange(self.steps, 0, -1)
        level = signed(np.tensordot(weight, _spikes(spikes, self.steps, self.dim), axes=1))
        return level.astype(np.float64) * (self.width / math.sqrt(self.dim))


@dataclass(frozen=True)
class ZScoreCode:
    """One step, in which the k components that stand out most fire, ON or OFF by their sign.

        z_i = (x_i - mean of x) / standard deviation of x;    the ON (z > 0) or OFF cell of the k largest |z| fires;    x^ = +-1 / sqrt(k)

    Of equal |z| the lower component fires.   k: spikes a vector, 1 to d.
    """

    dim: int
    k: int

    def __post_init__(self) -> None:
        _set_counts(self, dim=MOST_DIM)
        _set_counts(self, k=self.dim)

    def encode(self, vectors: NDArray[np.floating]) -> Spikes:
        """Spikes, bool, [1, n, 2d]."""
        x = check.floats(vectors, "vectors", shape=(None, self.dim))
        z = (x - x.mean(axis=1, keepdims=True)) / np.maximum(x.std(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        chosen = np.argsort(-np.abs(z), axis=1, kind="stable")[:, : self.k]
        standing = np.zeros(x.shape, bool)
        np.put_along_axis(standing, chosen, True, axis=1)
        return np.concatenate([standing & (z > 0), standing & (z < 0)], axis=1)[None]

    def decode(self, spikes: Spikes) -> NDArray[np.float64]:
        """Vectors, [n, d]."""
        return signed(_spikes(spikes, 1, self.dim).sum(axis=0)).astype(np.float64) / math.sqrt(self.k)


@dataclass(frozen=True)
class Fidelity:
    """How well a code keeps vectors.

    cosine: of decoded and given vectors, mean.   spikes: of a vector, mean.   dead: share of cells that never fire.
    neighbour: share of vectors whose nearest other vector, by cosine, is still their nearest when decoded.
    """

    cosine: float
    spikes: float
    dead: float
    neighbour: float


def fidelity(code: Code, vectors: NDArray[np.floating], block: int = 1000) -> Fidelity:
    """How well a code keeps vectors, [n, d], which are encoded and decoded in blocks."""
    if isinstance(code, type) or not all(hasattr(code, name) for name in ("dim", "encode", "decode")):
        raise VectorError(f"code is {shown(code)}; give a Code, such as on_off(dim, charge)")
    x, block = check.floats(vectors, "vectors", shape=(None, code.dim)), check.integer(block, "block", least=1)
    if not len(x):
        raise VectorError("vectors: none of them; give at least one")
    back, fires, spikes = np.zeros(x.shape), np.zeros(2 * code.dim, bool), 0
    for start in range(0, len(x), block):
        volley = code.encode(x[start : start + block])
        back[start : start + block] = code.decode(volley)
        fires |= volley.any(axis=(0, 1))
        spikes += int(volley.sum())
    back /= np.maximum(np.linalg.norm(back, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    same = _nearest(x) == _nearest(back)
    return Fidelity(float((back * x).sum(axis=1).mean()), spikes / len(x), float(1 - fires.mean()), float(same.mean()))


def _nearest(unit: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest other vector of each, [n]."""
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return alike.argmax(axis=1)
