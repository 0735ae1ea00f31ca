"""`FilePage`: a page of a picture file; `pages` returns all pages of one."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from inksight._shared.files import as_path
from inksight._shared.untrusted import check_is_file, unreadable
from inksight._shared.validation import check, is_count
from inksight.errors import InputError, TooLargeError
from inksight.imaging.decoding import count_pages, format_of

MAX_FILE_SIZE = 1 << 28  # bytes: largest picture file that is read
_HEAD = 1024  # bytes that tell the format of a file


@dataclass(frozen=True)
class FilePage:
    """A page of a picture file, which is decoded when it is read. Its ``str`` is ``scan.tif[2]``.

    Parameters
    ----------
    path : Path
        The name of the file.
    number : int or None
        The page, from 1; None if the file has only one.
    content : bytes, optional
        The content of the file, if it is not to be read from `path`.

    Raises
    ------
    InputError
        If an argument is of another type, or the number is less than 1.
    """

    path: Path
    number: int | None = None
    content: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path(self.path))
        check(self.number is None or is_count(self.number), "number of a page", self.number, "1 or more, or None")
        is_content = self.content is None or isinstance(self.content, bytes)
        check(is_content, "content of a page", self.content, "bytes or None")

    def __str__(self) -> str:
        return str(self.path) if self.number is None else f"{self.path}[{self.number}]"

    def read_content(self) -> bytes:
        """Return the content of the file; errors are those of `read_picture_file`."""
        return read_picture_file(self.path) if self.content is None else self.content


def pages(file: str | os.PathLike[str]) -> list[FilePage]:
    """Return the pages of a picture file: all of a TIFF or PDF, and one of any other picture.

    Parameters
    ----------
    file : path
        A picture file. The thumbnails and masks of a TIFF are not pages.

    Returns
    -------
    list of FilePage
        Pictures that `inksight.read` and `inksight.prepare` take. Each is decoded when it is read, so they need little
        memory.

    Raises
    ------
    InputError
        If the file cannot be read, or is a damaged TIFF or PDF or one of more than 1,000 pages.
    MissingDependencyError
        If it is a PDF and pypdfium2 is not installed.

    Examples
    --------
    >>> import inksight
    >>> from PIL import Image
    >>> from tempfile import TemporaryDirectory
    >>> seven, two = (Image.fromarray(255 - image) for image in inksight.load("mnist").split().test.images[:2])
    >>> with TemporaryDirectory() as folder:
    ...     seven.save(f"{folder}/scan.tif", save_all=True, append_images=[two])
    ...     [page.text for page in inksight.read(inksight.pages(f"{folder}/scan.tif"))]
    ['7', '2']
    """
    path = as_path(file)
    if format_of(_read(path, _HEAD)) not in ("TIFF", "PDF"):
        return [FilePage(path)]
    return pages_of(FilePage(path))


def pages_of(file: FilePage) -> list[FilePage]:
    """Return the pages of a file that is given as one page."""
    count = count_pages(file.read_content(), file.path)
    return [file] if count == 1 else [FilePage(file.path, number, file.content) for number in range(1, count + 1)]


def read_picture_file(name: str | os.PathLike[str]) -> bytes:
    """Return the content of a picture file. Raise `InputError` if it cannot be read, is not a file or is too large."""
    return _read(name)


def _read(name: str | os.PathLike[str], size: int = -1) -> bytes:
    try:
        path = as_path(name)
        check_is_file(path, "give a picture file")
        whole = path.stat().st_size
        name_of_size, allowed = f"bytes of {str(path)!r}", f"at most {MAX_FILE_SIZE:,}"
        check(whole <= MAX_FILE_SIZE, name_of_size, whole, allowed, "make it smaller", TooLargeError)
        with path.open("rb") as opened:
            return opened.read(size)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(name, error) from error
