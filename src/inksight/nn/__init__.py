"""The network: parameters, forward pass, the model and its file, the out-of-distribution detector."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
