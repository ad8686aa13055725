"""Formats of other tools: networks to and from NIR, recordings to Neo, NWB and pandas, spike trains and events of others as stimuli."""

from spikemem.formats.events import spikes_from_events
from spikemem.formats.neo import spikes_from, to_neo
from spikemem.formats.nir import from_nir, nir_shapes, to_nir
from spikemem.formats.nwb import from_nwb, to_nwb
from spikemem.formats.pandas import to_pandas

__all__ = ["from_nir", "from_nwb", "nir_shapes", "spikes_from", "spikes_from_events", "to_neo", "to_nir", "to_nwb", "to_pandas"]
