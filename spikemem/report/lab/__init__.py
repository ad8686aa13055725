"""The laboratory: a recall and the engrams behind it, on one page of HTML to look into; see `docs/lab.md`."""

from spikemem.report.lab.observation import Observation, ObservedMemory, observe, observe_vectors
from spikemem.report.lab.page import check_extra, rendered, write

__all__ = ["Observation", "ObservedMemory", "check_extra", "observe", "observe_vectors", "rendered", "write"]
