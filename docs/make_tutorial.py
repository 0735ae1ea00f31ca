"""Draw the pictures of ``docs/tutorial.md`` by running its code: run this after changing it or a drawing function."""

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS / "tutorial.md"
IMAGES = DOCS / "images"


def python_blocks(page: Path) -> list[str]:
    """Return the code of a page's Python blocks, preceded by empty lines that keep its line numbers."""
    text = page.read_text(encoding="utf-8")
    matches = re.finditer(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return ["\n" * text.count("\n", 0, match.start(1)) + match[1] for match in matches]


def images(page: Path) -> list[str]:
    """Return the paths of a page's pictures, as the page gives them."""
    return re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))


def run_page(page: Path, replacements: Mapping[str, str] | None = None, **names: object) -> None:
    """Run a page's Python blocks one after the other, in one namespace, in the current folder.

    Parameters
    ----------
    page : Path
    replacements : mapping of str to str, optional
        Texts to replace in the code; each must occur in it.
    **names
        What the namespace holds at first.
    """
    blocks = python_blocks(page)
    for old, new in (replacements or {}).items():
        if not any(old in block for block in blocks):
            raise ValueError(f"{page.name} has no code {old!r}")
        blocks = [block.replace(old, new) for block in blocks]
    namespace = dict(names)
    for block in blocks:
        exec(compile(block, str(page), "exec"), namespace)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with contextlib.chdir(IMAGES):
        run_page(PAGE)
        Path("model.safetensors").unlink()
