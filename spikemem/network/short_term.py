"""Short-term plasticity: synapses that tire and facilitate from spike to spike, while their weights stay.

All synapses of a presynaptic cell share u, the share of what is available that a spike releases, and x, what is available. Between spikes,
exactly,

    du/dt = -u / tau_facil                 dx/dt = (1 - x) / tau_rec

and at a presynaptic spike, in this order,

    u <- u + U (1 - u),      what arrives is w u x,      x <- x - u x

with u = 0 and x = 1 at first. The first spike releases U; where tau_facil is 0, each releases U of what is available.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import NOTHING, check
from spikemem.network.registry import Registry

TYPES = MappingProxyType(
    {
        "depressing": (0.5, 800.0, 0.0),
        "facilitating": (0.03, 130.0, 530.0),
        "F1": (0.16, 45.0, 376.0),
        "F2": (0.25, 706.0, 21.0),
        "F3": (0.32, 144.0, 62.0),
    }
)
"""U, tau_rec and tau_facil, ms. "depressing": of pyramidal cells onto each other (Tsodyks & Markram 1997; the defaults of NEST's
`tsodyks2_synapse`); "facilitating": of pyramidal cells onto interneurons (Tsodyks, Pawelzik & Markram 1998, as in Brian2's example of it);
F1, F2, F3: of facilitating, depressing and recovering inhibition (Gupta, Wang & Markram 2000). The papers were not read again."""


class ReleaseState(NamedTuple):
    """What the presynaptic cells of a projection carry from one step to the next, [..., pre] each."""

    u: Any
    """The share that the last spike released, and what is left of it."""
    x: Any
    """What is available."""


class Brian2Release(NamedTuple):
    """Short-term plasticity as Brian2 reads it: `on_pre` sets `released`, the factor on the weight."""

    model: str
    on_pre: str
    numbers: Mapping[str, float]
    times: Mapping[str, float]
    begin: Mapping[str, float] = NOTHING
    """Where variables begin, by their names, if not at 0."""


@dataclass(frozen=True)
class TsodyksMarkram:
    """Depression and facilitation (Tsodyks & Markram 1997; Markram, Wang & Tsodyks 1998); equations: see the module.

    U: what the first spike releases, above 0, at most 1.   tau_rec: of recovery, ms, > 0.
    tau_facil: of facilitation, ms, >= 0; 0 is depression alone.

    Raises NetworkError where a parameter is out of its range.

    >>> TsodyksMarkram.named("depressing")
    TsodyksMarkram(U=0.5, tau_rec=800.0, tau_facil=0.0)
    """

    U: float = 0.5
    tau_rec: float = 800.0
    tau_facil: float = 0.0

    def __post_init__(self) -> None:
        bounds: dict[str, dict[str, Any]] = {
            "U": {"above": 0.0, "most": 1.0},
            "tau_rec": {"above": 0.0, "unit": " ms"},
            "tau_facil": {"least": 0.0, "unit": " ms"},
        }
        for name, given in bounds.items():
            object.__setattr__(self, name, check.finite(getattr(self, name), f"TsodyksMarkram {name}", **given))  # the dataclass is frozen

    @classmethod
    def named(cls, kind: str) -> "TsodyksMarkram":
        """Synapses of a published kind: "depressing", "facilitating", "F1", "F2" or "F3"."""
        return cls(*TYPES[check.choice(kind, "the kind of short-term plasticity", TYPES)])

    def decays(self, dt: float) -> tuple[float, float]:
        """The decay of u, and of what is not available, in one step of dt ms."""
        return math.exp(-dt / self.tau_facil) if self.tau_facil else 0.0, math.exp(-dt / self.tau_rec)

    def initial(self, zeros: Any) -> ReleaseState:
        """The state before the first step.   zeros: [..., pre]."""
        return ReleaseState(zeros, zeros + 1.0)

    def step(self, spikes: Any, state: ReleaseState, dt: float) -> tuple[Any, ReleaseState]:
        """One step of dt ms, for numpy arrays and torch tensors alike.

        spikes: which cells do, bool, [..., pre].   Returns what each releases, u x, 0 without a spike, and the state after it.
        """
        facil, rec = self.decays(dt)
        u, x = facil * state.u, 1.0 - rec * (1.0 - state.x)
        u = u + self.U * (1.0 - u) * spikes
        released = u * x * spikes
        return released, ReleaseState(u, x - released)

    def steady(self, rate: ArrayLike) -> ReleaseState:
        """u and x right before release, at a spike of a regular train that has gone on for long.   rate: Hz, > 0, any shape.

            u = U / (1 - (1 - U) f),      x = (1 - r) / (1 - (1 - u) r),      f, r = exp(-interval / tau_facil), exp(-interval / tau_rec)

        >>> TsodyksMarkram(U=0.5, tau_rec=100.0).steady(10.0).x.round(4).item()
        0.7746
        """
        rates = check.floats(rate, "rate, Hz")
        if rates.min(initial=math.inf) <= 0:
            raise NetworkError("a regular train has a rate above 0 Hz")
        f = np.exp(-1000.0 / rates / self.tau_facil) if self.tau_facil else np.zeros(rates.shape)
        r = np.exp(-1000.0 / rates / self.tau_rec)
        u = self.U / (1.0 - (1.0 - self.U) * f)
        return ReleaseState(u, (1.0 - r) / (1.0 - (1.0 - u) * r))

    def response(self, times: ArrayLike) -> NDArray[np.float64]:
        """What each spike of a train releases, u x, in parts of what is available at rest.   times: ms, rising, [spike].

        >>> TsodyksMarkram(U=0.5, tau_rec=100.0).response([0.0, 1e9]).tolist()
        [0.5, 0.5]
        """
        when = check.floats(times, "times", shape=(None,))
        released, state, before = np.zeros(len(when)), ReleaseState(np.float64(0.0), np.float64(1.0)), -math.inf
        for n, (time, gap) in enumerate(zip(when, np.diff(when, prepend=before), strict=True)):
            if gap <= 0:
                raise NetworkError(f"times of spikes rise; {time:g} ms does not")
            released[n], state = self.step(np.True_, state, gap)
        return released

    def brian2(self) -> Brian2Release:
        """The same for Brian2, event-driven, in each synapse."""
        facilitates = self.tau_facil > 0
        u = "dstp_u/dt = -stp_u / stp_facil : 1 (event-driven)\n" if facilitates else ""
        rise = "stp_u += stp_U * (1 - stp_u)\n" if facilitates else ""
        return Brian2Release(
            model=f"{u}dstp_x/dt = (1 - stp_x) / stp_rec : 1 (event-driven)\nreleased : 1",
            on_pre=f"{rise}released = {'stp_u' if facilitates else 'stp_U'} * stp_x\nstp_x -= released",
            numbers={"stp_U": self.U},
            times={"stp_rec": self.tau_rec, **({"stp_facil": self.tau_facil} if facilitates else {})},
            begin={"stp_x": 1.0},
        )


SHORT_TERM: Registry[Callable[..., TsodyksMarkram]] = Registry(
    "short-term plasticity", "spikemem.short_term", {"TsodyksMarkram": TsodyksMarkram}
)
"""Short-term plasticity that a model file may name as `model`: constructors, called with the file's keys."""
