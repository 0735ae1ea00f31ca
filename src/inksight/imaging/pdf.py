"""PDF: its pages, rendered as pictures by PDFium."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from PIL import Image

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.errors import InputError, MissingDependencyError
from inksight.imaging.limits import check_page, check_pages

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

RESOLUTION = 200  # pixels per inch, at most: a usual scan
MAX_SIDE = 4000  # pixels: larger pages are rendered at a lower resolution
POINTS = 72  # per inch

_lock = Lock()  # PDFium must not be called by two threads at once


def is_pdf(content: bytes) -> bool:
    """Return whether a file is a PDF by its first bytes, which may be preceded by others."""
    return b"%PDF-" in content[:1024]


def count_pdf_pages(content: bytes, path: Path) -> int:
    """Return the number of pages of a PDF; parameters and errors are those of `render_page`."""
    with _opened(content, path) as document:
        return len(document)


def render_page(content: bytes, number: int, path: Path, memory_limit: int) -> Image.Image:
    """Return a page of a PDF as a picture.

    Parameters
    ----------
    content : bytes
        The content of a PDF file.
    number : int
        The page, from 0.
    path : Path
        The name of the file, for messages.
    memory_limit : int
        Largest number of bytes of the picture, at four bytes per pixel.

    Raises
    ------
    InputError
        If the file is damaged or encrypted, or has too many pages.
    MissingDependencyError
        If pypdfium2 is not installed.
    """
    with _opened(content, path) as document:
        check_page(number, len(document), path)
        page = document[number]
        width, height = page.get_size()  # points
        scale = min(RESOLUTION / POINTS, MAX_SIDE / max(width, height))
        check_memory(path, round(4 * width * height * scale * scale), memory_limit)
        image: Image.Image = page.render(scale=scale, may_draw_forms=True).to_pil()
        return image.convert("RGB")


@contextmanager
def _opened(content: bytes, path: Path) -> "Iterator[PdfDocument]":
    try:
        from pypdfium2 import PdfDocument, PdfiumError
    except ImportError as error:
        raise MissingDependencyError(
            f"{str(path)!r} is a PDF document, which needs pypdfium2: pip install 'inksight[pdf]', "
            "or save its pages as pictures, for example with pdftoppm -png"
        ) from error
    with _lock, damage_as_input_error(path, "a PDF document"):
        try:
            document = PdfDocument(content)
        except PdfiumError as error:
            if "assword" not in str(error):
                raise
            raise InputError(f"{str(path)!r} is encrypted: save it without a password") from error
        try:
            document.init_forms()  # before any page is loaded, so that what is filled in is drawn
            check_pages(len(document), path)
            yield document
        finally:
            document.close()
