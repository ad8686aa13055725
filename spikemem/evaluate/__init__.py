"""Measurements: spikes against rates, simulators against one another, a memory against vector search, and timings."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
