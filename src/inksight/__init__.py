"""inksight: train a small convolutional network on handwritten digits in seconds, then look inside it.

Every public name is listed in ``__init__.pyi``, for editors and type checkers, and imported when it is first used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__.remove("DigitClassifier")  # needs an extra, without which `from inksight import *` must still work
