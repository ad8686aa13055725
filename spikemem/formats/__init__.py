"""File formats of other tools: networks to and from NIR."""

from spikemem.formats.nir import from_nir, nir_shapes, to_nir

__all__ = ["from_nir", "nir_shapes", "to_nir"]
