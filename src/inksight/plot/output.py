"""Figures as PNG or SVG files, and as SVG elements for light and dark pages."""

import io
import os
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from inksight._shared.files import replacing
from inksight._shared.validation import check
from inksight.plot.grammar import DARK, DARK_THEN_LIGHT, FROM_WHITE, LIGHT, LIGHT_THEN_DARK, TEXT

PNG_DPI = 160
SVG_DPI = 120  # of rasterized points; everything else is vectors or original pixels
FONTS = "'DejaVu Sans', Verdana, sans-serif"
SCREEN = 96 / 72  # CSS pixels per point
READABLE = 10  # CSS pixels: height of the smallest text on a page
FROM_WHITE_ID = "from-white-"
# Colors of text, and what a page makes of them. The last two exchange their colors on dark pages, if the page's style
# sheet sets these properties.
PAGE_COLORS = {
    TEXT: "currentColor",
    DARK_THEN_LIGHT: f"var(--dark-then-light, {DARK})",
    LIGHT_THEN_DARK: f"var(--light-then-dark, {LIGHT})",
}
# matplotlib only reads these from its global settings. They are set while a file is written, by one thread at a time,
# and then restored. The salt makes the ids, and so the bytes, the same in every run.
SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "inksight", "svg.image_inline": True}
WRITING = threading.Lock()

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG (160 dots per inch) or SVG (with text as text), depending on the suffix of `path`.

    The same figure gives the same bytes. The file is complete or not there: it is renamed into place once written.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ending in ``.png`` or ``.svg``.

    Raises
    ------
    InputError
        If `path` has another suffix, or cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Figure(), Path(folder) / "empty.png")
    ...     [path.name for path in Path(folder).iterdir()]
    ['empty.png']
    """
    kind = check_suffix(path)
    with replacing(path) as temporary, temporary.open("wb") as file:
        _write(figure, file, kind, "white")


def check_suffix(path: str | os.PathLike[str]) -> str:
    """Return ``png`` or ``svg`` from the suffix of `path`; raise `InputError` for another suffix."""
    kind = Path(path).suffix.lower().removeprefix(".")
    check(kind in ("png", "svg"), "suffix of a picture file", Path(path).suffix, ".png or .svg")
    return kind


def to_svg(figure: Figure, *, themed: bool = True, prefix: str = "", label: str = "") -> str:
    """Return a figure as an ``<svg>`` element for an HTML page.

    It has its natural width, at which no text is smaller than 10 pixels, and shrinks with its column. The page can
    prevent that with ``min-width: var(--natural)``. There is no style sheet, which would affect the whole page; images
    that start from white have the class ``from-white``, so that a dark page can invert them.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn by this package: its text and axes have the color `inksight.plot.grammar.TEXT`.
    themed : bool
        Make it transparent, with text, ticks and axis lines in the text color of the page; otherwise dark on white.
    prefix : str
        Put before every id, so that two figures on a page do not share ids.
    label : str
        Alternative text for screen readers.

    Returns
    -------
    str
        One element without an XML declaration, the same in every run.

    Examples
    --------
    >>> figure = Figure()
    >>> to_svg(figure)[:4]
    '<svg'
    """
    data = io.BytesIO()
    with _named_images(figure):
        _write(figure, data, "svg", "none" if themed else "white")
    root = ET.fromstring(data.getvalue())
    for parent in list(root.iter()):
        # Metadata is useless here, and matplotlib's style sheet would change every line on the page.
        for child in [c for c in parent if c.tag == f"{SVG}metadata" or c.find(f"{SVG}style") is not None]:
            parent.remove(child)
    used = set(re.findall(r"""(?:url\(|href=")#([^)"]+)""", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        _rewrite(element, used, prefix, themed)
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", data.getvalue().decode())]
    scale = max(SCREEN, READABLE / min(sizes, default=READABLE))
    width = float(re.sub("[a-z]", "", root.attrib.pop("width")))
    del root.attrib["height"]
    root.attrib |= {
        "xmlns": SVG[1:-1],
        "role": "img",
        "style": f"--natural:{width * scale:.0f}px;width:var(--natural);max-width:100%;height:auto;overflow:visible",
        "stroke-linejoin": "round",  # from the removed style sheet
    }
    if label:
        root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


@contextmanager
def _named_images(figure: Figure) -> Iterator[None]:
    """Give the images of a figure that start from white an id, by which they are known in its SVG."""
    images = [image for image in figure.findobj(AxesImage) if image.get_cmap().name in FROM_WHITE]
    before = [image.get_gid() for image in images]
    try:
        for number, image in enumerate(images):
            image.set_gid(f"{FROM_WHITE_ID}{number}")
        yield
    finally:
        for image, gid in zip(images, before, strict=True):
            image.set_gid(gid)


def _rewrite(element: ET.Element, used: set[str], prefix: str, themed: bool) -> None:
    """Remove the namespaces and unused ids of an element, and adapt its ids, links, fonts and colors to a page."""
    element.tag = element.tag.removeprefix(SVG)
    for name, value in list(element.attrib.items()):
        if name == "id":
            del element.attrib[name]
            if themed and value.startswith(FROM_WHITE_ID):
                element.set("class", FROM_WHITE_ID.rstrip("-"))
            if value in used:
                element.set("id", prefix + value)
            continue
        if name == LINK:
            del element.attrib[name]
            name = "href"
            # matplotlib puts a line break into embedded images, which XML turns into a space.
            value = re.sub(r"^#", f"#{prefix}", value).replace(" ", "")
        value = value.replace("url(#", f"url(#{prefix}")
        if name == "style":
            value = re.sub(r"font-family: [^;]*", f"font-family: {FONTS}", value)
            for color, on_page in PAGE_COLORS.items() if themed else ():
                value = value.replace(color, on_page)
        element.set(name, value)


def _write(figure: Figure, file: IO[bytes], kind: str, background: str) -> None:
    # Without date and library version, the bytes only change when the figure does.
    metadata = {"Date": None, "Creator": "inksight"} if kind == "svg" else {"Software": None}
    with WRITING, mpl.rc_context(SETTINGS):
        figure.savefig(
            file,
            format=kind,
            dpi=PNG_DPI if kind == "png" else SVG_DPI,
            facecolor=background,
            bbox_inches="tight",
            pad_inches=0.08,
            metadata=metadata,
        )
