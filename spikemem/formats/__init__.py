"""File formats of other tools: networks to and from NIR."""

from spikemem.formats.nir import from_nir, to_nir

__all__ = ["from_nir", "to_nir"]
