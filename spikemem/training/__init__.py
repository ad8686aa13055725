"""Recipes: what is learned from which data with which loss, and how well; each goes through `spikemem.learn`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
