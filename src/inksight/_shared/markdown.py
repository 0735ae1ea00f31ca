"""Text from outside in Markdown: shown as it is, whatever characters it holds."""

import re

# What CommonMark and GitHub treat as markup inside a line. An underscore is markup only at the edge of a word, and a
# colon, a dot or an at sign only in a bare address.
_MARKUP = re.compile(r"[\\`*\[\]<>&|~#$]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.|@", re.ASCII | re.IGNORECASE)


def escape_markdown(text: str) -> str:
    """Return `text` as one line of Markdown that shows it literally, for use inside a paragraph or a table cell.

    Line breaks become spaces, and other characters that cannot be printed become the replacement character.

    Examples
    --------
    >>> print(escape_markdown("my_digits | <b>1</b>"))
    my_digits \\| \\<b\\>1\\</b\\>
    """
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))
    return _MARKUP.sub(r"\\\g<0>", line)


def code_span(text: str) -> str:
    """Return `text`, such as a digest, in the type of code; text of other characters is only escaped."""
    return f"`{text}`" if text.isalnum() else escape_markdown(text)
