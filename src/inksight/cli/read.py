"""``inksight read``: what is written on pictures."""

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
from inksight.cli.options import print_json
from inksight.errors import InksightError, InputError

if TYPE_CHECKING:
    from inksight.reading.reader import Page

PAGE = "reading.html"  # that --show writes unless it is told another
COLUMNS = ("path", "text", "confidence", "reason", "runner_up", "milliseconds")


def _checked(_context: click.Context, _option: click.Parameter, page: str | None) -> str | None:
    """See to it that a picture that is named behind --show is not written to."""
    check(page is None or page.endswith(".html"), "the page to --show", page, "a name that ends in .html")
    return page


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
@click.option("--model", default="best", show_default=True, help="One that ships with the package, or a model file.")
@click.option("--invert/--no-invert", default=None, help="Light ink on dark, or dark on light.  [default: found out]")
@click.option("--accept-all", is_flag=True, help="Never refuse for being unsure, or no digit.")
@click.option("--single", is_flag=True, help="Take each picture for one digit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
@click.option("--csv", "table", metavar="OUT", help="Write a CSV file, a row a file.")
@click.option(
    "--show",
    "page",
    callback=_checked,
    is_flag=False,
    flag_value=PAGE,
    metavar="[OUT.html]",
    help=f"Write an HTML page of what was read, and how.  [without a name: {PAGE}]",
)
def read(
    sources: tuple[str, ...],
    model: str,
    invert: bool | None,
    accept_all: bool,
    single: bool,
    as_json: bool,
    table: str | None,
    page: str | None,
) -> None:
    """Read the digits on pictures: photos or scans of one digit, or of lines of them.

    Of folders all files in them are read, but not their sub-folders. Behind each text stands the least of its
    digits' probabilities; a digit that could not be told is a ?. What cannot be read at all is named and left
    out, and at the end the exit code is 1. Of an animation the first picture is read.

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
        raise InputError("either --json or --csv must be given, got both: take one")
    for out in filter(None, (table, page)):
        check_writable(out)
    network, files, failed = load_model(model), list(_files(sources)), 0
    transcript = None
    if page:
        from inksight.report.transcript import Transcript

        transcript = Transcript(network)
    with ExitStack() as stack:
        writer: Any = None
        if table:
            beside = stack.enter_context(replacing(table))
            file = stack.enter_context(beside.open("w", encoding="utf-8", errors="backslashreplace", newline=""))
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
        # Where lines come on a terminal, they are the progress.
        for path in track(files, "reading", bool(table) or not sys.stdout.isatty()):
            began = time.perf_counter()
            try:
                found = read_picture(path, network, invert=invert, accept_all=accept_all, single=single)
                took = round(1000 * (time.perf_counter() - began), 2)
                if transcript:
                    transcript.add(path, found, path)
            except (InputError, MemoryError) as error:
                reason = display_name(error) or f"not enough memory for {display_name(path)}"
                click.echo(f"inksight: {reason}", err=True)
                failed += 1
                if transcript:
                    transcript.add_unread(path, reason)
                continue
            if as_json:
                print_json({"path": display_name(path), **found.to_dict(), "milliseconds": took})
            elif writer:
                writer.writerow((path, found.text, found.confidence, found.reason, found.runner_up or "", took))
            else:
                click.echo(_told(path, found))
    if table:
        click.echo(f"{table}: {len(files) - failed:,} pictures")
    if page and transcript:
        transcript.write(page)
        click.echo(f"{display_name(page)}: what was read, and how", err=True)
    if failed:
        raise InksightError(f"{failed:,} of {len(files):,} files could not be read")


def _told(path: Path, page: "Page") -> str:
    """Return a line on a picture, or one for each of several lines on it, below its name."""
    sure = [
        next((one.reason for one in line if one.reason), f"{min(one.confidence for one in line):.1%}")
        for line in page.lines
    ]
    texts = [f"{text} ({note})" for text, note in zip(page.text.split("\n"), sure, strict=True)]
    return f"{display_name(path)}: {texts[0]}" if len(texts) == 1 else "\n  ".join([f"{display_name(path)}:", *texts])


def _files(sources: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files named, and those in the folders named, by name."""
    from inksight.imaging.decoding import visible_files

    for source in map(Path, sources):
        try:
            inside = visible_files(source) if source.is_dir() else [source]
        except OSError as error:
            if not isinstance(error, PermissionError):
                yield source  # whoever opens it says what is wrong with it
                continue
            raise InputError(f"cannot read folder {str(source)!r}: {error.strerror}; check its permissions") from error
        if not inside:
            raise InputError(f"folder {str(source)!r} holds no file to read: name pictures, or the folder they are in")
        yield from inside
