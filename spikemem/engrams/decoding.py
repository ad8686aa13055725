"""Bayesian decoding: the position that the spikes of place cells tell."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.place import RateMaps
from spikemem.engrams.sets import check
from spikemem.errors import DataError
from spikemem.instruments.spikes import Trains

FLOOR = 0.01
"""Hz; no cell is surer than this to be silent at a place, so that one stray spike excludes none."""


class Decoded(NamedTuple):
    """A position decoded from spikes.

    time: ms of the run at which each bin begins, [bin].   posterior: of the places, sums to 1, [bin, place].
    position: the centre of the likeliest place, [bin].   spikes: in each bin, [bin].   edges: of the places, [place + 1].   width: steps.
    """

    time: NDArray[np.float64]
    posterior: NDArray[np.float64]
    position: NDArray[np.float64]
    spikes: NDArray[np.int64]
    edges: NDArray[np.float64]
    width: int

    def error(self, position: ArrayLike) -> NDArray[np.float64]:
        """Distance from the animal's own mean position in each bin, [bin]; NaN where part of its time is left out.

        position: at each step of the trains that were decoded, as `place_fields` takes it.
        """
        given = np.asarray(check.array(position, "position", "fiu", shape=(None,), finite=False), np.float64)
        if len(given) // self.width != len(self.time):
            raise DataError(f"position has {len(given)} values; give one for each step of the trains that were decoded")
        return np.abs(self.position - given[: len(self.time) * self.width].reshape(-1, self.width).mean(1))


def decode(trains: Trains, maps: RateMaps, bin: float = 250.0, prior: str = "uniform", *, batch: int = 0) -> Decoded:
    """The position that spikes tell, by Bayes' rule for independent Poisson cells, without memory from bin to bin.

        P(x | n) = C P(x) prod_i r_i(x)^n_i exp(-tau sum_i r_i(x))         Zhang, Ginzburg, McNaughton & Sejnowski 1998, eq. 36

    maps: of the same cells, from other data than those that are decoded.   bin: tau, ms, whole steps.
    prior: P(x), "uniform", or "occupancy", as the time spent at each place. Places where the animal never was are left out.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca1")')
    check.instance(maps, "maps", RateMaps, "give what `place_fields` returns")
    batch, prior = check.integer(batch, "batch", least=0, most=trains.batches - 1), check.choice(prior, "prior", ("uniform", "occupancy"))
    if len(maps.rate) != trains.spikes.size:
        raise DataError(f"maps are of {len(maps.rate)} cells and trains of {trains.spikes.size}; give those of the same cells")
    counts, width = trains.binned(bin)[batch], trains.width(bin)
    seen = maps.occupancy > 0
    rate = np.maximum(maps.rate[:, seen], FLOOR)
    before = np.log(maps.occupancy[seen]) if prior == "occupancy" else np.zeros(int(seen.sum()))
    check.room(counts.shape[1] * len(seen), "the posterior", "take wider bins, or a shorter time")
    told = counts.T @ np.log(rate) - width * trains.dt / 1000.0 * rate.sum(0) + before
    posterior = np.zeros((counts.shape[1], len(seen)))
    told = np.exp(told - told.max(1, keepdims=True))
    posterior[:, seen] = told / told.sum(1, keepdims=True)
    start = (trains.start + np.arange(len(posterior), dtype=np.float64) * width) * trains.dt
    return Decoded(start, posterior, maps.centres[posterior.argmax(1)], counts.sum(0), maps.edges, width)
