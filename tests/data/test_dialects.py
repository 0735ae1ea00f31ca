"""Files, archives and folders as people write them: each gives the digits that were written, or says what to do."""

import bz2
import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sources import (
    LIMIT,
    WORDS,
    csv_bytes,
    idx_bytes,
    npy_bytes,
    npz_bytes,
    parquet_bytes,
    picture_bytes,
    refused,
    some_digits,
    write,
)

from inksight.data.readers import read
from inksight.imaging.preprocessing import prepare

PACKS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}
NAMES = ["train.csv", "digits", "My Digits (2).txt", "zahlen_ä.data", "Digits.CSV", "digits.tsv"]
BESIDES = {"README.md": b"# Digits\n", ".DS_Store": b"\0\0\0\1Bud1", "LICENSE": b"CC0\n"}
digits = st.builds(some_digits, st.integers(3, 8), st.integers(0, 2**32 - 1))


@contextmanager
def new_folder(besides=()):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "my digits"
        folder.mkdir()
        for other in besides:
            write(folder, other, BESIDES[other])
        yield folder


besides = st.sets(st.sampled_from(list(BESIDES)))


def check_read(source, images, labels, validation_count=0, test_count=0):
    raw = read(source, LIMIT)
    np.testing.assert_array_equal(raw.images, images)
    if labels is None:
        assert raw.labels is None
    else:
        np.testing.assert_array_equal(raw.labels, labels)
    assert raw.class_names == tuple("0123456789")
    assert (raw.validation_count, raw.test_count) == (validation_count, test_count)


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def arff(table, quote="'"):
    header, _, rows = table.decode().partition("\n")
    columns = "".join(f"@ATTRIBUTE {quote}{name}{quote} NUMERIC\n" for name in header.split(","))
    return f"% digits\n@RELATION digits\n{columns}@DATA\n{rows}".encode()


TABLES: dict[str, Callable[[bytes], bytes]] = {
    "csv": bytes,
    "tsv": lambda table: table.replace(b",", b"\t"),
    "quoted": lambda table: b'"' + table.replace(b"\n", b'"\n"').replace(b",", b'","')[:-1],
    "arff": arff,
    "arff without quotes": lambda table: arff(table, "").lower(),
}


@settings(max_examples=40, deadline=None)
@given(
    digits, st.sampled_from(list(TABLES)), st.sampled_from(list(PACKS)), st.sampled_from(NAMES), besides, st.booleans()
)
def test_tables(data, kind, pack, name, others, as_folder):
    table = PACKS[pack](TABLES[kind](csv_bytes(*data)))
    with new_folder(others) as folder:
        path = write(folder, name + pack, table)
        if not as_folder:
            check_read(path, *data)
        elif name[-4:].lower() in (".csv", ".tsv") or "arff" in kind:
            check_read(folder, *data)
        else:  # any text may lie beside other files
            refused(folder, "contains no digits in a known format", "give")


@settings(max_examples=40, deadline=None)
@given(
    digits, st.sampled_from(list(TABLES)),
    st.sampled_from(["train.csv", "digits.csv", "Digits.CSV", "a/b/digits.tsv", "digits.txt", "mnist.arff"]),
    st.sets(st.sampled_from(["__MACOSX/._digits.csv", ".DS_Store", "a/", "README.md", "test.csv"])),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.booleans(),
)  # fmt: skip
def test_tables_in_zip_archives(data, kind, name, others, compression, as_folder):
    members = dict.fromkeys(sorted(others), b"") | {name: TABLES[kind](csv_bytes(*data))}
    if "test.csv" in others:
        members["test.csv"] = csv_bytes(data[0])
    with new_folder() as folder:
        path = write(folder, "digits.zip", zipped(members, compression))
        source = folder if as_folder else path
        if "test.csv" in others and name != "train.csv":
            refused(source, "unpack it, and give the file or folder in it")
        else:
            check_read(source, *data)


