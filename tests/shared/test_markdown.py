"""Text in Markdown, as a CommonMark parser reads it."""

import html

import pytest
from hypothesis import example, given, strategies as st
from markdown_it import MarkdownIt

from inksight._shared.markdown import code_span, escape_markdown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
markup = st.text(st.sampled_from("a1 _*`[]()<>!|\\#~&-+=.:/@$\n\t\"'{}é\u200b"), max_size=20)


def shown(text):
    """Return the HTML of a text that is shown as it is, on one line."""
    line = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
    return html.escape(line).replace("&#x27;", "'")


@given(markup | st.text(max_size=9))
@example("<script>alert(1)</script>")
@example("a|b")
@example("![x](http://y) <http://z> &amp;")
@example("closing #")
def test_any_text_is_shown_literally(text):
    escaped = escape_markdown(text)
    assert PARSER.render(f"so: {escaped}.") == f"<p>so: {shown(text)}.</p>\n"
    assert PARSER.render(f"# Card: {escaped}") == f"<h1>{f'Card: {shown(text)}'.rstrip()}</h1>\n"
    cells = PARSER.render(f"| a | b |\n|---|---|\n| {escaped} | 1 |").split("<tbody>")[1]
    assert cells == f"\n<tr>\n<td>{shown(text)}</td>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("see http://x.y", r"see http\://x.y"),
        ("WWW.x.y", r"WWW\.x.y"),
        ("me@x.y", r"me\@x.y"),
        ("my_digits-2.csv", "my_digits-2.csv"),
        ("ratio 1:2", "ratio 1:2"),
    ],
)
def test_bare_addresses_are_not_links_and_plain_names_stay(text, escaped):
    assert escape_markdown(text) == escaped


def test_code_spans_hold_letters_and_digits_only():
    assert code_span("ab12") == "`ab12`"
    assert code_span("a`b") == r"a\`b"
