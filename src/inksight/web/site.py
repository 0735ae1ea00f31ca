"""The files of the page, as a folder for any web server or as one file that works from disk."""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from inksight import __version__
from inksight._shared.files import as_path, make_folder, write_bytes
from inksight.config import DIGITS
from inksight.nn.history import History
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_bytes, as_model, content_of_model
from inksight.web.bundle import bundle, loaded_at_start
from inksight.web.digits import training_digits
from inksight.web.mnist import all_digits, few_digits
from inksight.web.settings import palette, settings
from inksight.web.training import training_settings

DIGITS_FILE = "digits.bin"  # loaded when it is asked for
WORKER = "worker.js"
# What the page may load: its own files, and pictures that the visitor gives it; nothing inline, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; img-src data: blob:; "
    "connect-src {data}; worker-src {workers}; base-uri 'none'; form-action 'none'"
)
# What a visitor's browser does not need: comments, empty lines and indentation, a sixth of the scripts.
_UNNEEDED = re.compile(r"^(?:[ \t]*//.*\n|[ \t]+|\n)+|[ \t]+//[ ].*$", re.MULTILINE)
# A browser would otherwise learn of a script only when it has read the one that imports it.
PRELOAD = '<link rel="modulepreload" href="{}">'
STYLE, THEME, MAIN = (
    '<link rel="stylesheet" href="style.css">',
    '<script src="theme.js"></script>',
    '<script type="module" src="main.js"></script>',
)


def write_site(folder: str | os.PathLike[str], model: ModelLike = "post") -> list[Path]:
    """Write the page as a folder of static files, which any web server can serve, also below a path.

    Other files in the folder are left alone.

    Parameters
    ----------
    folder : path-like
        Is made if it does not exist.
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, or the model does not exist.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     len([path for path in write_site(folder) if path.name == "engine.wasm"])
    1
    """
    files = site_files(model)
    root = make_folder(folder)
    for name, content in files.items():
        make_folder((root / name).parent)
        write_bytes(root / name, content)
    return [root / name for name in files]


def write_page(path: str | os.PathLike[str], model: ModelLike = "post") -> None:
    """Write the page as one file, which a browser opens from disk.

    Parameters
    ----------
    path : path-like
        The HTML file to write.
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.

    Raises
    ------
    InputError
        If the file cannot be written, or the model does not exist.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_page(Path(folder) / "page.html", "tiny")
    ...     (Path(folder) / "page.html").read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    path = as_path(path)
    write_bytes(path, single_file(site_files(model)))


def site_files(model: ModelLike = "post") -> dict[str, bytes]:
    """Return the files of the page by their paths in its folder."""
    loaded = as_model(model)
    name = model if isinstance(model, str) else Path(model).name if isinstance(model, os.PathLike) else ""
    data = {
        "settings.json": settings(loaded, Path(name).name),
        "model.safetensors": as_bytes(*content_of_model(_smaller(loaded))),
        "engine.wasm": _asset("engine.wasm"),
        "engine-relaxed.wasm": _asset("engine-relaxed.wasm"),
        "palette.json": palette(),
        "training.json": training_settings(),
        **({DIGITS_FILE: training_digits()} if loaded.class_names == DIGITS else {}),
        **all_digits(),
    }
    return _sources() | data


def _smaller(model: Model) -> Model:
    """Return a model without what a page need not download.

    The history of the training is a tenth of the file, and the page does not show it. The whitening is triangular but
    for rounding: its zeros compress well, noise of 1e-14 does not.
    """
    detector = model.ood_detector
    if isinstance(detector, MahalanobisDetector):
        detector = replace(detector, whitening=np.triu(detector.whitening))
    return replace(model, history=History(), ood_detector=detector)


def single_file(files: dict[str, bytes]) -> bytes:
    """Return one HTML file that holds the files of the page, with a part of the digits of MNIST."""
    files = files | few_digits()
    texts = {name: content.decode() for name, content in files.items() if name.endswith((".js", ".css", ".html"))}
    views = [text for name, text in texts.items() if name.endswith(".css") and name != "style.css"]
    style, theme = "".join([texts["style.css"], *views]), texts["theme.js"]
    scripts = {name: text for name, text in texts.items() if name.endswith(".js")}
    script = bundle(scripts, "main.js")
    embedded = {name: content for name, content in files.items() if name not in texts}
    embedded[WORKER] = bundle(scripts, WORKER).encode()
    data = "\n".join(
        f'<script type="text/plain" id="file-{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in embedded.items()
    )
    page = re.sub(PRELOAD.format(".*") + "\n", "", texts["index.html"])
    for element, inline in (
        (STYLE, f"<style>{style}</style>"),
        (THEME, f"<script>{theme}</script>"),
        (MAIN, f'{data}\n<script type="module">{script}</script>'),
    ):
        before, after = page.split(element)
        page = before + inline + after
    inline_policy = POLICY.format(
        scripts=f"{_hash(theme)} {_hash(script)}", styles=_hash(style), data="'none'", workers="blob:"
    )
    return page.replace(_folder_policy(), inline_policy).encode()


def _sources() -> dict[str, bytes]:
    """Return the page without its data: scripts, style sheet and HTML."""
    templates = resources.files("inksight.report") / "templates"  # the page has the colors of the report
    found = dict(_files_below(resources.files("inksight.web") / "page"))
    for name, content in found.items():
        if name.endswith(".js"):
            found[name] = _UNNEEDED.sub("", content.decode()).encode()
    scripts = {name: content.decode() for name, content in found.items() if name.endswith(".js")}
    html = found["index.html"].decode().replace("{{ policy }}", _folder_policy()).replace("{{ version }}", __version__)
    preload = "\n".join(PRELOAD.format(name) for name in loaded_at_start(scripts, "main.js"))
    found["index.html"] = html.replace("{{ preload }}", preload).encode()
    found["style.css"] = (templates / "palette.css").read_bytes() + found["style.css"]
    found["theme.js"] = (templates / "theme.js").read_bytes()
    return found


def _files_below(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each file in a folder and in its subfolders."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files_below(entry, f"{above}{entry.name}/")
        else:
            yield above + entry.name, entry.read_bytes()


def _folder_policy() -> str:
    return POLICY.format(scripts="'self'", styles="'self'", data="'self'", workers="'self'")


def _hash(text: str) -> str:
    """Return the source of a content security policy that allows an inline script or style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> bytes:
    return (resources.files("inksight") / "assets" / name).read_bytes()
