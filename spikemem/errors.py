"""The errors that spikemem raises: each message names the cause, what was expected, and the mend."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


class SpikememError(Exception):
    """The base class: `except SpikememError` catches every error that spikemem raises itself."""


class SpecError(SpikememError):
    """A model file that cannot be read, has an unknown key, or has a value out of range."""


class NetworkError(SpikememError):
    """A network description whose parts do not fit together: shapes, delays, names."""


class UnsupportedError(NetworkError):
    """A network with a feature that a simulator lacks; the message names both."""


class StimulusError(SpikememError):
    """A stimulus whose shape, kind or values do not fit the network."""


class VectorError(SpikememError):
    """Vectors that are not finite, non-zero floats of the model's dimension, or arguments that do not fit them."""


class UnknownMemoryError(SpikememError):
    """A memory id that does not exist, was forgotten, or cannot be used in this call."""


class TextError(SpikememError):
    """Text that cannot be a memory or a cue: empty, not a string, or too long."""


class TimeError(SpikememError):
    """A time that is no datetime, or one outside the years 1 to 9999."""


class StoreError(SpikememError):
    """A database that cannot be used: corrupt, foreign, or of another model."""


class StoreLockedError(StoreError):
    """A database that another process is writing to."""


class TrainingError(SpikememError):
    """A training that cannot begin, or go on: settings, data or a checkpoint that do not fit, or a loss that is no longer finite."""


class SweepError(SpikememError):
    """A sweep that cannot begin, or of which a run has failed.   rows: of the runs that ended, arguments and results."""

    rows: Sequence[Mapping[str, Any]] = ()


class SnapshotError(SpikememError):
    """A saved file (snapshot, recording) that is truncated, altered, or something else."""


class MissingExtraError(SpikememError):
    """An optional dependency that is not installed; the message names the extra."""


class DataError(SpikememError):
    """A data set's file that cannot be read or is not in its published format, or what cannot be measured."""


class MissingDataError(DataError):
    """A data set that is not in the folder; the message says what was looked for."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C come out as KeyboardInterrupt where it falls into compiled code, which would make a SystemError of it."""
    try:
        yield
    except SystemError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise KeyboardInterrupt from error
