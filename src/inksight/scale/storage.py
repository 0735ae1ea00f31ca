"""Files on this machine or in a remote storage: `open_file` for inputs, and `Folder` for results.

Remote names are URLs such as ``s3://bucket/scans.tar``, which fsspec opens.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from inksight._shared.files import make_folder, replacing
from inksight._shared.temporary import temporary_folder
from inksight._shared.untrusted import check_is_file, unreadable
from inksight.errors import InksightError, InputError, MissingDependencyError, MissingFileError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters or more: C:// is a drive


def is_url(name: str) -> bool:
    """Return whether a name is a URL.

    Examples
    --------
    >>> is_url("s3://bucket/scans.tar"), is_url("scans.tar")
    (True, False)
    """
    return _URL.match(name) is not None


@contextmanager
def open_file(name: str) -> Iterator[IO[bytes]]:
    """Open a file to read, at any place in it; raise these errors while it is read, too.

    Raises
    ------
    InputError
        If it does not exist or cannot be read.
    MissingDependencyError
        If it is remote and fsspec, or its library for that kind of storage, is not installed.
    """
    if is_url(name):
        with _remote_errors(name):
            files, path = file_system(name)
            with files.open(path, "rb") as opened:
                yield opened
        return
    try:
        check_is_file(Path(name), "give another name")
        with Path(name).open("rb") as opened:
            yield opened
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {name!r}: check the name") from error
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(name, error) from error


@contextmanager
def _remote_errors(name: str, verb: str = "read") -> Iterator[None]:
    """Convert what the libraries for remote storage raise, which may be of any class, to one `InputError`."""
    try:
        yield
    except (InksightError, MemoryError):
        raise
    except ImportError as error:
        library = f"needs {error.name}" if error.name not in (None, "fsspec") else "needs fsspec"
        raise MissingDependencyError(f"{name!r} {library}: pip install 'inksight[remote]'") from error
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {name!r}: check the name") from error
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(f"cannot {verb} {name!r} ({reason}): check its name and your access to it") from error


def find_remote(pattern: str) -> list[str]:
    """Return the URLs of the files that a remote pattern or folder stands for, sorted by name."""
    with _remote_errors(pattern):
        files, path = file_system(pattern)
        if not re.search(r"[*?[]", path) and files.isfile(path):
            return [pattern]
        found = files.glob(path) if re.search(r"[*?[]", path) else files.find(path, maxdepth=1)
        return sorted(files.unstrip_protocol(each) for each in found if files.isfile(each))


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there."""
    from fsspec.core import url_to_fs

    files, path = url_to_fs(url)
    return files, path


@dataclass(frozen=True)
class Folder:
    """A folder of results. A file in it is there completely or not at all.

    Parameters
    ----------
    name : str
        A path, or a URL.
    """

    name: str

    def create(self) -> None:
        """Create the folder if it does not exist."""
        if self.local is not None:
            make_folder(self.local)
            return
        with _remote_errors(self.name, "make folder"):
            files, path = file_system(self.name)
            files.makedirs(path, exist_ok=True)  # nothing where folders are parts of names only

    def names(self) -> set[str]:
        """Return the names of the files in the folder."""
        if self.local is not None:
            try:
                return {path.name for path in self.local.iterdir()}
            except OSError as error:
                raise unreadable(self.name, error) from error
        with _remote_errors(self.name):
            files, path = file_system(self.name)
            files.invalidate_cache()
            return {each.rsplit("/", 1)[-1] for each in files.find(path, maxdepth=1)}

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file of the folder to read; see `open_file`."""
        return open_file(f"{self.name}/{name}" if self.local is None else str(self.local / name))

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        try:
            with self.open(name) as file:
                return file.read()
        except MissingFileError:
            return None

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Yield a temporary file, which becomes the file `name` if the block ends without an error."""
        if self.local is not None:
            with replacing(self.local / name) as temporary:
                yield temporary
            return
        with temporary_folder() as folder:
            yield folder / name
            with _remote_errors(f"{self.name}/{name}", "write"):
                files, path = file_system(self.name)
                files.put_file(str(folder / name), f"{path}/{name}")  # which a reader sees when it is complete

    @property
    def local(self) -> Path | None:
        """Its path if it is on this machine, also as a URL; else None."""
        if self.name.startswith("file://"):
            return Path(self.name.removeprefix("file://"))
        return None if is_url(self.name) else Path(self.name)
