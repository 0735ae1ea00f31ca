"""Remote storage: fsspec's file systems of this machine and of memory, and an S3 server."""

import numpy as np
import pytest
from pyarrow import parquet

from inksight import InputError, MissingDependencyError
from inksight.errors import MissingFileError
from inksight.scale import read_in_shards
from inksight.scale.manifest import NAME
from inksight.scale.sources import open_source
from inksight.scale.storage import Folder, open_file

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")


@pytest.fixture(params=["path", "file", "memory"])
def folder(request, tmp_path):
    """A folder on every kind of storage that one process has."""
    memory = fsspec.filesystem("memory")
    yield Folder({"path": f"{tmp_path}/f", "file": f"file://{tmp_path}/f", "memory": "memory://f"}[request.param])
    memory.store.clear()


def test_files_are_there_completely_or_not_at_all(folder):
    folder.create()
    assert folder.names() == set()
    assert folder.read("a") is None
    with folder.writing("a") as path:
        path.write_bytes(b"one")
        assert folder.names() <= {path.name}
    with pytest.raises(KeyError), folder.writing("b") as path:  # noqa: PT012
        path.write_bytes(b"half")
        raise KeyError
    assert folder.names() == {"a"}
    assert folder.read("a") == b"one"
    with folder.writing("a") as path:
        path.write_bytes(b"two")
    assert folder.read("a") == b"two"
    folder.create()
    assert folder.names() == {"a"}


def test_sources_in_memory(mnist):
    memory = fsspec.filesystem("memory")
    with memory.open("/in/a.npy", "wb") as file:
        np.save(file, mnist.images[:7])
    memory.pipe("/in/b/1.png", b"picture")
    source = open_source(["memory://in/a.npy"])
    np.testing.assert_array_equal(np.concatenate(list(source.read(2, 6))), mnist.images[2:6])
    assert [name for name, _ in open_source(["memory://in/**.png"]).read(0, 1)] == ["memory:///in/b/1.png"]
    with open_file("memory:///in/b/1.png") as file:
        assert file.read() == b"picture"
    with pytest.raises(MissingFileError, match=r"no file 'memory://none'"), open_file("memory://none"):
        pass
    with pytest.raises(InputError, match="stands for no files"):
        open_source(["memory://none/*.png"])
    memory.store.clear()


def test_unknown_kinds_of_storage_are_one_error(monkeypatch):
    with pytest.raises(InputError, match=r"cannot read 'nothing://a.npy'"):
        open_source(["nothing://a.npy"])
    with pytest.raises(MissingDependencyError, match=r"'dropbox://a.npy' needs \w+: pip install"):
        open_source(["dropbox://a.npy"])


def test_whatever_a_library_for_storage_raises_is_one_error(mnist, tmp_path, monkeypatch):
    class Lost(Exception):
        """The error of a library that does not use those of Python."""

    def lost(*arguments, **options):
        raise Lost("no credentials\nfound")

    np.save(tmp_path / "a.npy", mnist.images[:7])
    words = r"'memory://[^']*' \(Lost: no credentials found\): check its name and your access"
    memory = type(fsspec.filesystem("memory"))
    for method, verb in (
        ("open", "read"), ("isfile", "read"), ("makedirs", "make folder"), ("find", "read"), ("put_file", "write"),
    ):  # fmt: skip
        source = "memory://in/a.npy" if method in ("open", "isfile") else tmp_path / "a.npy"
        memory.store.clear()
        fsspec.filesystem("memory").pipe("/in/a.npy", (tmp_path / "a.npy").read_bytes())
        monkeypatch.setattr(memory, method, lost)
        with pytest.raises(InputError, match=f"cannot {verb} {words}"):
            read_in_shards(source, "memory://out", model="tiny", workers=1, progress=False)
        monkeypatch.undo()
    memory.store.clear()


@pytest.fixture
def bucket(monkeypatch):
    """The URL of a bucket on an S3 server of this process."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("digits")
    yield "s3://digits"
    s3fs.S3FileSystem.clear_instance_cache()
    running.stop()


@pytest.mark.filterwarnings("ignore")  # of botocore and moto, about their own use of Python
def test_a_job_from_s3_to_s3(bucket, mnist, tmp_path):
    import s3fs

    files = s3fs.S3FileSystem()
    np.save(tmp_path / "a.npy", mnist.images[:300])
    files.put_file(str(tmp_path / "a.npy"), f"{bucket}/in/a.npy")
    source, out = f"{bucket}/in/*.npy", f"{bucket}/out"
    result = read_in_shards(source, out, model="tiny", shards=3, workers=1, progress=False)
    assert (result.done, result.rows) == (3, 300)
    read_in_shards(tmp_path / "a.npy", tmp_path / "here", model="tiny", shards=3, workers=1, progress=False)
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert Folder(out).names() == names == {"part-000000.parquet", "part-000001.parquet", "part-000002.parquet", NAME}
    for name in names - {NAME}:
        here = parquet.read_table(tmp_path / "here" / name)
        with Folder(out).open(name) as file:
            assert parquet.read_table(file).equals(here)
    files.rm(f"{bucket}/out/part-000001.parquet")
    assert read_in_shards(source, out, model="tiny", shards=3, workers=1, progress=False).rows == 300
    files.invalidate_cache()  # of a listing from before
    table = parquet.read_table("digits/out", filesystem=files)
    assert table["image"].to_pylist() == list(range(300))
