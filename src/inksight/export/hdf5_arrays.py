"""Arrays in untrusted HDF5 files, by their paths."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import damage_as_input_error
from inksight._shared.validation import check
from inksight.errors import MissingDependencyError
from inksight.nn.model_file import SIZE_LIMIT

MAX_OBJECTS = 10_000  # groups and arrays: also ends a walk around a group that holds itself


def read_hdf5(path: Path, stream: BinaryIO) -> tuple[dict[str, NDArray[np.generic]], str]:
    """Return the arrays of numbers in an HDF5 file by their paths, without those of an optimizer; and its model config.

    Parameters
    ----------
    path : Path
        Name of the file, for messages.
    stream : binary stream
        Its content.

    Returns
    -------
    dict of str to array
    str
        The attribute ``model_config``, in which Keras keeps the layers of a whole model; empty without one.

    Raises
    ------
    InputError
        If the file is damaged or too large, or refers to other files.
    MissingDependencyError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError(f"reading {str(path)!r} needs h5py: pip install 'inksight[keras]'") from error
    arrays: dict[str, NDArray[np.generic]] = {}
    seen = size = 0
    with damage_as_input_error(path, "an HDF5 file"), h5py.File(stream, "r") as file:
        groups = [("", file)]
        while groups:
            prefix, group = groups.pop()
            for name in group:
                seen += 1
                check(seen <= MAX_OBJECTS, "objects in the HDF5 file", seen, f"at most {MAX_OBJECTS}")
                where = f"{prefix}{name}"
                # Any other link could lead to a file that the owner of this one chose.
                is_inside = isinstance(group.get(name, getlink=True), h5py.HardLink)
                check(is_inside, f"link {where!r}", "one to somewhere else", "an array or a group of this file")
                found = group[name]
                if isinstance(found, h5py.Group):
                    if where not in ("optimizer", "optimizer_weights"):
                        groups.append((f"{where}/", found))
                    continue
                is_plain = isinstance(found, h5py.Dataset) and not found.is_virtual and not found.external
                check(is_plain and found.dtype.kind in "fiu", f"{where!r}", "something else", "an array of numbers")
                size += found.nbytes
                check(size <= SIZE_LIMIT, "bytes of all arrays", size, f"at most {SIZE_LIMIT}")
                arrays[where] = found[()] if found.shape else np.asarray(found[()])
        config = file.attrs.get("model_config", "")
        return arrays, config.decode() if isinstance(config, bytes) else str(config)
