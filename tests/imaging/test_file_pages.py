"""Files of several pages: every page of a TIFF or PDF is a picture."""

import io
import json
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inksight import cli, load, pages, prepare, read
from inksight.errors import InputError, InputWarning, MissingDependencyError
from inksight.imaging.file_pages import FilePage
from inksight.imaging.limits import MAX_PAGES
from inksight.imaging.metadata import MAX_DIRECTORIES


@pytest.fixture(scope="module")
def digits(mnist):
    """A picture of a 7, of a 2 and of a 1: dark ink on white paper."""
    return [Image.fromarray(255 - image).resize((140, 140)) for image in mnist.split().test.images[:3]]


def several_pages(digits, kind, **options):
    file = io.BytesIO()
    first, *others = [digit.copy() for digit in digits]  # because Pillow leaves the settings of an encoder on them
    first.save(file, kind, save_all=True, append_images=others, **options)
    return file.getvalue()


def directory(entries, following=0):
    """A directory of a little-endian TIFF, whose entries are tuples of tag and long number."""
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "tiff_lzw"}], ids=str)
def test_every_page_of_a_tiff_is_read(options, digits, tmp_path):
    path = tmp_path / "scan.tif"
    path.write_bytes(several_pages(digits, "TIFF", **options))
    found = pages(path)
    assert [str(page) for page in found] == [f"{path}[1]", f"{path}[2]", f"{path}[3]"]
    assert [page.text for page in read(found)] == ["7", "2", "1"]
    for page, digit in zip(found, digits, strict=True):
        np.testing.assert_array_equal(prepare(page).image, prepare(digit).image)


def test_each_page_has_its_own_orientation(digits, tmp_path):
    sideways, exif = digits[1].rotate(90, expand=True), Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90 degrees clockwise
    first, second = io.BytesIO(), io.BytesIO()
    digits[0].save(first, "TIFF")
    sideways.save(second, "TIFF", exif=exif)
    (tmp_path / "a.tif").write_bytes(_appended(first.getvalue(), second.getvalue()))
    assert [page.text for page in read(pages(tmp_path / "a.tif"))] == ["7", "2"]


def _appended(first, second):
    """Append a TIFF of one page to another one; both are little-endian and their values are moved along."""
    file = io.BytesIO(first)
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(file) as writer:
        writer.write(second)
        writer.finalize()
        content = file.getvalue()
    return content


def test_only_the_first_page_is_used_where_one_picture_is_asked_for_and_a_warning_says_so(digits):
    with pytest.warns(InputWarning, match=r"'the picture given' has 3 pages, of which only the first is used"):
        assert read(several_pages(digits, "TIFF")).text == "7"


def test_thumbnails_and_masks_are_not_pages(digits, tmp_path):
    """Their kind is in tag 254: bit 0 for a thumbnail, bit 2 for a mask."""
    content = bytearray(several_pages(digits, "TIFF"))
    path = tmp_path / "scan.tif"
    start = struct.unpack_from("<I", content, 4)[0]
    for kind, expected in ((0, ["7", "2"]), (1, ["7"]), (4, ["7"]), (2, ["7", "2"])):
        second = directory([(254, kind), *_entries(content, start, 1)])
        first = directory(_entries(content, start, 0), len(content) + 200)
        path.write_bytes(content[:4] + struct.pack("<I", len(content)) + content[8:] + first.ljust(200, b"\0") + second)
        assert [page.text for page in read(pages(path))] == expected, kind


def _entries(content, start, page):
    """The entries of a page as tuples of tag and value, which is never stored elsewhere in a grayscale TIFF."""
    for _ in range(page):
        (count,) = struct.unpack_from("<H", content, start)
        (start,) = struct.unpack_from("<I", content, start + 2 + 12 * count)
    (count,) = struct.unpack_from("<H", content, start)
    entries = [struct.unpack_from("<HHII", content, start + 2 + 12 * i) for i in range(count)]
    assert all(length == 1 for _, _, length, _ in entries)
    return [(tag, value) for tag, _, _, value in entries]


