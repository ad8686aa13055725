"""Libraries that come with an extra, imported when they are first needed."""

import importlib
from types import ModuleType

from spikemem.errors import MissingExtraError


def library(name: str, extra: str = "analysis") -> ModuleType:
    """A library by its name; MissingExtraError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f'{name} comes with the "{extra}" extra: pip install "spikemem[{extra}]" ({error})') from error