ARRAYS = {
    "x": ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"),
    "images": ("train_images", "train_labels", "valid_images", "valid_labels", "test_images", "test_labels"),
    "camel": ("trainX", "trainY", "validationX", "validationY", "testX", "testY"),
    "data": ("training_data", "training_target", "dev_data", "dev_target", "testing_data", "testing_target"),
    "inputs": ("inputs_tr", "classes_tr", "inputs_val", "classes_val", "inputs_te", "classes_te"),
}
SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "28x28": lambda x: x,
    "flat floats": lambda x: x.reshape(-1, 784).astype(np.float64),
    "channel, 0 to 1": lambda x: (x[..., None] / 255).astype(np.float32),
    "Fortran, big-endian": lambda x: np.asfortranarray(x.astype(">i2")),
}
LABELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bytes": lambda y: y.astype(np.uint8),
    "column": lambda y: y[:, None],
    "one column per class": lambda y: np.eye(10)[y],
    "texts": lambda y: y.astype(str),
    "words": lambda y: np.array(WORDS)[y],
}


@settings(max_examples=40, deadline=None)
@given(
    digits, st.sampled_from(list(ARRAYS)), st.sampled_from(list(SHAPES)), st.sampled_from(list(LABELS)),
    st.sampled_from([np.savez, np.savez_compressed]), st.integers(1, 3), st.sampled_from(list(PACKS)), besides,
    st.booleans(),
)  # fmt: skip
def test_npz(data, names, shape, labels, save, parts, pack, others, as_folder):
    x, y = data
    cuts = {1: [len(x), len(x), len(x)], 2: [1, 1, len(x)], 3: [1, 2, len(x)]}[parts]
    arrays: dict[str, np.ndarray] = {}
    for part, (start, end) in enumerate(zip([0, *cuts], cuts, strict=False)):
        if end > start:
            x_name, y_name = ARRAYS[names][2 * part : 2 * part + 2]
            arrays |= {x_name: SHAPES[shape](x[start:end]), y_name: LABELS[labels](y[start:end])}
    with new_folder(others) as folder:
        path = write(folder, "digits.npz" + pack, PACKS[pack](npz_bytes(save=save, **arrays)))
        source = folder if as_folder else path
        if pack:
            refused(source, "is a compressed zip file: unpack it first")
        else:
            check_read(source, x, y, cuts[1] - cuts[0], cuts[2] - cuts[1])


@settings(max_examples=25, deadline=None)
@given(
    digits,
    st.sampled_from(list(SHAPES)),
    st.sampled_from([*PACKS, ".zip"]),
    st.sampled_from(NAMES),
    besides,
    st.booleans(),
)
def test_npy(data, shape, pack, name, others, as_folder):
    content = npy_bytes(SHAPES[shape](data[0]))
    packed = zipped({"images.npy": content}) if pack == ".zip" else PACKS[pack](content)
    with new_folder(others) as folder:
        path = write(folder, name + pack, packed)
        check_read(folder if as_folder else path, data[0], None)


IDX = [
    ("{part}-images-idx3-ubyte", "{part}-labels-idx1-ubyte"),
    ("{part}-images.idx3-ubyte", "{part}-labels.idx1-ubyte"),
    ("{part}_images", "{part}_labels"),
    ("{part}-x.bin", "{part}-y.bin"),
    ("digits {part} IMAGES.dat", "digits {part} names.dat"),
]


@settings(max_examples=40, deadline=None)
@given(
    digits, st.sampled_from(IDX), st.sampled_from(["t10k", "test", "Testing"]), st.sampled_from(list(PACKS)),
    st.sampled_from(list(PACKS)), besides, st.sampled_from(["train", "test", "folder", "labels"]),
)  # fmt: skip
def test_idx(data, names, test, pack, label_pack, others, asked):
    x, y = data
    cut = len(x) - 1
    with new_folder(others) as folder:
        for part, rows in (("train", slice(None, cut)), (test, slice(cut, None))):
            for name, array, how in zip(names, (x, y), (pack, label_pack), strict=True):
                write(folder, name.format(part=part) + how, PACKS[how](idx_bytes(array[rows])))
        paths = [folder / (names[0].format(part=part) + pack) for part in ("train", test)]
        if asked == "folder":
            check_read(folder, x, y, test_count=1)
        elif asked == "labels":
            check_read(folder / (names[1].format(part="train") + label_pack), x[:cut], y[:cut])
        elif asked == "train":
            check_read(paths[0], x[:cut], y[:cut])
        else:
            check_read(paths[1], x[cut:], y[cut:])


PLACES = ["{label}/{i}.png", "{word}/{i}.png", "digit_{label}/{i}.png", "{label}_{i}.png", "{word} ({i}).png"]
PART_NAMES = [("train", "valid", "test"), ("Training", "val", "Testing"), ("TRAIN", "validation", "TEST")]
TABLE_ROWS = {
    "file,label": "{name},{label}",
    "label;filename": "{label};{name}",
    "path,class": "pictures/{name},{word}",
}


