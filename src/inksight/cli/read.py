"""``inksight read``: recognize the digits on pictures."""

import mimetypes
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from inksight._shared.files import display_name, growing, is_stream, part_of
from inksight._shared.table import write_row
from inksight._shared.validation import check
from inksight.cli.options import SHIPPED_OR_FILE, check_outputs, engine_options, print_json
from inksight.cli.read_output import CELL_COLUMNS, COLUMNS, Failures, Row, record_of, rows_of, text_of
from inksight.errors import InksightError, InputError

if TYPE_CHECKING:
    from inksight.imaging.file_pages import FilePage
    from inksight.reading.page_reading import Options
    from inksight.reading.reader import GridShape

STANDARD_INPUT = Path("-")  # this object: others that are equal are files of that name
DEFAULT_PAGE = "reading.html"  # that --show writes if it is given without a name


def _check_page(_context: click.Context, _option: click.Parameter, page: str | None) -> str | None:
    """Refuse a name that does not end in .html, so that `--show photo.jpg` does not overwrite the photo."""
    check(page is None or page.endswith(".html"), "the page to --show", page, "a name that ends in .html")
    return page


def _as_length(_context: click.Context, _option: click.Parameter, length: str | None) -> int | tuple[int, int] | None:
    from inksight.reading.text_options import parse_length

    return None if length is None else parse_length(length, "--length")


def _parse_grid(_context: click.Context, _option: click.Parameter, grid: str | None) -> "GridShape | None":
    from inksight.reading.text_options import parse_grid

    return None if grid is None else parse_grid(grid)


def _check_table(_context: click.Context, _option: click.Parameter, table: str | None) -> str | None:
    """Refuse a picture, so that `--csv *.jpg` does not overwrite the first one."""
    if table is not None:  # the types of files take long to load
        is_picture = (mimetypes.guess_type(table)[0] or "").startswith(("image/", "application/pdf"))
        check(not is_picture, "the table to --csv", table, "a file other than a picture", "such as digits.csv")
    return table


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
@click.option("--model", default="reader", show_default=True, metavar="MODEL", help=SHIPPED_OR_FILE)
@click.option("--invert/--no-invert", default=None,
              help="Light ink on dark paper, or dark ink on light.  [default: detected]")  # fmt: skip
@click.option("--accept-all", is_flag=True, help="Do not reject digits as `unsure` or `not a digit`.")
@click.option("--single", is_flag=True, help="Read each picture as one digit.")
@click.option("--length", callback=_as_length, metavar="N", help="Digits of each line: 3, or 2-4.")
@click.option("--allow", metavar="DIGITS", help="Digits that may occur: 0-5, or 1,3,7-9.")
@click.option("--pattern", metavar="PATTERN", help=r"What each line looks like: '\d{2}/\d{2}/\d{4}'.")
@click.option("--punctuation", is_flag=True, help="Keep the signs . , - / : in the text.")
@click.option("--grid", callback=_parse_grid, metavar="ROWSxCOLUMNS|auto",
              help="Read the cells of the grid on each picture, such as 9x9; auto counts them.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per page.")
@click.option(
    "--csv",
    "table",
    callback=_check_table,
    metavar="FILE",
    help="Write a CSV file with one row per page, or per cell of a grid.",
)
@click.option("--workers", type=click.IntRange(1, 1024),
              help="Read with this many processes.  [default: 1; with --out, the number of cores]")  # fmt: skip
@click.option("--show", "page", callback=_check_page, is_flag=False, flag_value=DEFAULT_PAGE, metavar="[FILE.html]",
              help=f"Write an HTML page of what was read, and how.  [without a name: {DEFAULT_PAGE}]")  # fmt: skip
@click.option("--out", metavar="DIR", help="Read in shards: write Parquet files to this folder, which may be a URL.")
@click.option("--shards", type=int, metavar="N",
              help="Number of files of --out.  [default: one for 1,000 pictures or 262,144 images]")  # fmt: skip
