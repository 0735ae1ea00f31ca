"""One script from several ES modules, because a page on disk cannot load modules from other files."""

import posixpath
import re

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "(\./[^"]+|\.\./[^"]+)";$', re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\./[^"]+|\.\./[^"]+)"\)')
_EXPORT = re.compile(r"^export ((?:async )?function|const|let|class) (\w+)", re.MULTILINE)


def bundle(modules: dict[str, str], entry: str) -> str:
    """Return one module that does what the module `entry` does with those that it imports.

    Each module becomes a function that returns its exports, so their private names stay apart. Imports have the form
    ``import { a, b as c } from "./file.js";``, or ``import("./file.js")`` for a module that is loaded when it is
    needed. Exports stand before a declaration, and imports have no cycle. In one script all modules run at its start.

    Parameters
    ----------
    modules : dict of str to str
        The modules by their paths.
    entry : str
        The path of the module to run.

    Examples
    --------
    >>> print(bundle({"a.js": "export const one = 1;", "b.js": 'import { one } from "./a.js";'}, "b.js"))
    const file0 = (() => {
    const one = 1;
    return { one };
    })();
    const { one } = file0;
    """
    order: list[str] = []
    _visit(modules, entry, order, ())
    names = {path: f"file{number}" for number, path in enumerate(order)}
    return "\n".join(_wrapped(modules[path], path, names, is_entry=path == entry) for path in order)


def loaded_at_start(modules: dict[str, str], entry: str) -> list[str]:
    """Return the paths of a module and of those that a browser loads with it, without those that are needed later."""
    order: list[str] = []
    _visit(modules, entry, order, (), later=False)
    return order


def _visit(modules: dict[str, str], path: str, order: list[str], above: tuple[str, ...], *, later: bool = True) -> None:
    """Append a module to `order` after those that it imports, at once or `later`."""
    assert path not in above, f"{path} imports itself by way of {above}"
    if path in order:
        return
    targets = [target for _, target in _IMPORT.findall(modules[path])]
    for target in targets + _LATER.findall(modules[path]) * later:
        _visit(modules, _resolved(path, target), order, (*above, path), later=later)
    order.append(path)


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _wrapped(text: str, path: str, names: dict[str, str], is_entry: bool) -> str:
    """Return a module as a constant that holds its exports; the entry as it is, since nothing imports it."""
    exports = [name for _, name in _EXPORT.findall(text)]

    def as_constant(match: re.Match[str]) -> str:
        return f"const {{ {match[1].replace(' as ', ': ')} }} = {names[_resolved(path, match[2])]};"

    text = _EXPORT.sub(r"\1 \2", _IMPORT.sub(as_constant, text)).rstrip()
    text = _LATER.sub(lambda match: f"Promise.resolve({names[_resolved(path, match[1])]})", text)
    assert not re.search(r"^(import|export)\b|\bimport\(|</script", text, re.MULTILINE), (
        f"{path} has a form that is not bundled"
    )
    return text if is_entry else f"const {names[path]} = (() => {{\n{text}\nreturn {{ {', '.join(exports)} }};\n}})();"
