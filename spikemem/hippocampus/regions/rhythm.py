"""Theta and gamma: the schedule by which populations are inhibited and released, and so what the circuit does.

A gamma cycle (25 ms) is one pass through the circuit, a theta cycle (125 ms) five of them. Every population is inhibited at the start
of the gamma cycle and released when its input has arrived, the strongest first (the gamma cycle as a clock for rank order: Fries,
Nikolic and Singer 2007). Which populations are released makes the mode, as acetylcholine and theta phase do in the
animal (Hasselmo 2002): in CUE cycles the cue drives EC, in REPLAY cycles the last answer does, in HOP cycles CA3 runs on its own slow
synapses, in QUIET cycles nothing fires. The schedule is a modelling device; what it borrows from the animal is that phase decides.

Behind EC all currents and weights of the circuit are multiples of GRID far below 2^39, so that their sums are exact in float64 whatever
the order: simulators agree spike for spike, and a computation without simulation can be shown to give the same winners.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.spec import CYCLES

SHUT = 2.0**12
"""Inhibition that ends a window: only spikes of one step meet in it."""
DT = 1.0
"""ms; the schedule below is in steps of it."""
GAMMA = 25
"""Steps of a gamma cycle."""
THETA = CYCLES * GAMMA
"""Steps of a theta cycle."""
GRID = 2.0**-14
"""All weights and currents behind EC are multiples of it."""

DG_RELEASE = (13, 14, 15, 16, 17, 18)
"""Steps of a gamma cycle at which granule cells are released; so for the other populations below."""
DG_SHARES = (0.1, 0.25, 0.35, 0.45, 0.7)
"""Shares of the winners expected to have fired after each release but the last, which takes all; dense where an engram's core ends."""
CA3_RELEASE = 13
DENDRITE_RELEASE = (20, 21)
CA1_RELEASE = (21, 22)
SUB_RELEASE = (22, 23)

SLOW = float(THETA - GAMMA - 6)
"""ms; slow recurrent synapses carry the last gamma cycle of a theta cycle to the last but one of the next, before CA3 is released there.
So long a delay stands for a slow process (NMDA currents, the replay of a theta sequence), not for an axon."""
FAST = float(GAMMA - 6)
"""ms; fast recurrent synapses deliver in the next gamma cycle, before CA3 is released."""
BACK = 3.0
"""ms; the subiculum's spikes arrive in deep EC in the first steps of the next gamma cycle."""


class Mode(Enum):
    """What drives the circuit in a gamma cycle: the cue, the last answer, CA3's slow synapses, or nothing."""

    CUE = "cue"
    REPLAY = "replay"
    HOP = "hop"
    QUIET = "quiet"


@dataclass(frozen=True)
class Gamma:
    """One gamma cycle of a protocol.

    read: the subiculum is released.   noise: with noise, so that its winner is a sample.
    primes: what the subiculum answered in the cycle before primes its words and associations.
    """

    mode: Mode
    read: bool = False
    noise: bool = False
    primes: bool = False


RECALL_SETTLE = 1
"""Gamma cycles of completion after the first of a recall. In a full CA3 more would let a cue drift: with 20,720 sentences stored .995 of
200 paraphrases are recalled after one, .905 after two (`sims/papers/rate_system_rows.py`)."""
CHAIN_SETTLE = 2
"""Gamma cycles of completion where CA3 works alone, in a chain or with a damaged code."""


