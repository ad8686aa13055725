"""Training of spiking layers: the layers, the loop, checkpoints, and what watches over them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
