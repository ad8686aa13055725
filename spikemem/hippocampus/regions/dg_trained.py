"""Dentate gyrus with trained synapses: all dimensions drive a granule cell.

    w_g = drawn_g A / sigma_g          drawn_g: a Gaussian row, [d]      A: learned, [d, d] (`spikemem.training.hippocampus`)

All else is as in `regions.dg`.
"""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpecError
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.dg import BLOCK, DG, Adaptation
from spikemem.hippocampus.spec import ModelSpec, weights_file
from spikemem.kernels import granule_cells
from spikemem.network.synapses import Dense
from spikemem.snapshot import contents, load_arrays, save_arrays

FORMAT = "spikemem-dg-1"


def save_shape(path: str | Path, shape: NDArray[np.float32], **metadata: object) -> Path:
    """Write a trained A, [d, d], as safetensors with a checksum.   metadata: further entries of the file, JSON-able."""
    return save_arrays(path, {"shape": shape}, {**metadata, "format": FORMAT})


@cache
def trained_shape(weights: str, dim: int) -> NDArray[np.float64]:
    """A, float64, [d, d], of a file that `save_shape` wrote.

    Raises SnapshotError where the file is missing, damaged or something else, SpecError where it is for other dimensions.
    """
    path = weights_file(weights)
    arrays, _ = load_arrays(path, FORMAT)
    with contents(path, "whole shape of DG's weights"):
        shape = arrays["shape"].astype(np.float64)
    if shape.shape != (dim, dim) or not np.isfinite(shape).all():
        raise SpecError(f"dg.weights {weights!r} are finite for {shape.shape} dimensions at best; the model needs ({dim}, {dim})")
    return shape


@lru_cache(maxsize=2)
def _shaped(seed: int, dim: int, cells: int, weights: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """All dimensions for each cell, and its weights before scaling, [cell, d] each; memories of a seed share them."""
    drawn = np.random.default_rng([seed, 1]).normal(size=(cells, dim))
    return np.broadcast_to(np.arange(dim, dtype=np.int32), (cells, dim)), drawn @ trained_shape(weights, dim)


class TrainedDG(DG):
    """Granule cells with the weights of `dg.weights`; `inputs` are all dimensions, in their order."""

    def _wired(self, seed: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        assert self.spec.dg.weights is not None
        return _shaped(seed, self.spec.ec.dim, self.spec.dg.cells, self.spec.dg.weights)

    def _variance(self, inputs: NDArray[np.int32], drawn: NDArray[np.float64], known: float, isotropic: float) -> NDArray[np.float64]:
        spread = known * self.adaptation.covariance + (1 - known) * isotropic * np.eye(self.spec.ec.dim)
        return ((drawn @ spread) * drawn).sum(1)

    def _first(
        self, received: NDArray[np.int8], bias: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:  # fmt: skip
        """In blocks: all drives at once would take gigabytes."""
        levels, parts = np.array(self.levels), [received[i : i + BLOCK] for i in range(0, max(len(received), 1), BLOCK)]
        made = [granule_cells.codes_of(part.astype(np.float64) @ self.weights.T - bias, levels, k) for part in parts]
        return np.concatenate([codes for codes, _ in made]), np.concatenate([when for _, when in made])

    def drive(self, counts: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.float64]:
        return counts.astype(np.float64) @ self.weights.T - self.bias

    def push_pull(self) -> Dense:
        return Dense(ec.push_pull(self.weights.T))


def dentate(spec: ModelSpec, seed: int, adaptation: Adaptation | None = None) -> DG:
    """The granule cells of a model."""
    return (DG if spec.dg.weights is None else TrainedDG)(spec, seed, adaptation)
