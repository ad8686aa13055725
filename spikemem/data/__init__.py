"""Texts and tasks: the corpora that ship with spikemem, and readers of public data sets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