@dataclass(frozen=True)
class RecallSchedule:
    """The gamma cycles of a recall, and in which its answers are read.

    settle: cycles of completion after the first.   attention: cycles of sampling.   passes: theta cycles; what one recalls spreads to the
    next.
    """

    settle: int
    attention: int
    passes: int = 1

    @property
    def period(self) -> int:
        """Gamma cycles of a pass that is read: a theta cycle, or longer where the cue is completed for longer."""
        return max(THETA // GAMMA, self.settle + 2)

    @property
    def reads(self) -> tuple[int, ...]:
        """Cycles in which the passes before the last are read, from 0."""
        return tuple(p * self.period + self.settle for p in range(self.passes - 1))

    @property
    def order(self) -> int:
        """The cycle in which CA1's firing order is the answer."""
        return (self.passes - 1) * self.period + self.settle

    @property
    def start(self) -> int:
        """The first cycle of attention."""
        return self.order + 1

    @property
    def protocol(self) -> list[Gamma]:
        """The gamma cycles, in all of which the cue is held: one to encode, `settle` to complete, `attention` of sampling; and one more,
        in which deep EC says what was sampled last.

        Of several passes each is a theta cycle: when the cue has been completed an answer is read, and in the silence after it this
        primes what it is bound to; then CA3 begins anew. The last pass is that of the attention.
        """
        complete, rest = [Gamma(Mode.CUE)] * (self.settle + 1), self.period - self.settle - 2
        read = [*complete[1:], Gamma(Mode.CUE, read=True), Gamma(Mode.QUIET, primes=True), *[Gamma(Mode.QUIET)] * rest]
        return read * (self.passes - 1) + complete + [Gamma(Mode.CUE, read=True, noise=True)] * self.attention + [Gamma(Mode.QUIET)]


def recall_protocol(settle: int, attention: int, passes: int = 1) -> list[Gamma]:
    """The gamma cycles of a recall (see `RecallSchedule`)."""
    return RecallSchedule(settle, attention, passes).protocol


def chain_protocol(hops: int) -> list[Gamma]:
    """The gamma cycles of a chain: one theta cycle from the cue to the recalled memory's own engram, then one for each hop.

    The last cycles of a theta cycle replay the subiculum's answer through EC and DG, so that CA3 goes on from one whole engram, wherever
    it came from: a cue that CA3 could not complete, a noisy hop, or a fork.
    """
    cue = [Gamma(Mode.CUE), Gamma(Mode.CUE), Gamma(Mode.CUE, read=True), Gamma(Mode.REPLAY, read=True), Gamma(Mode.REPLAY, read=True)]
    hop = [Gamma(Mode.QUIET)] * 3 + [Gamma(Mode.HOP, read=True), Gamma(Mode.REPLAY, read=True)]
    return cue + hop * hops


def above(bound: float) -> float:
    """The least power of two above a bound."""
    return 2.0 ** (math.floor(math.log2(bound)) + 1)


def dg_levels(winners: int, cells: int, hold: float) -> tuple[float, ...]:
    """Release levels of DG, in standard deviations of a normal drive, falling; the last one, -hold, takes all."""
    normal = NormalDist()
    levels = [normal.inv_cdf(1.0 - share * winners / cells) for share in DG_SHARES]
    return (*(round(level / GRID) * GRID for level in levels), -hold)


def release(hold: float, steps: Sequence[int], levels: Sequence[float]) -> NDArray[np.float64]:
    """A gamma cycle's common current, [GAMMA], for cells of threshold 1 that do not leak.

    Inhibition of `hold` from step 0; then at each of `steps` as much excitation as makes the cells fire whose input exceeds the level.
    """
    current = np.zeros(GAMMA)
    current[0] = -hold
    reached = -hold
    for step, level in zip(steps, levels, strict=True):
        current[step] += (1.0 - level) - reached
        reached = 1.0 - level
    return current


def window(protocol: list[Gamma], tonic: float = HALF, shut: int | None = None, only: Sequence[bool] | None = None) -> NDArray[np.float64]:
    """A current over a protocol, [time]: `tonic` at the start of each gamma cycle, inhibition from step `shut` on.

    only: the cycles in which the cells are not inhibited from the start.
    """
    open_, held = np.zeros(GAMMA), np.zeros(GAMMA)
    open_[0], held[0] = tonic, -SHUT
    if shut is not None:
        open_[shut] -= SHUT
    return np.concatenate([open_ if only is None or only[g] else held for g in range(len(protocol))])
