"""The notebook on the post: it runs completely, and its page is self-contained."""

import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from commands import import_script
from pages import check_layout, in_light_and_dark, opened

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PICTURES = 25  # plots in the notebook

# All tests in one process, so that the notebook is executed once.
pytestmark = pytest.mark.xdist_group("notebook")


class Page(HTMLParser):
    """What a browser would load for a page, and the descriptions of its pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.loaded: list[str] = []
        self.labels: list[str] = []
        self.feed(html)
        self.loaded += re.findall(r"""(?:url\(|@import)\s*['"]?([^'");]+)""", html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "href", "xlink:href", "data", "poster", "action"):
                self.loaded.append(value or "")
        if tag == "svg":
            self.labels.append(dict(attrs).get("aria-label") or "")


COMMAND = [sys.executable, str(NOTEBOOKS / "export.py")]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("INKSIGHT_")}


def export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


def code_cells() -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(NOTEBOOKS / "exploring.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Page]:
    out = tmp_path_factory.mktemp("post") / "post.html"
    done = export("--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    assert [path.name for path in out.parent.iterdir()] == ["post.html"]
    return done, Page(out.read_text(encoding="utf-8"))


def test_every_cell_ran_in_order_and_without_a_warning(quick):
    done, page = quick
    cells = code_cells()
    assert done.stderr.splitlines() == [
        f"cell {number} of {len(cells)} ({cell.id})" for number, cell in enumerate(cells, start=1)
    ]
    prompts = re.findall(r"In(?:&nbsp;|\s)\[(\d+)\]", page.html)
    assert prompts == [str(number) for number in range(1, len(cells) + 1)]
    assert "output_stderr" not in page.html
    assert "output_error" not in page.html


def test_page_shows_every_picture_with_a_description(quick):
    _, page = quick
    pictures = re.findall(r"<svg.*?</svg>", page.html, re.DOTALL)
    assert len(pictures) == len(page.labels) == PICTURES
    ids = [name for picture in pictures for name in re.findall(r'\bid="([^"]+)"', picture)]
    assert len(ids) == len(set(ids))
    for picture in pictures:
        assert "<style" not in picture  # it would apply to the whole page
        assert picture.count("<text") > 5
    assert all(page.labels)
    assert "<img" not in page.html


@in_light_and_dark
def test_everything_can_be_read_on_every_screen(quick, tmp_path, browser, scheme):
    path = tmp_path / "post.html"
    path.write_text(quick[1].html, encoding="utf-8")
    with opened(browser, path, 390, scheme) as page:
        assert page.locator("nav a").count() > 5
        check_layout(page, scheme)


def test_page_loads_nothing(quick):
    _, page = quick
    assert page.loaded
    assert [source for source in page.loaded if not str(source).startswith(("data:", "#"))] == []
    assert "<script src" not in page.html
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import)\s*\(", page.html)


def test_page_shows_the_computed_results(quick):
    _, page = quick
    text = re.sub("<[^>]+>", "", page.html)
    for expected in ("Total params: 18,813", "10,000 images right", "same predictions: True"):
        assert expected in text
    found = re.search(r"by hand ([\d.]+), in its map ([\d.]+)", text)
    assert found is not None
    by_hand, in_map = found.groups()
    assert float(by_hand) == pytest.approx(float(in_map), abs=2e-4)


def test_committed_notebook_is_clean():
    text = (NOTEBOOKS / "exploring.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    for cell in notebook.cells:
        assert re.fullmatch("[a-z0-9-]+", cell.id)  # a name; Jupyter generates eight random hexadecimal digits
        assert cell.metadata.keys() <= {"alt"}
    for cell in code_cells():
        assert cell.outputs == []
        assert cell.execution_count is None


def write_notebook(folder: Path, source: str) -> Path:
    path = folder / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id="only")]), path)
    return path


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print('so far')\nraise ValueError('no\\ngood')", "ValueError: no good"),
        ("import os; os._exit(3)", "its Python process died"),
    ],
)
def test_failing_cell_is_named_on_one_line(tmp_path, source, reason):
    done = export(write_notebook(tmp_path, source))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["cell 1 of 1 (only)", f"export: cell 1 of 1 (only) failed: {reason}"]
    assert [path.name for path in tmp_path.iterdir()] == ["other.ipynb"]


def test_ctrl_c_ends_the_export_without_a_traceback(tmp_path, ctrl_c):
    path = write_notebook(tmp_path, "import time; time.sleep(60)")
    with subprocess.Popen([*COMMAND, str(path)], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "cell 1 of 1 (only)\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "export: interrupted\n"
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["other.ipynb"]


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"cells": 3}', b"\x89PNG\xff"])
def test_a_damaged_notebook_is_an_error_of_one_line(tmp_path, capsys, monkeypatch, content):
    path = tmp_path / "other.ipynb"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["export", str(path)])
    assert import_script(NOTEBOOKS / "export.py").main() == 2
    error = capsys.readouterr().err
    assert error.startswith("export: ")
    assert str(path) in error
    assert len(error.splitlines()) == 1
    assert not path.with_suffix(".html").exists()


def test_a_missing_folder_is_an_error_before_the_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["export", "--out", str(tmp_path / "none" / "post.html")])
    assert import_script(NOTEBOOKS / "export.py").main() == 2
    error = capsys.readouterr().err
    assert error.splitlines() == [error.strip()]
    assert "does not exist" in error
