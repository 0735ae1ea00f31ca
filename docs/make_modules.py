"""Write the list of modules in ARCHITECTURE.md: each with the first line of its docstring, and its public names."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "inksight"
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- modules: written by docs/make_modules.py -->\n", "<!-- end of modules -->"
ROOMS = (
    "errors", "_shared", "config", "engine", "imaging", "data", "nn", "augmentation", "training", "inspection",
    "reading", "experiments", "plot", "report", "web", "scale", "export", "serve", "cli",
)  # fmt: skip


def modules() -> str:
    """Return the list in Markdown, room by room, from the ground up."""
    lines = []
    for room in ROOMS[1:]:
        lines += [f"**{room}**", ""]
        paths = [path for path in sorted((SOURCE / room).rglob("*.py")) if path != SOURCE / room / "__init__.py"]
        public = _public_names(SOURCE / room / "__init__.pyi")
        for path in paths:
            relative = path.relative_to(SOURCE / room)
            name = relative.parent.name if path.name == "__init__.py" else str(relative.with_suffix(""))
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            summary = " ".join(docstring.split("\n\n")[0].split())
            summary = re.sub(rf"^`?{path.stem.replace('_', '.')}`?: ", "", summary, flags=re.IGNORECASE)
            names = ", ".join(f"`{each}`" for each in public.get(name, ()))
            lines.append(f"- `{name}`: {summary}" + (f" ({names})" if names else ""))
        lines.append("")
    return "\n".join(lines)


def _public_names(stub: Path) -> dict[str, list[str]]:
    """Return the names that a room exports, by module."""
    if not stub.is_file():
        return {}
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom) and node.module]
    return {str(node.module): [alias.name for alias in node.names] for node in imports}


def page(text: str) -> str:
    """Return the page's `text` with its list of modules replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{modules()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
