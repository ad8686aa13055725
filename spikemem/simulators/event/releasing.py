"""Short-term plasticity in the event-driven simulator: what each spike releases, worked out when it arrives."""

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import short_term
from spikemem.network.graph import Projection
from spikemem.network.short_term import ReleaseState, TsodyksMarkram
from spikemem.simulators.event.learning import Events
from spikemem.simulators.state import as_numpy, filled
from spikemem.simulators.stimulus import Simulation

ALL = np.iinfo(np.int64).max
"""As `first`: every spike is carried."""


class Releasing:
    """The presynaptic cells of a projection: u and x, [batch, pre], each as it stood at the cell's own last step."""

    def __init__(self, rule: TsodyksMarkram, start: ReleaseState, before: int, first: int, dt: float) -> None:
        (self.u, self.x), self.first = start, first
        self.last = np.full(self.u.shape, before - 1)
        self.constants = rule.U, dt / rule.tau_facil if rule.tau_facil else np.inf, dt / rule.tau_rec

    def of(self, events: Events, step: int) -> NDArray[np.float64]:
        """What the spikes that arrive at a step release, [event]."""
        return short_term.release(events, self.first, step, self.last, self.u, self.x, *self.constants)

    def state(self, step: int) -> ReleaseState:
        """u and x as they stand at a step."""
        _, facil, rec = self.constants
        past = step - self.last
        return ReleaseState(
            np.where(past > 0, self.u * np.exp(-np.maximum(past, 1) * facil), self.u), 1.0 - (1.0 - self.x) * np.exp(-past * rec)
        )


def releasing(simulation: Simulation, projection: Projection, rule: TsodyksMarkram) -> Releasing:
    """Short-term plasticity of a projection, as it begins, or where an earlier run ended."""
    begun = rule.initial(np.zeros((simulation.drive.batches, simulation.net.populations[projection.pre].size)))
    start = begun if simulation.start is None else filled(begun, simulation.start.releases[projection.name], as_numpy)
    return Releasing(rule, start, simulation.before, ALL if projection.first is None else projection.first, simulation.net.dt)
