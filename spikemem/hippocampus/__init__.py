"""The hippocampus: regions wired into one circuit, what it recalls, and its rate twin."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
