"""Sweeps: a function over a grid of arguments, on many cores or machines, with one table at the end."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