@click.option("--barcodes", is_flag=True, help="Write the barcodes of images to --out, too.")
@engine_options
def read(
    sources: tuple[str, ...], model: str, as_json: bool, table: str | None, workers: int | None, page: str | None,
    out: str | None, shards: int | None, barcodes: bool, engine: str, address: str | None, **options: Unpack["Options"],
) -> None:  # fmt: skip
    """Read the digits on photos, scans and other pictures.

    A picture shows a single digit or lines of digits. The command reads every file in a folder, but not in its
    subfolders, every page of a TIFF or PDF, named like scan.tif[2], and the first picture of an animation; - is
    standard input. Each text is followed by the lowest confidence of its digits.
    A rejected digit is printed as ? and followed by the reason: blank, faint, small, unsure, not a digit or does not
    fit. Files that cannot be read are named on standard error; the others are read, and the exit code is 1. It is 2 if
    none can be read.

    --length, --allow and --pattern say what each line looks like. The best reading that fits is printed, with its
    probability, which is low where another reading that does not fit is far more probable. A line that no reading fits
    has only ?, which is not an error. A pattern consists of digits, \\d, classes such as [0-5] and [^0], groups in
    parentheses, |, the counts ?, *, +, {2} and {2,4}, and the signs . , - / :, where the dot is a dot. A pattern with
    signs puts them into the text; another one is about the digits alone.

    With --grid, a picture shows a Sudoku, a score card or a table of marks, which may be seen at an angle or be bent.
    A blank cell is printed as . and several small digits in a cell, as in a Sudoku, as *.

    --csv and --json name files that cannot be read, too, in the order of the files. The column `error` has the class of
    the error and its message, such as MissingFileError, DamagedFileError, UnsupportedFileError or TooLargeError. In a
    CSV file, lines of digits are separated by |. More --workers change only how long it takes.

    Rows of --csv are written to FILE.part as they come, which is renamed to FILE at the end. Ctrl-C, or a killed
    process, leaves FILE.part with the rows so far. Text that a spreadsheet would run as a formula, such as a file name
    that starts with =, gets a single quote in front. If no file can be read, FILE is left as it was.

    --out is for millions of pictures. Sources may then also be patterns such as 'scans/**.png', tar archives and
    Parquet files of pictures, NumPy files of images (uint8, 28x28, high = ink), and URLs such as s3://bucket/scans.tar.
    Each shard becomes a Parquet file, and the same command resumes an interrupted job. With --engine ray, the machines
    of a Ray cluster read.

    \b
    Examples:
      inksight read photo.jpg
      inksight read scans/ --csv digits.csv
      inksight read scans/*.jpg --model mine.safetensors --json
      inksight read photo.jpg --show photo.html
      inksight read dates/ --pattern '\\d{2}/\\d{2}/\\d{4}' --csv dates.csv
      inksight read sudoku.jpg --grid 9x9
      inksight read 'scans/**.png' --out rows --workers 8
      curl -s https://example.org/photo.jpg | inksight read -
    """
    from inksight._shared.progress import track
    from inksight.nn.ensemble_file import load_classifier
    from inksight.reading.constraints import constraint_of
    from inksight.reading.page_reading import read_pages

    if out is not None:
        alone = {"--csv": table, "--show": page, "--grid": options.pop("grid")}
        _refuse(alone, "left out with --out, which writes Parquet files")
        _read_in_shards(sources, out, model, as_json, shards, workers, barcodes, engine, address, options)
        return
    others = {
        "--shards": shards,
        "--barcodes": barcodes,
        "--engine": engine != "local" and engine,
        "--address": address,
    }
    _refuse(others, "given with --out only")
    if as_json and table:
        raise InputError("either --json or --csv must be given, got both: leave one out")
    if options["grid"] is not None:
        from inksight.reading.grid import check_grid

        check_grid(**{name: options.get(name) for name in ("grid", "single", "length", "pattern", "punctuation")})
    check_outputs(table, page, inputs=[*sources, model])
    constraint_of(options["length"], options["allow"], options["pattern"])  # before any file is opened
    loaded, files = load_classifier(model), list(_files(sources))
    done, failures = 0, Failures()
    transcript = None
    if page:
        from inksight.report.transcript import Transcript

        transcript = Transcript(loaded)
    if table and part_of(table).exists():
        click.echo(f"{display_name(part_of(table))}: rows of an interrupted run, which this run replaces", err=True)
    # Lines that are printed on a terminal show the progress themselves.
    pages = _pages(track(files, "reading", bool(table) or not sys.stdout.isatty()))
    results = read_pages(pages, loaded, workers=workers or 1, **options)
    columns = CELL_COLUMNS if options["grid"] else COLUMNS
    waiting: list[Row] = [columns]  # until a file is read, so that an earlier table is not replaced by one of errors
    try:
        with closing(results), growing(table) if table else nullcontext() as rows:
            for result in results:
                source, found, error = result.source, result.page, result.error
                if transcript and found:
                    try:
                        transcript.add(source, found, source)
                    except InputError as reason:  # the file has changed meanwhile
                        found, error = None, reason
                if found:
                    done += 1
                else:
                    message = failures.add(error, source)
                    if len(files) > 1 or source.number:
                        click.echo(f"inksight: {display_name(message)}", err=True)
                    if transcript:
                        transcript.add_unread(source, message)
                if as_json:
                    print_json(record_of(source, found, error, result.milliseconds))
                elif rows is not None:
                    waiting += rows_of(source, found, error, result.milliseconds, columns)
                    while done and waiting:
                        write_row(rows, waiting.pop(0))
                elif found:
                    click.echo(text_of(source, found))
            if page and transcript:
                transcript.write(page)
                click.echo(f"{display_name(page)}: what was read, and how", err=True)
            if not done:
                failures.raise_all()
    except KeyboardInterrupt as error:
        if table and done and not is_stream(table):
            number = f"{done + failures.count:,} pages"
            raise type(error)(f"interrupted: {display_name(part_of(table))} holds the first {number}") from error
        raise
    if table:
        click.echo(f"{display_name(table)}: {done:,} page{'' if done == 1 else 's'}")
    if failures.count:
        raise InksightError(f"{failures.count:,} of {done + failures.count:,} pages could not be read")


