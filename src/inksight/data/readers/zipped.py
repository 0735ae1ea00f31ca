"""Zip archives: NumPy's .npz, or a CSV file as Kaggle packs it, or an ARFF file."""

import zipfile
from pathlib import Path, PurePosixPath

from inksight._shared.untrusted import check_ratio, damage_as_input_error, read_bounded
from inksight.data.readers import arff, csv, npz
from inksight.data.readers.formats import ARFF_START
from inksight.data.readers.raw import Raw
from inksight.errors import InputError

_TABLES = (".csv", ".tsv", ".txt", ".arff")


def read(path: Path, memory_limit: int, label: str | None = None) -> Raw:
    """Read the arrays of an ``.npz`` file, or the table in a zip archive: ``train.csv``, or the only CSV or ARFF file.

    Parameters
    ----------
    path : Path
    memory_limit : int
        Largest number of bytes that the arrays or the text may take.
    label : str, optional
        The column of the labels in a table; see `inksight.data.readers.csv_layout.detect`.

    Raises
    ------
    InputError
        If the archive contains neither, or is damaged; and as `npz.read` and `csv.read`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "train.csv.zip"
    ...     with zipfile.ZipFile(path, "w") as archive:
    ...         archive.writestr("train.csv", ",".join(csv.COLUMNS) + "\\n7" + ",255" * 784)
    ...     read(path, 20_000).labels
    array([7])
    """
    with damage_as_input_error(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        names = [PurePosixPath(info.filename) for info in archive.infolist() if not info.is_dir()]
        visible = [name for name in names if not name.name.startswith((".", "__")) and "__MACOSX" not in name.parts]
        if not visible or any(name.suffix == ".npy" for name in visible):
            return npz.read(path, memory_limit)
        tables = [name for name in visible if name.suffix.casefold() in _TABLES]
        tables = [name for name in tables if name.stem.casefold() == "train"] or tables
        if len(tables) != 1:
            listed = ", ".join(map(str, visible[:6]))[:200]
            raise InputError(
                f"{str(path)!r} must contain NumPy arrays, a CSV or ARFF file or one that is named train.csv, "
                f"got {listed!r}: "
                "unpack it, and give the file or folder in it"
            )
        info = archive.getinfo(str(tables[0]))
        check_ratio(path, info.file_size, info.compress_size)
        with archive.open(info) as stream:
            parse = arff.parse if ARFF_START.match(read_bounded(stream, 512)) else csv.parse
        with archive.open(info) as stream:
            return parse(path, stream, memory_limit, label)