def test_a_tiff_whose_directories_go_round_in_a_circle_ends(digits, tmp_path):
    content = bytearray(several_pages(digits[:1], "TIFF"))
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    struct.pack_into("<I", content, start + 2 + 12 * count, start)
    path = tmp_path / "circle.tif"
    path.write_bytes(content)
    assert [page.text for page in read(pages(path))] == ["7"]


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        (0, MAX_PAGES + 1, "must have 1 to 1,000 pages, got 1,001"),
        (1, MAX_DIRECTORIES + 1, "more than 20,000 directories"),
    ],
)
def test_a_tiff_of_too_many_pages_is_refused(kind, count, words, tmp_path):
    size = len(directory([(254, kind)]))
    chain = [directory([(254, kind)], 8 + size * (i + 1) if i + 1 < count else 0) for i in range(count)]
    path = tmp_path / "long.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + b"".join(chain))
    with pytest.raises(InputError, match=words):
        pages(path)


def test_a_damaged_page_is_named_and_the_others_are_read(digits, tmp_path, capsys):
    content = bytearray(several_pages(digits, "TIFF", compression="tiff_adobe_deflate"))
    (start,) = struct.unpack_from("<I", content, 4)
    strip = dict(_entries(content, start, 1))[273]
    content[strip : strip + 30] = bytes(30)
    path = tmp_path / "scan.tif"
    path.write_bytes(content)
    assert cli.run(["read", str(path)]) == 1
    captured = capsys.readouterr()
    assert [line.partition(": ")[0] for line in captured.out.splitlines()] == [f"{path}[1]", f"{path}[3]"]
    assert captured.err.splitlines()[0].startswith(f"inksight: '{path}[2]' is damaged or is not a picture")
    assert captured.err.splitlines()[-1] == "inksight: 1 of 3 pages could not be read"


def test_the_command_names_each_page_in_every_output(digits, tmp_path, capsys):
    path = tmp_path / "scan.tif"
    path.write_bytes(several_pages(digits[:2], "TIFF"))
    names = [f"{path}[1]", f"{path}[2]"]
    assert cli.run(["read", str(path)]) == 0
    assert [line.split(" (")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"{names[0]}: 7",
        f"{names[1]}: 2",
    ]
    assert cli.run(["read", str(path), "--json", "--show", str(tmp_path / "a.html")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["path"], row["page"], row["text"]) for row in rows] == [(str(path), 1, "7"), (str(path), 2, "2")]
    assert all(name in (tmp_path / "a.html").read_text() for name in names)
    assert cli.run(["read", str(path), "--csv", str(tmp_path / "a.csv")]) == 0
    assert [line.split(",")[:3] for line in (tmp_path / "a.csv").read_text().splitlines()[1:]] == [
        [str(path), "1", "7"], [str(path), "2", "2"],
    ]  # fmt: skip


def test_the_command_reads_standard_input(digits, monkeypatch, capsys):
    for content, expected in (
        (several_pages(digits[:1], "TIFF"), ["-: 7"]),
        (several_pages(digits, "TIFF"), ["-[1]: 7", "-[2]: 2", "-[3]: 1"]),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert cli.run(["read", "-"]) == 0
        assert [line.split(" (")[0] for line in capsys.readouterr().out.splitlines()] == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert cli.run(["read", "-"]) == 2
    assert "'-' is damaged or is not a picture" in capsys.readouterr().err


def test_damage_of_standard_input_does_not_keep_others_from_being_read(digits, monkeypatch, tmp_path, capsys):
    (tmp_path / "a.tif").write_bytes(several_pages(digits[:1], "TIFF"))
    damaged = several_pages(digits, "TIFF")[:100]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(damaged)))
    assert cli.run(["read", "-", str(tmp_path / "a.tif")]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{tmp_path / 'a.tif'}: 7")
    assert "inksight: '-' is damaged or is not a picture" in captured.err


def test_a_file_named_like_standard_input_is_read_as_a_file(digits, monkeypatch, tmp_path, capsys):
    (tmp_path / "-").write_bytes(several_pages(digits[:1], "TIFF"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(several_pages(digits[1:2], "TIFF"))))
    for source in (".", "./-"):
        assert cli.run(["read", source]) == 0
        assert capsys.readouterr().out.startswith("-: 7")
    assert cli.run(["read", "-"]) == 0
    assert capsys.readouterr().out.startswith("-: 2")


def test_closed_standard_input_holds_no_picture():
    command = [sys.executable, "-c", "from inksight.cli import main; main()", "read", "-"]
    closed = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, text=True, timeout=120)
    assert closed.returncode == 2
    assert closed.stderr.startswith("inksight: '-' is damaged or is not a picture")


