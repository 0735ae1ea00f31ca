"""What ``inksight read`` prints of a page, and writes to its table; and the pages that could not be read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from inksight._shared.files import as_utf8, display_name
from inksight.errors import InksightError, InputError

if TYPE_CHECKING:
    from inksight.imaging.file_pages import FilePage
    from inksight.reading.grid import Grid
    from inksight.reading.page import Page

COLUMNS = ("path", "page", "text", "confidence", "reason", "runner_up", "milliseconds", "error")
CELL_COLUMNS = ("path", "page", "row", "column", "content", "text", "confidence", "reason", "milliseconds", "error")
LINE_BREAK = "|"  # between lines of digits in a cell: no digit, and no part of what spreadsheets take for a date

Row = tuple[object, ...]  # of the table


class Failures:
    """Counts the pages that could not be read, of which there may be many, and keeps the last error only."""

    def __init__(self) -> None:
        self.count, self.all_input_errors = 0, True
        self.last: Exception = InksightError()

    def add(self, error: Exception | None, source: "FilePage") -> str:
        """Count an error and return its message."""
        self.count += 1
        self.all_input_errors &= isinstance(error, InputError)
        self.last = error if isinstance(error, InksightError) else InksightError(_message_of(error, source))
        return _message_of(error, source)

    def raise_all(self) -> NoReturn:
        """Raise the error of a command that could read none of its files."""
        if self.count == 1:
            raise self.last
        kind = InputError if self.all_input_errors else InksightError
        raise kind(f"none of the {self.count:,} pages could be read")


def _message_of(error: Exception | None, source: "FilePage") -> str:
    """Return why a page could not be read; memory errors have no message of their own."""
    return str(error or "") or f"not enough memory for {str(source)!r}"


def rows_of(
    source: "FilePage", page: "Page | Grid | None", error: Exception | None, time: float, columns: tuple[str, ...]
) -> Iterator[Row]:
    """Yield the row of a page in a table, or the rows of the cells of its grid, in the order of the columns."""
    from inksight.reading.page import Page

    if page is None:
        failed = {"path": source.path, "page": source.number or "", "milliseconds": time}
        failed["error"] = f"{type(error).__name__}: {_message_of(error, source)}"
        yield tuple(failed.get(column, "") for column in columns)
    elif isinstance(page, Page):
        text, runner_up = page.text.replace("\n", LINE_BREAK), page.runner_up or ""
        yield (source.path, source.number or 1, text, page.confidence, page.reason, runner_up, time, "")
    else:
        for (row, column), cell in page.numbered():
            text = str(cell) if cell.digits else ""
            place = (source.path, source.number or 1, row, column)
            yield (*place, cell.content, text, cell.confidence, cell.reason, time, "")


def record_of(source: "FilePage", page: "Page | Grid | None", error: Exception | None, time: float) -> dict[str, Any]:
    """Return the JSON object of a page."""
    path = as_utf8(source.path)
    if page is None:
        failure = {"class": type(error).__name__, "message": as_utf8(_message_of(error, source))}
        record: dict[str, Any] = {"path": path, "page": source.number, "text": None, "digits": [], "signs": []}
        return record | {"milliseconds": time, "error": failure}
    return {"path": path, "page": source.number or 1, **page.to_dict(), "milliseconds": time, "error": None}


def text_of(path: "FilePage", page: "Page | Grid") -> str:
    """Return one line for a picture, or a line for each of its several lines of digits below its name."""
    from inksight.reading.page import Page

    if not isinstance(page, Page):
        note = page.reason or f"{page.confidence.min():.1%}"
        heading = f"{display_name(path)}: {'x'.join(map(str, page.shape))} cells ({note})"
        return "\n  ".join([heading, *page.text.split("\n")])
    notes = [
        next((reading.reason for reading in line if reading.reason), f"{confidence:.1%}")
        for line, confidence in zip(page.lines, page.line_confidences, strict=True)
    ]
    texts = [f"{text} ({note})" for text, note in zip(page.text.split("\n"), notes, strict=True)]
    return f"{display_name(path)}: {texts[0]}" if len(texts) == 1 else "\n  ".join([f"{display_name(path)}:", *texts])
