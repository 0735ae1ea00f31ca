"""The cache of compiled training steps, shared by processes."""

import os
import sys
from pathlib import Path
from typing import Any

import jax


def enable_compilation_cache() -> None:
    """Let JAX cache what it compiles in the user's cache folder, unless the user configured another one.

    A training step takes about a second to compile, and a tenth of that to read from the cache.
    """
    config: Any = jax.config  # its options have no types
    if config.jax_compilation_cache_dir is None and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.update("jax_compilation_cache_dir", str(cache_folder()))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def cache_folder() -> Path:
    """Return the folder for compiled steps, in ``XDG_CACHE_HOME`` or in the system's folder for caches."""
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        return Path(home) / "inksight"
    return Path.home() / ("Library/Caches/inksight" if sys.platform == "darwin" else ".cache/inksight")
