"""The demo, which compares the spiking memory with the rate model on the shipped corpus, its HTML report, and the laboratory's page."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
