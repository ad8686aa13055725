"""Events of neuromorphic sensors as stimuli: the structured arrays that Tonic's data sets and readers give (Lenz et al. 2021)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX
from spikemem.errors import StimulusError
from spikemem.instruments.spikes import check

MICROSECONDS = 1000.0
"""In a ms; the unit of an event's time."""


def spikes_from_events(events: Any, sensor_size: Sequence[int], dt: float = 1.0, steps: int | None = None) -> NDArray[np.bool_]:
    """Events of a sensor as the stimulus of a population, one cell for each pixel and polarity: bool, [time, cell].

    The cell of an event is (p height + y) width + x, so that `spikes.reshape(steps, polarities, height, width)` are its frames, as those
    of `tonic.transforms.ToFrame`. Step 0 begins with the first event. Several events of a pixel and polarity in one step are one spike.

    events: a structured array with the fields `x`, `p` and `t`, microseconds, and `y` where the sensor is higher than 1: what
        `tonic.datasets` and `tonic.io` (AEDAT and others; the extra `events`) give. Of a sensor with one polarity `p` is not read.
    sensor_size: (width, height, polarities), as Tonic has it: `dataset.sensor_size`.
    dt: of the network, ms.   steps: of the run; None takes as many as the events last.
    StimulusError where an event is outside the sensor, before the first one, or after the last step.

    >>> fields = [("x", int), ("y", int), ("p", bool), ("t", int)]
    >>> spikes_from_events(np.array([(1, 0, 0, 7000), (0, 1, 1, 8100)], fields), (2, 2, 2)).nonzero()
    (array([0, 1]), array([1, 6]))
    """
    sizes = [check.integer(n, "sensor_size", least=1, most=INDEX) for n in check.listed(sensor_size, "sensor_size", "three numbers")]
    if len(sizes) != 3:
        raise StimulusError(f"sensor_size has {len(sizes)} numbers; it must be (width, height, polarities)")
    width, height, polarities = sizes
    dt = check.finite(dt, "dt", above=0, unit=" ms")
    time = _field(events, "t", INDEX * MICROSECONDS)
    x = _field(events, "x", width)
    y = _field(events, "y", height) if height > 1 else np.zeros_like(x)
    p = _field(events, "p", polarities) if polarities > 1 else np.zeros_like(x)
    since = time - time[0] if len(time) else time
    if (since < 0).any():
        raise StimulusError("an event is earlier than the first one; sort the events by their time, `events[np.argsort(events['t'])]`")
    at = np.floor(since / (dt * MICROSECONDS) + 1e-9).astype(np.int64)
    last = int(at.max(initial=0))
    steps = last + 1 if steps is None else check.integer(steps, "steps", least=1, most=INDEX)
    if last >= steps:
        raise StimulusError(
            f"an event is {last * dt:g} ms after the first one, the run ends after {steps * dt:g} ms; give more `steps`, or cut them"
        )
    cells = width * height * polarities
    check.room(steps * cells, "the stimulus", "take fewer steps, or fewer pixels by `tonic.transforms.Downsample`")
    spikes = np.zeros((steps, cells), bool)
    spikes[at, (p * height + y) * width + x] = True
    return spikes


def _field(events: Any, name: str, below: float) -> NDArray[np.int64]:
    """A field of events as whole numbers from 0 to below - 1."""
    fields = getattr(getattr(events, "dtype", None), "names", None) or ()
    if name not in fields:
        raise StimulusError(f"events have the fields {', '.join(fields) or 'of no structured array'}, and no {name!r}; give those of Tonic")
    values = np.asarray(events[name])
    if values.ndim != 1 or values.dtype.kind not in "iubf" or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        raise StimulusError(f"the field {name!r} of events is {values.dtype} of shape {values.shape}; it must be one number an event")
    if len(values) and not (values.min() >= 0 and values.max() < below):
        raise StimulusError(f"the field {name!r} of events goes from {values.min()} to {values.max()}, outside 0 to {below - 1:g}")
    return values.astype(np.int64)
