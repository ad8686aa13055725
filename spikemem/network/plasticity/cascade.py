"""One-bit synapses that grow harder to change: the cascade of metaplastic states, one time step, and the same rule as Brian2 equations.

A synapse is strong, w = w_max, or weak, w = w_min, and has a depth k of 1 to n. At each postsynaptic spike it is asked to be strong where a
presynaptic spike comes in the same step, and to be weak where none does. The step of `plasticity.contract`, on what a synapse sees:

    post:  what it is already:   k <- k + 1              with probability p_k = rate x^k / (1 - x), 0 at depth n
           what it is not:       w flips, k <- 1         with probability q_k = rate x^(k - 1), at depth n over 1 - x

(Fusi, Drew & Abbott 2005; with as many potentiations as depressions all 2 n states are equally frequent.) With one level it is the
stochastic one-bit synapse of Amit & Fusi (1994), which flips with probability `rate`. A trace of many synapses decays as (1 - rate)^t with
one level, and with n levels as a power of time until t is about x^-n.

Numbers are drawn without a state, from the place of a synapse and how often it was asked, so that all simulators draw the same.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.plasticity.contract import Brian2Rule, PlasticityRule

PRIME = 67_108_859
"""2^26 - 5: draws are remainders of it, whose squares a float64 holds exactly."""
STRIDES = 7_919, 104_729, 15_485_863
"""How far presynaptic cells, postsynaptic cells and draws lie apart, primes."""
ROUNDS = 1_299_709, 32_452_843, 49_979_687
"""Each round of mixing makes z (z + a) of z."""
MOST_LEVELS = 64


class CascadeState(NamedTuple):
    """What a projection carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    depth: Any
    """k, [..., pre, post]."""
    asked: Any
    """How often each synapse was asked to change, [..., pre, post]."""
    place: Any
    """Where each synapse's draws begin, [..., pre, post]."""