def test_data_from_standard_input_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="data cannot be read from standard input, '-': save it to a file"):
        load("-")


def test_every_page_in_a_folder_of_data_is_an_image_of_its_class(digits, tmp_path):
    for name, chosen in (("7", digits[:1]), ("2", [digits[1]] * 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tif").write_bytes(several_pages(chosen, "TIFF"))
    data = load(tmp_path)
    assert data.labels is not None
    assert data.labels.tolist() == [2, 2, 2, 7]
    for image, digit in zip(data.images, [digits[1]] * 3 + [digits[0]], strict=True):
        np.testing.assert_array_equal(image, prepare(digit).image)


def test_every_page_of_a_pdf_is_read(digits, tmp_path):
    pytest.importorskip("pypdfium2")
    path = tmp_path / "scan.pdf"
    path.write_bytes(several_pages(digits, "PDF", resolution=100.0))
    assert [str(page) for page in pages(path)] == [f"{path}[1]", f"{path}[2]", f"{path}[3]"]
    found = list(read(pages(path)))
    assert [page.text for page in found] == ["7", "2", "1"]
    np.testing.assert_allclose(found[0].picture.shape, 280, atol=1)  # 140 pixels at 100 per inch, rendered at 200
    with pytest.warns(InputWarning, match="has 3 pages, of which only the first is used"):
        assert read(path).text == "7"


def test_pages_of_any_size_are_rendered_within_bounds(digits, tmp_path):
    pytest.importorskip("pypdfium2")
    path = tmp_path / "poster.pdf"
    path.write_bytes(several_pages(digits[:1], "PDF", resolution=1.0))  # 140 inches a side
    page = read(path)
    assert [side * page.block for side in page.picture.shape] == [4000, 4000]


def test_pdfs_that_are_damaged_or_too_long_are_refused(digits):
    pytest.importorskip("pypdfium2")
    content = several_pages(digits[:1], "PDF")
    with pytest.raises(InputError, match="'the picture given' is damaged or is not a PDF document"):
        read(content[:60])
    with pytest.raises(InputError, match="must have 1 to 1,000 pages, got 1,001"):
        read(several_pages([digits[0].resize((1, 1))] * (MAX_PAGES + 1), "PDF"))


def test_a_pdf_without_pypdfium2_names_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingDependencyError, match=r"is a PDF document, .* pip install 'inksight\[pdf\]'"):
        read(b"%PDF-1.7\n")


def test_files_that_cannot_be_opened_are_named(tmp_path):
    for path, words in ((tmp_path / "none.tif", "cannot read"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=words):
            pages(path)


def test_a_page_that_a_file_lacks_is_named(digits, tmp_path):
    kinds = ("TIFF", "PNG", *(["PDF"] if find_spec("pypdfium2") else []))
    for kind in kinds:
        content = several_pages(digits[: 1 if kind == "PNG" else 2], kind)
        count = "1" if kind == "PNG" else "1 to 2"
        with pytest.raises(InputError, match=rf"number of a page of 'a\[3\]' must be {count}, got 3"):
            read(FilePage(Path("a"), 3, content))


def test_a_page_is_read_from_its_file_when_it_is_used(digits, tmp_path):
    path = tmp_path / "scan.tif"
    path.write_bytes(several_pages(digits[:2], "TIFF"))
    last = pages(path)[1]
    path.write_bytes(several_pages([digits[0], digits[2]], "TIFF"))
    assert read(last).text == "1"
