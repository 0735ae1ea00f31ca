"""The cache of compiled training steps, shared by processes."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import jax


def enable_compilation_cache() -> None:
    """Let JAX cache what it compiles in the user's cache folder, unless the user configured another one.

    A training step takes about a second to compile, and a tenth of that to read from the cache. Without a folder that
    only the user can change, nothing is cached.
    """
    config: Any = jax.config  # its options have no types
    if config.jax_compilation_cache_dir is None and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = cache_folder()
        if folder is not None and make_private(folder):
            config.update("jax_compilation_cache_dir", str(folder))
            config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def cache_folder() -> Path | None:
    """Return the folder for compiled steps, in ``XDG_CACHE_HOME`` or in the system's folder for caches.

    None if the user has no home folder. As its specification says, ``XDG_CACHE_HOME`` is ignored unless it is absolute.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if caches.is_absolute():
        return caches / "inksight"
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry in the list of users
        return None
    return home / ("Library/Caches/inksight" if sys.platform == "darwin" else ".cache/inksight")


def make_private(folder: Path) -> bool:
    """Create a folder that only the user can read and change. Return False if it is not the user's own.

    What is cached is run, so it must not come from anybody else. A folder of the user that others could read is closed
    to them. One that others could change is not used: what it holds may be theirs.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            return False
        folder.chmod(0o700)
    except OSError:
        return False
    return True
