"""Networks to and from the Neuromorphic Intermediate Representation (Pedersen et al. 2024)."""

from spikemem.formats.nir.read import from_nir, nir_shapes
from spikemem.formats.nir.write import to_nir

__all__ = ["from_nir", "nir_shapes", "to_nir"]
