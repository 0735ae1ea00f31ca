"""Figures as PNG or SVG files, and as SVG elements for light and dark pages."""

import io
import os
import re
import threading
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from inksight._shared.files import replacing
from inksight._shared.validation import check
from inksight.plot.grammar import TEXT

PNG_DPI = 160
SVG_DPI = 120  # of rasterized points; everything else is vectors or original pixels
FONTS = "'DejaVu Sans', Verdana, sans-serif"
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

    It has its natural width, shrinks with its column, and contains no style sheet, which would affect the whole page.

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
    _write(figure, data, "svg", "none" if themed else "white")
    root = ET.fromstring(data.getvalue())
    for parent in list(root.iter()):
        # Metadata is useless here, and matplotlib's style sheet would change every line on the page.
        for child in [c for c in parent if c.tag == f"{SVG}metadata" or c.find(f"{SVG}style") is not None]:
            parent.remove(child)
    used = set(re.findall(r"""(?:url\(|href=")#([^)"]+)""", ET.tostring(root, encoding="unicode")))
    for element in root.iter():
        _rewrite(element, used, prefix, themed)
    width = float(re.sub("[a-z]", "", root.attrib.pop("width")))
    del root.attrib["height"]
    root.attrib |= {
        "xmlns": SVG[1:-1],
        "role": "img",
        "style": f"--natural:{width / 72 * 96:.0f}px;width:var(--natural);max-width:100%;height:auto;overflow:visible",
        "stroke-linejoin": "round",  # from the removed style sheet
    }
    if label:
        root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


def _rewrite(element: ET.Element, used: set[str], prefix: str, themed: bool) -> None:
    """Remove the namespaces and unused ids of an element, and adapt its ids, links, fonts and colors to a page."""
    element.tag = element.tag.removeprefix(SVG)
    for name, value in list(element.attrib.items()):
        if name == "id":
            del element.attrib[name]
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
            value = value.replace(TEXT, "currentColor") if themed else value
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
