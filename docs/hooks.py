"""Hooks for `mkdocs build`: pages from outside docs/, links that work on GitHub and on the site, the reference."""

import os
import re
from pathlib import Path

from make_api import home, public_values
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Files at the root of the repository, where GitHub looks for them, and the pages that show them on the site.
PAGES = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/RECORDS.md": "project/records.md",
}
SOURCES = {page: source for source, page in PAGES.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
ROOM = re.compile(r"^::: inksight\.(\w+)\.\*$", flags=re.MULTILINE)
WRITTEN_BY_HAND = ("index.md", "tutorial.md", "how-to/", "explanation/")  # here, a name must be in the reference
CODE = re.compile(r'(?<!">)<code>inksight\.([\w.]+)</code>')  # not within a link


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages whose files are outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links, and list the modules of a room where a page asks for them."""
    uri = page.file.src_uri
    folder = (ROOT / SOURCES[uri] if uri in SOURCES else DOCS / uri).parent
    markdown = LINK.sub(lambda match: _link(match, folder, uri), markdown)
    return ROOM.sub(lambda match: _room(match[1]), markdown)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Link the names of the package's functions, classes and modules, where they stand as code, to the reference."""
    kind = "" if page.file.src_uri.startswith(WRITTEN_BY_HAND) else " optional"
    return CODE.sub(lambda match: _reference(match[1], kind), html)


def _reference(name: str, kind: str) -> str:
    """Return a name as a link; an optional one stays plain code if the reference does not have it."""
    values = public_values()
    owner, _, member = name.partition(".")
    identifier = f"inksight.{name}"
    if name in values:
        identifier = home(values[name])
    elif owner in values:  # a method, such as Model.predict
        identifier = f"{home(values[owner])}.{member}"
    return f'<autoref identifier="{identifier}"{kind}><code>inksight.{name}</code></autoref>'


def _link(match: re.Match[str], folder: Path, uri: str) -> str:
    """Return a link to a file as the site needs it; only its text if the site does not show that file."""
    image, text, target, anchor = match.groups()
    file = Path(os.path.normpath(folder / target))
    if not file.exists() or not file.is_relative_to(ROOT):
        return match[0]
    name = file.relative_to(ROOT).as_posix()
    if not file.is_relative_to(DOCS) and name not in PAGES:
        return text
    there = PAGES.get(name) or file.relative_to(DOCS).as_posix()
    relative = os.path.relpath(there, Path(uri).parent).replace(os.sep, "/")
    return f"{image}[{text}]({relative}{anchor or ''})"


def _room(room: str) -> str:
    """Return the reference of a room: its docstring, then one section for each of its modules."""
    package = ROOT / "src" / "inksight" / room
    if not package.is_dir():
        return f"::: inksight.{room}"
    intro = f"::: inksight.{room}\n    options: {{members: false, show_root_heading: false}}"
    return "\n\n".join([intro, *(f"::: {name}" for name in _modules(package))])


def _modules(package: Path) -> list[str]:
    """Return the names of the public modules below a package, those without a public name left out."""
    names = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        public = re.search(r"^(class|def|async def) [a-zA-Z]", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if path != package / "__init__.py" and public and not any(part.startswith("_") for part in parts):
            names.append(".".join(parts))
    return names