@dataclass(frozen=True)
class Cascade(PlasticityRule):
    """Stochastic one-bit synapses with metaplastic states (equations: see the module).

    levels: n, from 1.   x: how much rarer a change is from level to level, in (0, .5], so that no probability exceeds 1.
    rate: of all changes, in (0, 1].   w_min, w_max: the weights of a weak and a strong synapse; one that a projection begins with is strong
    above their middle, at depth 1, and stays as it is until it flips.   seed: of the draws; projections of one seed draw alike.
    dendritic: ms, the part of the projection's delay behind the synapse.

    Where synapses have delays of their own the draws are others, with the same probabilities.
    Raises NetworkError where a parameter is out of its range.

    >>> flip, deepen = Cascade(levels=4).chances()
    >>> flip.tolist(), deepen.tolist()
    ([1.0, 0.5, 0.25, 0.25], [1.0, 0.5, 0.25, 0.0])
    """

    levels: int = 8
    x: float = 0.5
    rate: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    seed: int = 0
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", check.integer(self.levels, "Cascade levels", least=1, most=MOST_LEVELS))
        object.__setattr__(self, "x", check.finite(self.x, "Cascade x", above=0, most=0.5))
        object.__setattr__(self, "rate", check.finite(self.rate, "Cascade rate", above=0, most=1))
        object.__setattr__(self, "seed", check.seed(self.seed, "Cascade seed"))
        object.__setattr__(self, "dendritic", check.finite(self.dendritic, "Cascade dendritic", least=0))
        for name in ("w_min", "w_max"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"Cascade {name}"))
        if not self.w_min < self.w_max:
            raise NetworkError(f"Cascade bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")

    def chances(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """With which probability a synapse of each depth flips, q, and grows deeper, p, [level] each."""
        depth = np.arange(1, self.levels + 1)
        flip, deepen = self.x ** (depth - 1.0), self.x**depth / (1 - self.x)
        if self.levels > 1:
            flip[-1] /= 1 - self.x
        deepen[-1] = 0.0
        return np.multiply(self.rate, flip), np.multiply(self.rate, deepen)

    def transition(self, potentiate: float) -> NDArray[np.float64]:
        """The chance that a synapse which is asked to change goes from state to state, [to, from]: strong of depth 1 to n, then weak.

        potentiate: the share of the changes that ask it to be strong.
        """
        share = check.finite(potentiate, "potentiate", least=0, most=1)
        (flip, deepen), n = self.chances(), self.levels
        strong, level = np.eye(2 * n), np.arange(n)  # where all ask for strength
        strong[level, level] -= deepen
        strong[level[1:], level[:-1]] += deepen[:-1]
        strong[n + level, n + level] -= flip
        strong[0, n + level] += flip
        swap = np.roll(np.arange(2 * n), n)
        return share * strong + (1 - share) * strong[np.ix_(swap, swap)]

    @property
    def bounds(self) -> tuple[list[int], list[int]]:
        """Below which draw a synapse of each depth flips, and grows deeper."""
        flip, deepen = ((PRIME * chance).round().astype(int).tolist() for chance in self.chances())
        return flip, deepen

    def initial(self, weights: Any, pre: Any, post: Any) -> CascadeState:
        one = (weights == weights) * 1
        alone = one.reshape(-1, *one.shape[-2:])
        item, (rows, columns) = alone.cumsum(0) - 1, one.shape[-2:]
        i, j = item * rows + alone.cumsum(1) - 1, item * columns + alone.cumsum(2) - 1
        place = (i * STRIDES[0] + j * STRIDES[1] + self.seed % PRIME).reshape(one.shape)
        return CascadeState(weights, one, one - 1, place)

    def step(self, pre: Any, post: Any, state: CascadeState, dt: float) -> CascadeState:
        """One step of the contract on all-to-all synapses, for numpy arrays and torch tensors alike."""
        if not post.any():
            return state
        up, strong = pre[..., :, None], state.weights > (self.w_min + self.w_max) / 2
        asked = post[..., None, :] & (up | ~up)
        same = strong == up
        flip, deepen = (sum((state.depth == k) * bound for k, bound in enumerate(of, 1)) for of in self.bounds)
        moved = asked & (_drawn(state.place + state.asked * STRIDES[2]) < same * deepen + ~same * flip)
        depth = state.depth + moved * (same * 1 + ~same * (1 - state.depth))
        weights = state.weights + (moved & ~same) * (self.w_max * up + self.w_min * ~up - state.weights)
        return CascadeState(weights, depth, state.asked + asked, state.place)

    def brian2(self) -> Brian2Rule:
        """The same rule for Brian2, which runs it in the step after the spikes."""
        flip, deepen = (" + ".join(f"int(depth == {k}) * {bound}.0" for k, bound in enumerate(of, 1)) for of in self.bounds)
        mixing = "\n".join(f"z = (z * (z + {a}.0)) % {PRIME}.0" for a in ROUNDS)
        return Brian2Rule(
            model="w : 1\nuntil : second\ndepth : 1\nasked : 1",
            on_pre="until = t + dt / 2",
            on_post=f"""up = int(t < until)
same = int(w > (w_min + w_max) / 2) * up + int(w <= (w_min + w_max) / 2) * (1 - up)
z = (i * {STRIDES[0]}.0 + j * {STRIDES[1]}.0 + begin + asked * {STRIDES[2]}.0) % {PRIME}.0
{mixing}
moved = int(z < same * ({deepen}) + (1 - same) * ({flip}))
w += moved * (1 - same) * (w_max * up + w_min * (1 - up) - w)
depth += moved * (same + (1 - same) * (1 - depth))
asked += 1""",
            post_first=False,
            begin={"depth": 1.0},
            numbers={"w_min": self.w_min, "w_max": self.w_max, "begin": float(self.seed % PRIME)},
        )


def _drawn(place: Any) -> Any:
    """Whole numbers from 0 to PRIME - 1, which look random, of any places."""
    z = place % PRIME
    for a in ROUNDS:
        z = (z * (z + a)) % PRIME
    return z
