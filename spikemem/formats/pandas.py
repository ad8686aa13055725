"""Recordings as tables of pandas."""

from typing import Any

import numpy as np

from spikemem.instruments.extra import library
from spikemem.instruments.spikes import Recorded


def to_pandas(recording: Recorded) -> Any:
    """Every spike of a recording as a row of a `pandas.DataFrame`, population by population, in the order of its `Spikes`.

    Columns: `population` (a categorical: silent ones are among its categories), `batch`, `cell`, `step`, and `time`, ms from the start of
    the run. MissingExtraError without the `analysis` extra.
    """
    pandas = library("pandas")
    names, parts = list(recording.spikes), list(recording.spikes.values())
    whose = np.repeat(np.arange(len(parts)), [len(spikes) for spikes in parts])
    columns = {part: np.concatenate([np.zeros(0, np.int32), *(getattr(s, part) for s in parts)]) for part in ("batch", "cell", "step")}
    population = pandas.Categorical.from_codes(whose, categories=names)
    return pandas.DataFrame({"population": population, **columns, "time": columns["step"] * recording.dt})
