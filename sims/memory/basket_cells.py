"""What the simulations with explicit basket cells share: the cells, the loop between them, and how winners are counted.

Principal cells are conductance-based leaky integrate-and-fire cells that gamma releases along a ramp (mV, nS, pF, ms):

    C dv/dt   = gL (E_L - v) + g_e (E_AMPA - v) + g_i (E_GABA - v) + gL u(phase) + C sigma sqrt(2 / tau) xi,   gL = 1 / R,  C = tau gL
    u(phase)  = tonic, and from `release` to the end of the gamma cycle  tonic + ramp tau
    dg_e/dt   = -g_e / tau_AMPA,    dg_i/dt = -g_i / tau_GABA;    v > threshold: spike, v = E_L for `refractory`

so that a released membrane climbs by `ramp` mV/ms at first, the most excited cell crosses first (Fries, Nikolic and Singer 2007), and the
race lasts until feedback inhibition ends it (de Almeida, Idiart and Lisman 2009). A basket cell is the same cell without ramp and g_i. Each
hears a random share of the principal cells and inhibits a random share of them; the thresholds of basket cells are spread. Nothing counts
spikes but the membranes of the basket cells.

Basket cells: 43 MOhm, 10 ms, -62 mV (Luebke, Frotscher and Spruston 1998); their EPSCs decay within a millisecond (Geiger et al. 1997), so
that they are excited and inhibit in turn within few milliseconds (Bartos, Vida and Jonas 2007). How granule cells and basket cells are
connected: Espinoza et al. (2018); Guzman et al. (2021).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import brian2 as b2
except ImportError as error:
    raise ImportError("simulations with explicit basket cells need Brian2: pip install 'spikemem[reference]'") from error

BAR = 0.9
"""The overlap that counts as the same winners."""
DT = 0.1
"""ms, the time step."""
E_AMPA, E_GABA = 0.0, -75.0
"""mV, reversal potentials; GABA-A's lies at the rest of granule cells (Staley and Mody 1992)."""
BASKET_REST, BASKET_RESISTANCE, BASKET_TAU = -62.0, 43.0, 10.0
"""mV, MOhm and ms (Luebke, Frotscher and Spruston 1998)."""
BASKET_AMPA, BASKET_REFRACTORY = 0.8, 1.5
"""ms, decay of the EPSC (Geiger et al. 1997), and the pause after a spike."""

PRINCIPAL = """
dv/dt = (gl*(rest - v) + ge*(e_ampa - v) + gi*(e_gaba - v) + gl*u)/c + sigma*sqrt(2/tau)*xi : volt (unless refractory)
dge/dt = -ge/tau_ampa : siemens
dgi/dt = -gi/tau_gaba : siemens
u = tonic + step*int(phase >= release)*int(phase < cycle) : volt
phase = t % slot : second
"""
BASKET = """
dv/dt = (gl*(rest - v) + ge*(e_ampa - v))/c : volt (unless refractory)
dge/dt = -ge/tau_ampa : siemens
threshold : volt (constant)
"""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """An excitatory population and its basket cells.

    resistance, tau, rest, threshold, refractory: of the principal cell, MOhm, ms, mV, mV, ms.   tau_ampa, tau_gaba: ms.
    tonic: mV of steady depolarisation.   release: ms after the start of a gamma cycle.   ramp: mV/ms.   noise: mV, s.d. of the membrane.
    baskets: how many.   basket_threshold, basket_spread: mean and s.d. of their thresholds, mV.
    p_excite, p_inhibit: probabilities of a synapse from a principal cell onto a basket cell, and back.   delay: ms, of each of the two.
    excitation: nS that one principal spike opens in a basket cell, averaged over all basket cells, connected or not.
    inhibition: nS that open in a principal cell when every basket cell spikes once, averaged likewise.
    """

    resistance: float
    tau: float
    rest: float
    threshold: float
    refractory: float
    tau_ampa: float
    tau_gaba: float
    tonic: float
    release: float
    ramp: float
    noise: float
    baskets: int
    basket_threshold: float
    basket_spread: float
    p_excite: float
    p_inhibit: float
    delay: float
    excitation: float
    inhibition: float


