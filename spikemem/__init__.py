"""spikemem: spiking networks and a whole hippocampal memory made of spiking populations.

`__init__.pyi` is the table of contents; a name is loaded when it is first used, so that torch and numba are not until something needs them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
