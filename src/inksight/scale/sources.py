"""`open_source`: millions of pictures or images as one numbered sequence, of which any range can be read."""

import glob
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

from inksight._shared.untrusted import unreadable
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.decoding import visible_files
from inksight.scale.array_source import ArraySource
from inksight.scale.parquet_source import ParquetSource
from inksight.scale.storage import find_remote, is_url, open_file
from inksight.scale.tar_source import TarSource

_HEAD = 512  # bytes that tell an archive or array
_SAMPLES, _BLOCK = 16, 4096  # parts of a file that tell it from another one of the same size, and bytes of each


class Source(Protocol):
    """A sequence of pictures, or of images of 28x28 pixels, of which any range can be read."""

    @property
    def of_arrays(self) -> bool:
        """Whether these are images."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Iterator[Any]:
        """Yield what has the numbers from `start` to before `stop`.

        A picture is its name and its content, which is None if it is to be read from the file of that name. Images come
        as arrays of several.
        """


@dataclass(frozen=True)
class Files:
    """Picture files."""

    names: tuple[str, ...]
    of_arrays = False

    def __len__(self) -> int:
        return len(self.names)

    def read(self, start: int, stop: int) -> Iterator[tuple[str, None]]:
        """Yield the names of files."""
        for name in self.names[start:stop]:
            yield name, None


@dataclass(frozen=True)
class Chain:
    """Several sources, one after another."""

    sources: tuple[Source, ...]
    ends: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", tuple(accumulate(map(len, self.sources))))

    @property
    def of_arrays(self) -> bool:
        """Whether the items are arrays."""
        return self.sources[0].of_arrays

    def __len__(self) -> int:
        return self.ends[-1]

    def read(self, start: int, stop: int) -> Iterator[Any]:
        """Yield what the sources yield, in their order."""
        for number in range(bisect_right(self.ends, start), len(self.sources)):
            begin = self.ends[number - 1] if number else 0
            if begin >= stop:
                return
            yield from self.sources[number].read(max(start - begin, 0), min(stop, self.ends[number]) - begin)


def open_source(names: Sequence[str]) -> Source:
    """Return all that some names stand for.

    Parameters
    ----------
    names : sequence of str
        Picture files, folders of them (without their subfolders), patterns such as ``scans/**.png``, tar archives and
        Parquet files of pictures; or NumPy files (.npy) of images, uint8 of shape (n, 28, 28), high = ink. Each may be
        a URL.

    Raises
    ------
    InputError
        If a name stands for nothing, a file cannot be read or is damaged, or there are both pictures and arrays.
    MissingDependencyError
        If the library for a Parquet file or a URL is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/digits.npy", np.zeros((5, 28, 28), np.uint8))
    ...     source = open_source([f"{folder}/digits.npy"])
    ...     len(source), [images.shape for images in source.read(1, 4)]
    (5, [(3, 28, 28)])
    """
    sources: list[Source] = []
    pictures: list[str] = []

    def end_pictures() -> None:
        if pictures:
            sources.append(Files(tuple(pictures)))
            pictures.clear()

    for name in names:
        found = _expand(name)
        archive = _archive(found[0]) if len(found) == 1 else None
        for each in found:
            other = archive if len(found) == 1 else _archive_by_suffix(each)
            if other is None:
                pictures.append(each)
            else:
                end_pictures()
                sources.append(other)
    end_pictures()
    kinds = {source.of_arrays for source in sources}
    check(len(kinds) == 1, "sources", list(names), "either pictures or arrays of images", "read them by two commands")
    source = Chain(tuple(sources))
    check(len(source) > 0, "number of images", 0, "1 or more")
    return source


def fingerprint(source: Source) -> str:
    """Return a digest by which a source is recognized: of the names and sizes of its files, and of samples of archives.

    It does not read whole files, so it does not notice every change.
    """
    digest = hashlib.sha256()
    for part in source.sources if isinstance(source, Chain) else (source,):
        names: Iterable[str] = part.names if isinstance(part, Files) else (part.name,)  # type: ignore[attr-defined]
        digest.update(f"{type(part).__name__} {len(part)}\0".encode())
        for name in names:
            digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
            if not isinstance(part, Files):
                digest.update(_samples(name))
            elif not is_url(name):
                digest.update(str(_size(name)).encode())
    return digest.hexdigest()


def _size(name: str) -> int | None:
    """Return the bytes of a picture file; None if it has been removed or cannot be looked at."""
    try:
        return Path(name).stat().st_size
    except (OSError, ValueError):
        return None


def _samples(name: str) -> bytes:
    with open_file(name) as file:
        size = file.seek(0, 2)
        samples = [str(size).encode()]
        for place in range(_SAMPLES):
            file.seek(max(size - _BLOCK, 0) * place // (_SAMPLES - 1))
            samples.append(file.read(_BLOCK))
    return b"".join(samples)


def _expand(name: str) -> list[str]:
    """Return the files that a name stands for."""
    check(name != "", "name of a picture", "", "that of a file or folder")
    is_pattern = re.search(r"[*?[]", name) is not None
    pattern = re.sub(r"\*\*(?=[^/])", "**/*", name)  # as in scans/**.png
    try:
        if is_url(name):
            found = find_remote(pattern)
        elif is_pattern and not Path(name).exists():
            found = sorted(each for each in glob.glob(pattern, recursive=True) if Path(each).is_file())  # noqa: PTH207
        elif Path(name).is_dir():
            found = [str(path) for path in visible_files(Path(name))]
        else:
            with open_file(name):  # what is named must be there, unlike what is found
                found = [name]
    except OSError as error:
        raise unreadable(name, error) from error
    if not found:
        raise InputError(f"{name!r} stands for no files: check the name, or put the pattern in quotes")
    return found


def _archive_by_suffix(name: str) -> Source | None:
    """Return the archive or array among many files, which are not all opened to look."""
    return _archive(name) if name.lower().endswith((".npy", ".parquet", ".tar")) else None


def _archive(name: str) -> Source | None:
    """Return the archive or array in a file, or None for a picture, or what may be one."""
    try:
        with open_file(name) as file:
            head = file.read(_HEAD)
    except InputError:
        if is_url(name):
            raise
        return None  # one of a folder: reading it as a picture names the error in its row
    if head.startswith(b"\x93NUMPY"):
        return ArraySource(name)
    if head.startswith(b"PAR1"):
        return ParquetSource(name)
    if head[257:262] == b"ustar":
        return TarSource(name)
    packed = name.lower().endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"))
    advice = "no part of it could be read alone, so unpack it to .tar"
    check(not packed, "archive", name, "not compressed as a whole", advice)
    return None