def write_pictures(folder, images, labels, place, table, kind="PNG"):
    rows = [table] if table else []
    for i, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        values = {"label": label, "word": WORDS[label], "i": f"{i:02}"}
        name = f"{i:02}.png" if table else place.format(**values)
        write(folder, name, picture_bytes(image, kind))
        if table:
            rows.append(TABLE_ROWS[table].format(name=name, **values))
    if table:
        write(folder, "labels.csv", "\n".join(rows).encode())


@settings(max_examples=30, deadline=None)
@given(
    digits, st.sampled_from(PLACES), st.sampled_from([None, *TABLE_ROWS]), st.sampled_from([None, *PART_NAMES]),
    st.sampled_from(["PNG", "BMP", "TIFF", "GIF"]), st.booleans(),
)  # fmt: skip
def test_folders_of_pictures(data, place, table, parts, kind, hidden):
    x, y = data
    cuts = [len(x) - 2, len(x) - 1, len(x)] if parts else [len(x)]
    with new_folder([".DS_Store"] if hidden else []) as folder:
        for name, start, end in zip(parts or [""], [0, *cuts], cuts, strict=False):
            write_pictures(folder / name, x[start:end], y[start:end], place, table, kind)
        raw = read(folder, LIMIT)
    assert raw.labels is not None
    order = np.concatenate([
        start + np.argsort(raw.labels[start:end], kind="stable") for start, end in zip([0, *cuts], cuts, strict=False)
    ])  # names of classes may sort in another order  # fmt: skip
    np.testing.assert_array_equal(raw.images[order], [prepare(image).image for image in x])
    np.testing.assert_array_equal(raw.labels[order], y)
    assert raw.class_names == tuple("0123456789")
    assert (raw.validation_count, raw.test_count) == ((1, 1) if parts else (0, 0))


@settings(max_examples=20, deadline=None)
@given(digits, st.sampled_from(list(PACKS)), st.integers(1, 3), besides, st.sampled_from(["", "data/", "mnist/"]))
def test_parquet(data, pack, shards, others, inner):
    x, y = data
    cut = len(x) - 2
    with new_folder(others) as folder:
        bounds = np.linspace(0, cut, min(shards, cut) + 1).astype(int)
        for i, (start, end) in enumerate(pairwise(bounds)):
            content = parquet_bytes(x[start:end], y[start:end])
            path = write(folder, f"{inner}train-{i:05}-of-{shards:05}.parquet{pack}", PACKS[pack](content))
        for name, row in (("validation", cut), ("test", cut + 1)):
            write(folder, f"{inner}{name}-00000-of-00001.parquet", parquet_bytes(x[row : row + 1], y[row : row + 1]))
        if pack:
            refused(path, "is a compressed Parquet file: unpack it first")
        else:
            check_read(path, x[bounds[-2] : cut], y[bounds[-2] : cut])
            check_read(folder, x, y, validation_count=1, test_count=1)


@settings(max_examples=20, deadline=None)
@given(digits, st.sampled_from(["pictures", "idx", "parquet", "tables"]), besides)
def test_archives_of_other_files_say_to_unpack_them(data, kind, others):
    x, y = data
    members = {
        "pictures": {
            f"{label}/{i}.png": picture_bytes(image) for i, (image, label) in enumerate(zip(x, y, strict=True))
        },
        "idx": {"train-images-idx3-ubyte": idx_bytes(x), "train-labels-idx1-ubyte": idx_bytes(y)},
        "parquet": {"train.parquet": parquet_bytes(x, y)},
        "tables": {"a.csv": csv_bytes(x, y), "b.csv": csv_bytes(x)},
    }[kind]
    with new_folder() as folder:
        path = write(folder, "digits.zip", zipped(members | {name: BESIDES[name] for name in others}))
        refused(path, "unpack it, and give the file or folder in it")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_tar_archives_are_to_be_unpacked(mode, tmp_path):
    path = tmp_path / "digits.tar"
    with tarfile.open(path, mode) as archive:
        archive.add(write(tmp_path, "train.csv", b"label,pixel0\n"), "train.csv")
    refused(path, "is an archive: unpack it, and give the file or folder in it")
