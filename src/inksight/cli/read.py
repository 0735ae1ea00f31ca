"""``inksight read``: recognize the digits on pictures."""

import csv
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inksight._shared.files import check_writable, display_name, replacing
from inksight._shared.validation import check
from inksight.cli.options import SHIPPED_OR_FILE, print_json
from inksight.errors import InksightError, InputError

if TYPE_CHECKING:
    from inksight.reading.reader import Page

DEFAULT_PAGE = "reading.html"  # that --show writes if it is given without a name
COLUMNS = ("path", "text", "confidence", "reason", "runner_up", "milliseconds")


def _check_page(_context: click.Context, _option: click.Parameter, page: str | None) -> str | None:
    """Refuse a name that does not end in .html, so that `--show photo.jpg` does not overwrite the photo."""
    check(page is None or page.endswith(".html"), "the page to --show", page, "a name that ends in .html")
    return page


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
@click.option("--model", default="best", show_default=True, metavar="MODEL", help=SHIPPED_OR_FILE)
@click.option("--invert/--no-invert", default=None,
              help="Light ink on dark paper, or dark ink on light.  [default: detected]")  # fmt: skip
@click.option("--accept-all", is_flag=True, help="Do not reject digits as `unsure` or `not a digit`.")
@click.option("--single", is_flag=True, help="Read each picture as one digit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file.")
@click.option("--csv", "table", metavar="FILE", help="Write a CSV file with one row per file.")
@click.option("--show", "page", callback=_check_page, is_flag=False, flag_value=DEFAULT_PAGE, metavar="[FILE.html]",
              help=f"Write an HTML page of what was read, and how.  [without a name: {DEFAULT_PAGE}]")  # fmt: skip
def read(
    sources: tuple[str, ...], model: str, invert: bool | None, accept_all: bool, single: bool, as_json: bool,
    table: str | None, page: str | None,
) -> None:  # fmt: skip
    """Read the digits on photos, scans and other pictures.

    A picture shows a single digit or lines of digits. The command reads every file in a folder, but not in its
    subfolders, and the first picture of an animation. Each text is followed by the lowest confidence of its digits.
    A rejected digit is printed as ? and followed by the reason: blank, faint, small, unsure or not a digit. Files that
    cannot be read are named on standard error; the others are read, and the exit code is 1.

    \b
    Examples:
      inksight read photo.jpg
      inksight read scans/ --csv digits.csv
      inksight read scans/*.jpg --model mine.safetensors --json
      inksight read photo.jpg --show photo.html
    """
    from inksight._shared.progress import track
    from inksight.nn.model_file import load_model
    from inksight.reading.reader import read as read_picture

    if as_json and table:
        raise InputError("either --json or --csv must be given, got both: leave one out")
    for out in filter(None, (table, page)):
        check_writable(out)
    loaded, files, failed = load_model(model), list(_files(sources)), 0
    transcript = None
    if page:
        from inksight.report.transcript import Transcript

        transcript = Transcript(loaded)
    with ExitStack() as stack:
        writer: Any = None
        if table:
            temporary = stack.enter_context(replacing(table))
            file = stack.enter_context(temporary.open("w", encoding="utf-8", errors="backslashreplace", newline=""))
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
        # Lines that are printed on a terminal show the progress themselves.
        for path in track(files, "reading", bool(table) or not sys.stdout.isatty()):
            start = time.perf_counter()
            try:
                result = read_picture(path, loaded, invert=invert, accept_all=accept_all, single=single)
                milliseconds = round(1000 * (time.perf_counter() - start), 2)
                if transcript:
                    transcript.add(path, result, path)
            except (InputError, MemoryError) as error:
                reason = display_name(error) or f"not enough memory for {display_name(path)}"
                click.echo(f"inksight: {reason}", err=True)
                failed += 1
                if transcript:
                    transcript.add_unread(path, reason)
                continue
            if as_json:
                print_json({"path": display_name(path), **result.to_dict(), "milliseconds": milliseconds})
            elif writer:
                row = (path, result.text, result.confidence, result.reason, result.runner_up or "", milliseconds)
                writer.writerow(row)
            else:
                click.echo(_format(path, result))
    if table:
        click.echo(f"{table}: {len(files) - failed:,} pictures")
    if page and transcript:
        transcript.write(page)
        click.echo(f"{display_name(page)}: what was read, and how", err=True)
    if failed:
        raise InksightError(f"{failed:,} of {len(files):,} files could not be read")


def _format(path: Path, page: "Page") -> str:
    """Return one line for a picture, or a line for each of its several lines of digits below its name."""
    notes = [
        next(
            (reading.reason for reading in line if reading.reason), f"{min(reading.confidence for reading in line):.1%}"
        )
        for line in page.lines
    ]
    texts = [f"{text} ({note})" for text, note in zip(page.text.split("\n"), notes, strict=True)]
    return f"{display_name(path)}: {texts[0]}" if len(texts) == 1 else "\n  ".join([f"{display_name(path)}:", *texts])


def _files(sources: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files given, and the files in the folders given, sorted by name."""
    from inksight.imaging.decoding import visible_files

    for source in map(Path, sources):
        try:
            inside = visible_files(source) if source.is_dir() else [source]
        except OSError as error:
            if not isinstance(error, PermissionError):
                yield source  # opening it raises the error that says what is wrong
                continue
            raise InputError(f"cannot read folder {str(source)!r}: {error.strerror}; check its permissions") from error
        if not inside:
            raise InputError(f"folder {str(source)!r} holds no files to read: give pictures, or the folder they are in")
        yield from inside
