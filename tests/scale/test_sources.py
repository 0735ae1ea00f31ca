"""Sources of jobs: any range of any of them is what a reader that shares no code with them finds there."""

import io
import tarfile
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from inksight import InputError
from inksight.errors import MissingFileError
from inksight.scale.array_source import BATCH
from inksight.scale.sources import Chain, fingerprint, open_source


def png(image):
    content = io.BytesIO()
    Image.fromarray(255 - image).save(content, "PNG")
    return content.getvalue()


def write_tar(path, contents, form=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture(scope="module")
def contents(mnist):
    """Eleven pictures by name: in a folder, with a long name, and with letters of many languages."""
    names = ["a.png", "in/b.png", "long/" + "x" * 180 + ".png", "Ziffer-ß-数.png", *(f"{i}.png" for i in range(7))]
    return {name: png(image) for name, image in zip(names, mnist.images, strict=False)}


def ranges(count):
    return [(start, stop) for start in range(count) for stop in range(start, count + 1)]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_every_range_of_a_tar_archive(contents, tmp_path, form):
    others = {"._a.png": b"of another system", ".hidden/c.png": b"", "__MACOSX/d.png": b""}
    write_tar(tmp_path / "p.tar", {**others, **contents}, form)
    source = open_source([str(tmp_path / "p.tar")])
    expected = [(f"{tmp_path}/p.tar/{name}", content) for name, content in contents.items()]
    assert len(source) == len(expected)
    for start, stop in ranges(len(expected)):
        assert list(source.read(start, stop)) == expected[start:stop]


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_every_range_of_a_parquet_file(contents, tmp_path, rows):
    table = pa.table({"image": [{"bytes": content, "path": name} for name, content in contents.items()]})
    parquet.write_table(table, tmp_path / "p.parquet", row_group_size=rows)
    source = open_source([str(tmp_path / "p.parquet")])
    expected = [(f"{tmp_path}/p.parquet[{row}]", content) for row, content in enumerate(contents.values(), start=1)]
    for start, stop in ranges(len(expected)):
        assert list(source.read(start, stop)) == expected[start:stop]


def test_ranges_of_arrays_across_files(mnist, tmp_path):
    bounds = [0, 3, 3, 10, 2000]
    for number, (start, stop) in enumerate(pairwise(bounds)):
        np.save(tmp_path / f"{number}.npy", mnist.images[start:stop])
    source = open_source([str(tmp_path)])
    assert (len(source), source.of_arrays) == (2000, True)
    for start, stop in [*ranges(12), (0, 2000), (9, 1999)]:
        found = [np.zeros((0, 28, 28), np.uint8), *source.read(start, stop)]
        np.testing.assert_array_equal(np.concatenate(found), mnist.images[start:stop])


def test_large_ranges_come_in_small_batches(tmp_path):
    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (2 * BATCH + 5, 28, 28)).flush()
    found = open_source([str(tmp_path / "a.npy")]).read(1, 2 * BATCH + 5)
    assert [len(images) for images in found] == [BATCH, BATCH, 4]


def test_patterns_folders_and_archives_keep_their_order(contents, tmp_path):
    for name in ("b/1.png", "b/c/2.png", "b/c/3.jpg", "a.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    write_tar(tmp_path / "p.tar", dict(list(contents.items())[:2]))
    source = open_source([str(tmp_path / "a.png"), str(tmp_path / "p.tar"), str(tmp_path / "b/**.png")])
    assert isinstance(source, Chain)
    names = [name.removeprefix(f"{tmp_path}/") for name, _ in source.read(0, len(source))]
    assert names == ["a.png", "p.tar/a.png", "p.tar/in/b.png", "b/1.png", "b/c/2.png"]
    assert [name for name, _ in source.read(2, 4)] == [f"{tmp_path}/p.tar/in/b.png", f"{tmp_path}/b/1.png"]
    assert len(open_source([str(tmp_path / "b/*")])) == 1


def test_a_changed_input_has_another_fingerprint(contents, mnist, tmp_path):
    write_tar(tmp_path / "p.tar", contents)
    np.save(tmp_path / "a.npy", mnist.images[:300])
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "0.png").write_bytes(b"picture")
    for name in ("p.tar", "a.npy", "pictures"):
        before = fingerprint(open_source([str(tmp_path / name)]))
        assert fingerprint(open_source([str(tmp_path / name)])) == before
        if name == "pictures":
            (tmp_path / name / "0.png").write_bytes(b"another")
            assert fingerprint(open_source([str(tmp_path / name)])) == before  # of the same size, in a file of its own
            (tmp_path / name / "0.png").write_bytes(b"a larger one")
        else:
            content = bytearray((tmp_path / name).read_bytes())
            content[-600] ^= 1
            (tmp_path / name).write_bytes(content)
        assert fingerprint(open_source([str(tmp_path / name)])) != before


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 28, 28)), r"must be uint8 \(n, 28, 28\) in C order, got 'float64 \(3, 28, 28\)'"),
        (np.zeros((3, 784), np.uint8), r"got 'uint8 \(3, 784\)'"),
        (np.asfortranarray(np.zeros((3, 28, 28), np.uint8)), "in Fortran order"),
        (np.zeros((0, 28, 28), np.uint8), "number of images must be 1 or more, got 0"),
        (np.array([{}]), "got 'object"),
    ],
)
def test_other_arrays_are_refused(array, words, tmp_path):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=words):
        open_source([str(tmp_path / "a.npy")])


