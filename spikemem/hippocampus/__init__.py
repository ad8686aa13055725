"""The hippocampus: its regions, wired into one circuit that stores and recalls vectors, and the rate model that it is compared with."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
