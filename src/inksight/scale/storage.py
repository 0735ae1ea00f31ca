"""Files on this machine or in a remote storage: `open_file` for inputs, and `Folder` for results.

Remote names are URLs such as ``s3://bucket/scans.tar``, which fsspec opens.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from inksight._shared.files import make_folder, replacing
from inksight._shared.temporary import temporary_folder
from inksight._shared.untrusted import check_is_file, unreadable
from inksight.errors import InputError, MissingDependencyError, MissingFileError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters or more: C:// is a drive


def is_url(name: str) -> bool:
    """Return whether a name is a URL.

    Examples
    --------
    >>> is_url("s3://bucket/scans.tar"), is_url("scans.tar")
    (True, False)
    """
    return _URL.match(name) is not None


def open_file(name: str) -> IO[bytes]:
    """Open a file to read, at any place in it.

    Raises
    ------
    InputError
        If it does not exist or cannot be read.
    MissingDependencyError
        If it is remote and fsspec, or its library for that kind of storage, is not installed.
    """
    try:
        if not is_url(name):
            check_is_file(Path(name), "give a picture, an archive or an array")
            return Path(name).open("rb")
        files, path = file_system(name)
        opened: IO[bytes] = files.open(path, "rb")
        return opened
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {name!r}: check the name") from error
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(name, error) from error


def find_remote(pattern: str) -> list[str]:
    """Return the URLs of the files that a remote pattern or folder stands for, sorted by name."""
    files, path = file_system(pattern)
    try:
        if not re.search(r"[*?[]", path) and files.isfile(path):
            return [pattern]
        found = files.glob(path) if re.search(r"[*?[]", path) else files.find(path, maxdepth=1)
    except (OSError, ValueError) as error:
        raise unreadable(pattern, error) from error
    return sorted(files.unstrip_protocol(each) for each in found if files.isfile(each))


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there."""
    try:
        from fsspec.core import url_to_fs

        files, path = url_to_fs(url)
    except ImportError as error:
        library = f"needs {error.name}" if error.name not in (None, "fsspec") else "needs fsspec"
        raise MissingDependencyError(f"{url!r} {library}: pip install 'inksight[remote]'") from error
    except (OSError, ValueError) as error:
        raise unreadable(url, error) from error
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
        if self._local is not None:
            make_folder(self._local)
            return
        files, path = file_system(self.name)
        try:
            files.makedirs(path, exist_ok=True)  # nothing where folders are parts of names only
        except OSError as error:
            raise InputError(f"cannot make folder {self.name!r}: {error}; give another one") from error

    def names(self) -> set[str]:
        """Return the names of the files in the folder."""
        if self._local is not None:
            return {path.name for path in self._local.iterdir()}
        files, path = file_system(self.name)
        files.invalidate_cache()
        return {each.rsplit("/", 1)[-1] for each in files.find(path, maxdepth=1)}

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        try:
            if self._local is not None:
                return (self._local / name).read_bytes()
            files, path = file_system(self.name)
            content: bytes = files.cat_file(f"{path}/{name}")
            return content
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(f"{self.name}/{name}", error) from error

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Yield a temporary file, which becomes the file `name` if the block ends without an error."""
        if self._local is not None:
            with replacing(self._local / name) as temporary:
                yield temporary
            return
        files, path = file_system(self.name)
        with temporary_folder() as folder:
            yield folder / name
            try:
                files.put_file(str(folder / name), f"{path}/{name}")  # which a reader sees when it is complete
            except OSError as error:
                raise InputError(f"cannot write {self.name}/{name}: {error}; give another folder") from error

    @property
    def _local(self) -> Path | None:
        if self.name.startswith("file://"):
            return Path(self.name.removeprefix("file://"))
        return None if is_url(self.name) else Path(self.name)
