"""The network in other people's programs: ONNX, C, Keras and PyTorch, and networks from there."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
