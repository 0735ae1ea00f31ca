"""Execute a notebook and write it as a self-contained HTML file.

    python notebooks/export.py [--quick] [--out FILE] [NOTEBOOK]

The page has the frame of the package's report. Its body comes from the basic template of nbconvert, because the default
template loads scripts from the internet.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

from inksight._shared.files import check_writable, write_text
from inksight.errors import InksightError, InputError
from inksight.report.template import render

try:
    import nbformat
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter
except ImportError as error:
    sys.exit(f"export: {error.name} is not installed: run pip install 'inksight[post]'")

NOTEBOOK = Path(__file__).with_name("exploring.ipynb")
FIGURES = Path(__file__).with_name("page_figures.py")
THEMES = {"light": "default", "dark": "github-dark"}  # page theme: Pygments style for code


def main() -> int:
    """Run the command line. Errors are printed on one line; the exit code is 2 for bad input and 1 for a failure."""
    parser = argparse.ArgumentParser(description="Execute a notebook and write it as one self-contained HTML file.")
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOK, help="default: exploring.ipynb")
    parser.add_argument("--quick", action="store_true", help="make a small run, which only shows that every cell works")
    parser.add_argument("--out", type=Path, help="default: the path of the notebook, with the suffix .html")
    arguments = parser.parse_args()
    try:
        out = arguments.out or arguments.notebook.with_suffix(".html")
        check_writable(out)
        notebook = read(arguments.notebook)
        execute(notebook, arguments.notebook.parent, quick=arguments.quick)
        write_text(out, to_html(notebook))
    except KeyboardInterrupt:
        return fail("interrupted", 130)
    except InputError as error:
        return fail(str(error), 2)
    except InksightError as error:
        return fail(str(error), 1)
    print(out)
    return 0


def read(path: Path) -> nbformat.NotebookNode:
    """Return the notebook in a file."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many types for damaged files
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"notebook {str(path)!r} must be a file that Jupyter can read: {reason}") from error


def execute(notebook: nbformat.NotebookNode, folder: Path, *, quick: bool = False) -> None:
    """Execute a notebook in a folder with the current Python, and store the outputs of its cells in it.

    Raises
    ------
    InksightError
        If a cell fails.
    """
    environment = os.environ | ({"INKSIGHT_QUICK": "1"} if quick else {})
    if source := environment.get("INKSIGHT_DATA"):
        # The notebook runs in its own folder, but a relative path starts at the current one.
        environment["INKSIGHT_DATA"] = str(Path(source).resolve()) if Path(source).exists() else source
    # No installed kernels: one with the name python3 can belong to another Python.
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), transport_encryption="auto"
    )
    client = NotebookClient(
        notebook, km=manager, timeout=None, coalesce_streams=True, shutdown_kernel="immediate",
        extra_arguments=[f"--InteractiveShellApp.exec_files={json.dumps([str(FIGURES.resolve())])}"],
    )  # fmt: skip
    cells = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    # Cell by cell, because `client.execute` handles Ctrl-C itself and prints a traceback.
    with client.setup_kernel(cwd=str(folder.resolve()), env=environment, cleanup_kc=True):
        for number, (index, cell) in enumerate(cells, start=1):
            name = f"cell {number} of {len(cells)} ({cell.get('id', index)})"
            print(name, file=sys.stderr, flush=True)
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise InksightError(f"{name} failed: {error.ename}: {error.evalue}") from error
            except DeadKernelError as error:
                raise InksightError(f"{name} failed: its Python process died") from error


def to_html(notebook: nbformat.NotebookNode) -> str:
    """Return an executed notebook as an HTML page."""
    exporter = HTMLExporter(template_name="basic", exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(notebook)
    body = re.sub('<a class="anchor-link".*?</a>', "", body)  # the headings keep their ids
    heading = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE) if notebook.cells else None
    code_style = "\n".join(
        HtmlFormatter(style=style).get_style_defs(f'[data-theme="{theme}"] .highlight')
        for theme, style in THEMES.items()
    )
    return render(
        "notebook.html",
        title=heading[1] if heading else "notebook",
        code_style=code_style,
        sections=re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', body),
        body=body,
    )


def fail(message: str, code: int) -> int:
    """Print an error on one line and return the exit code."""
    print(f"export: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
