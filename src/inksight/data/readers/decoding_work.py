"""`DecodingWork`: how much the pictures of one source may cost to decode, in proportion to its size."""

from pathlib import Path

from inksight.errors import TooLargeError

FREE_PIXELS = 1 << 27  # pixels that a source of any size may have
PIXELS_PER_BYTE = 1000  # of the source: DEFLATE, for one, compresses at most 1032 times
MIN_PIXELS = 8192  # pixels: a smaller picture costs as much


class DecodingWork:
    """The pixels that the pictures of a source have together.

    A file of a few kilobytes can hold the same large, empty picture thousands of times.

    Parameters
    ----------
    source : Path
        The name of the source, for the message.

    Examples
    --------
    >>> work = DecodingWork(Path("digits.parquet"))
    >>> work.allow(5_000)
    >>> for row in range(20):
    ...     work.count(8000 * 8000)
    Traceback (most recent call last):
    ...
    inksight.errors.TooLargeError: 'digits.parquet' has pictures of more than 139,217,728 pixels together, \
which its 5,000 bytes allow: make them smaller
    """

    def __init__(self, source: Path) -> None:
        self.source, self.size, self.pixels = source, 0, 0

    def allow(self, size: int) -> None:
        """Take note that the source has `size` more bytes."""
        self.size += size

    def count(self, pixels: int) -> None:
        """Add a picture. Raise `TooLargeError` if all together have more pixels than the size of the source allows."""
        self.pixels += max(pixels, MIN_PIXELS)
        allowed = FREE_PIXELS + PIXELS_PER_BYTE * self.size
        if self.pixels > allowed:
            raise TooLargeError(
                f"{str(self.source)!r} has pictures of more than {allowed:,} pixels together, which its "
                f"{self.size:,} bytes allow: make them smaller"
            )
