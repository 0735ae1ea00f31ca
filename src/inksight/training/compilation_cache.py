"""Compiled training steps, kept from one process to the next."""

import os
import sys
from pathlib import Path
from typing import Any

import jax


def keep_compiled() -> None:
    """Let JAX keep what it compiles in the user's cache folder, unless the user has told it otherwise.

    A training step takes about a second to compile and a tenth of that to read back.
    """
    config: Any = jax.config  # its options have no types
    if config.jax_compilation_cache_dir is None and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.update("jax_compilation_cache_dir", str(folder()))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def folder() -> Path:
    """Return the place for compiled steps: the system's for caches, or ``XDG_CACHE_HOME``."""
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        return Path(home) / "inksight"
    return Path.home() / ("Library/Caches/inksight" if sys.platform == "darwin" else ".cache/inksight")