def test_damaged_sources_are_refused(contents, mnist, tmp_path):
    write_tar(tmp_path / "p.tar", contents)
    np.save(tmp_path / "a.npy", mnist.images[:5])
    table = pa.table({"image": [{"bytes": b""}]})
    parquet.write_table(table, tmp_path / "p.parquet")
    parquet.write_table(pa.table({"image": [1]}), tmp_path / "other.parquet")
    for name, words in (("p.tar", "tar archive"), ("a.npy", "truncated"), ("p.parquet", "Parquet file")):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2 - 100])
        with pytest.raises(InputError, match=words):
            list(open_source([str(tmp_path / name)]).read(0, 11))
    with pytest.raises(InputError, match="must have a column 'image' of structs with binary 'bytes', got the columns "):
        open_source([str(tmp_path / "other.parquet")])


def test_damage_in_the_middle_of_an_archive_drops_no_pictures(contents, tmp_path):
    path = tmp_path / "p.tar"
    write_tar(path, contents)
    content = path.read_bytes()
    with tarfile.open(path) as archive:
        places = [member.offset for member in archive]
    for number in (1, 5, len(places) - 1):
        flipped = bytearray(content)
        flipped[places[number]] ^= 1
        for damaged in (bytes(flipped), content[: places[number]]):
            path.write_bytes(damaged)
            with pytest.raises(InputError, match=f"not the end, at byte {places[number]:,}"):
                open_source([str(path)])


def test_a_tar_archive_is_never_unpacked(contents, tmp_path):
    """Absolute names, and those that lead out of the folder, are names; links and devices are left out."""
    path, picture = tmp_path / "p.tar", contents["a.png"]
    with tarfile.open(path, "w") as archive:
        for name in ("/etc/a.png", "../../b.png", "a.png", "a.png"):
            member = tarfile.TarInfo(name)
            member.size = len(picture)
            archive.addfile(member, io.BytesIO(picture))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            member = tarfile.TarInfo(f"other{int(kind)}.png")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    names = ["/etc/a.png", "../../b.png", "a.png", "a.png"]
    assert list(open_source([str(path)]).read(0, 9)) == [(f"{path}/{name}", picture) for name in names]


def test_an_array_of_a_negative_number_of_images_is_refused(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (-5, 28, 28)})
    with pytest.raises(InputError, match=r"must be uint8 \(n, 28, 28\) in C order"):
        open_source([str(tmp_path / "a.npy")])


@pytest.mark.parametrize("content", ["text", 5, None])
def test_a_parquet_file_whose_pictures_are_not_bytes_is_refused(content, tmp_path):
    parquet.write_table(pa.table({"image": [{"bytes": content}]}), tmp_path / "p.parquet")
    with pytest.raises(InputError, match="must have a column 'image' of structs with binary 'bytes', got the columns"):
        open_source([str(tmp_path / "p.parquet")])


def test_names_of_no_files_are_refused(tmp_path):
    (tmp_path / "link.png").symlink_to("nowhere")
    for name in ("none.png", "link.png", "x" * 300, "null\0.png", "\ud800.png"):
        with pytest.raises(MissingFileError):
            open_source([str(tmp_path / name)])
    source = open_source([str(tmp_path)])  # but what a folder holds is a row with an error
    assert list(source.read(0, 1)) == [(str(tmp_path / "link.png"), None)]
    assert len(fingerprint(source)) == 64


def test_what_no_job_can_read_is_refused(mnist, tmp_path):
    np.save(tmp_path / "a.npy", mnist.images[:5])
    (tmp_path / "a.png").write_bytes(b"picture")
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "empty").mkdir()
    for names, words in (
        (["a.npy", "a.png"], "must be either pictures or arrays of images"),
        (["a.tar.gz"], "must be not compressed as a whole"),
        (["empty"], "stands for no files"),
        (["*.tif"], "stands for no files"),
    ):
        with pytest.raises(InputError, match=words):
            open_source([str(tmp_path / name) for name in names])