@contextmanager
def codegen(target: str) -> Iterator[None]:
    """Brian2 computes with "numpy" or "cython" inside; its preferences are as before afterwards."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = target
    try:
        yield
    finally:
        b2.prefs.codegen.target = before


def principal_cells(cells: int, loop: Loop, cycle: float, slot: float) -> b2.NeuronGroup:
    """A group of principal cells at rest.   cycle: ms of a gamma cycle.   slot: ms from the start of one to the start of the next."""
    leak = 1 / (loop.resistance * b2.Mohm)
    names = {
        "gl": leak, "c": loop.tau * b2.ms * leak, "tau": loop.tau * b2.ms, "rest": loop.rest * b2.mV, "v_spike": loop.threshold * b2.mV,
        "e_ampa": E_AMPA * b2.mV, "e_gaba": E_GABA * b2.mV, "tau_ampa": loop.tau_ampa * b2.ms, "tau_gaba": loop.tau_gaba * b2.ms,
        "tonic": loop.tonic * b2.mV, "step": loop.ramp * loop.tau * b2.mV, "release": (loop.release - DT / 2) * b2.ms,
        "cycle": (cycle - DT / 2) * b2.ms, "slot": slot * b2.ms, "sigma": loop.noise * b2.mV,
    }  # fmt: skip
    group = b2.NeuronGroup(
        cells, PRINCIPAL, threshold="v > v_spike", reset="v = rest", refractory=loop.refractory * b2.ms, method="euler", dt=DT * b2.ms,
        namespace=names,
    )  # fmt: skip
    group.v = (loop.rest + loop.tonic) * b2.mV
    return group


def add_baskets(cells: b2.NeuronGroup, copies: int, loop: Loop, rng: np.random.Generator) -> tuple[b2.NeuronGroup, list[Any]]:
    """Basket cells and the synapses to and from them, for `copies` of one circuit that lie side by side in `cells`, all wired alike."""
    size = len(cells) // copies
    leak = 1 / (BASKET_RESISTANCE * b2.Mohm)
    names = {
        "gl": leak, "c": BASKET_TAU * b2.ms * leak, "rest": BASKET_REST * b2.mV, "e_ampa": E_AMPA * b2.mV, "tau_ampa": BASKET_AMPA * b2.ms,
    }  # fmt: skip
    baskets = b2.NeuronGroup(
        copies * loop.baskets, BASKET, threshold="v > threshold", reset="v = rest", refractory=BASKET_REFRACTORY * b2.ms,
        method="euler", dt=DT * b2.ms, namespace=names,
    )  # fmt: skip
    baskets.v = BASKET_REST * b2.mV
    baskets.threshold = np.tile(rng.normal(loop.basket_threshold, loop.basket_spread, loop.baskets), copies) * b2.mV
    onto = np.nonzero(rng.random((size, loop.baskets)) < loop.p_excite)
    back = np.nonzero(rng.random((loop.baskets, size)) < loop.p_inhibit)
    weight_onto, weight_back = loop.excitation / loop.p_excite, loop.inhibition / (loop.p_inhibit * loop.baskets)
    return baskets, [
        synapses(cells, baskets, "ge", *tiled(*onto, size, loop.baskets, copies), weight_onto, loop.delay),
        synapses(baskets, cells, "gi", *tiled(*back, loop.baskets, size, copies), weight_back, loop.delay),
    ]


def synapses(
    pre: Any, post: Any, conductance: str, i: NDArray[np.int64], j: NDArray[np.int64], weight: float | NDArray[np.float64], delay: float
) -> b2.Synapses:
    """Synapses i -> j that open `weight` nS each (one number, or one for each synapse), `delay` ms after a spike."""
    shared = np.ndim(weight) == 0
    made = b2.Synapses(
        pre, post, "w : siemens (shared)" if shared else "w : siemens", on_pre=f"{conductance} += w", delay=delay * b2.ms, dt=DT * b2.ms
    )
    made.connect(i=i, j=j)
    made.w = weight * b2.nS
    return made


def tiled(
    pre: NDArray[np.int64], post: NDArray[np.int64], pre_size: int, post_size: int, copies: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The synapses of one circuit, repeated for each of its copies.

    >>> [a.tolist() for a in tiled(np.array([0, 1]), np.array([2, 0]), 2, 3, copies=2)]
    [[0, 1, 2, 3], [2, 0, 5, 3]]
    """
    shift = np.arange(copies)[:, None]
    return (pre + shift * pre_size).ravel(), (post + shift * post_size).ravel()


def overlap(winners: NDArray[np.integer], ideal: NDArray[np.integer], k: int) -> float:
    """|winners and ideal| / max(|winners|, k): 1 only where the same k cells fired, no more and no fewer.

    >>> overlap(np.array([1, 2, 3, 4]), np.array([1, 2]), k=2)
    0.5
    """
    return len(np.intersect1d(winners, ideal)) / max(len(np.unique(winners)), k)


def holding(values: Sequence[float], reached: Sequence[float], default: float, bar: float) -> tuple[float, float] | None:
    """The range of rising `values` around the default over which `reached` stays at the bar or above it; None where the default fails.

    >>> holding([1, 2, 3, 4], [0.95, 0.91, 0.93, 0.4], default=2, bar=0.9)
    (1, 3)
    """
    ok = dict(zip(values, (r >= bar for r in reached), strict=True))
    if not ok[default]:
        return None
    below = [v for v in values if v < default and all(ok[u] for u in values if v <= u <= default)]
    above = [v for v in values if v > default and all(ok[u] for u in values if default <= u <= v)]
    return min([*below, default]), max([*above, default])


def describe(name: str, row: dict[str, Any], bar: float = BAR) -> str:
    """A line for one parameter of a sweep: where it holds, and the overlap at each value."""
    holds = "nowhere" if row["holds"] is None else f"from {row['holds'][0]:g} to {row['holds'][1]:g}"
    values = "  ".join(f"{value:g}: {reached:.3f}" for value, reached in zip(row["values"], row["overlap"], strict=True))
    return f"{name:>17}  overlap >= {bar:.2f} {holds}   ({values})"