def _refuse(options: Mapping[str, object], allowed: str) -> None:
    """Raise `InputError` if one of the options is given."""
    for name, value in options.items():
        check(value in (None, False), name, value, allowed)


def _read_in_shards(
    sources: tuple[str, ...], out: str, model: str, as_json: bool, shards: int | None, workers: int | None,
    barcodes: bool, engine: str, address: str | None, options: "Options",
) -> None:  # fmt: skip
    """Read a job of many pictures or images, and print what its folder holds."""
    from dataclasses import asdict

    from inksight.scale.job import read_in_shards

    result = read_in_shards(
        sources, out, model=model, shards=shards, workers=workers, engine=engine, address=address, barcodes=barcodes,
        **options,
    )  # fmt: skip
    if as_json:
        print_json(asdict(result))
    else:
        click.echo(f"{display_name(out)}: {result.rows:,} rows in {result.done:,} of {result.shards:,} shards")
    if result.interrupted:
        raise KeyboardInterrupt("interrupted: the same command resumes it")
    if result.failed:
        raise InksightError(f"{result.failed:,} of {result.rows:,} pages could not be read: see the column error")


def _pages(files: Iterable[Path]) -> "Iterator[FilePage]":
    """Yield each page of some files, of which `-` is standard input."""
    from inksight.imaging.file_pages import FilePage, pages, pages_of
    from inksight.imaging.grayscale import read_file_object

    for path in files:
        is_input = path is STANDARD_INPUT
        file = FilePage(path, content=read_file_object(sys.stdin.buffer) if is_input else None)
        try:
            found = pages_of(file) if is_input else pages(path)
        except InksightError:  # reading the file raises it again
            found = [file]
        yield from found


def _files(sources: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files given, and the files in the folders given, sorted by name."""
    from inksight.imaging.decoding import visible_files

    check("" not in sources, "name of a picture", "", "that of a file or folder")  # `Path("")` is the current folder
    for source in (STANDARD_INPUT if name == "-" else Path(name) for name in sources):
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
