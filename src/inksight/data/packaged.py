"""The packaged MNIST, which a thread can unpack while the main thread imports the modules that will use it."""

import io
import threading
import zipfile
from importlib import resources

NAME = "mnist.npz"


def unpack_ahead() -> None:
    """Start unpacking in a thread, for a call of `members` that will follow."""
    if not _ahead:
        _ahead.append(_Unpacking())


def members() -> dict[str, bytes]:
    """Return the content of each file in the archive by its name, and forget what `unpack_ahead` has unpacked.

    Raises
    ------
    OSError
        If the archive cannot be read.
    zipfile.BadZipFile
        If it is damaged.
    """
    unpacking = _ahead.pop() if _ahead else _Unpacking()
    unpacking.join()
    if unpacking.error:
        raise unpacking.error
    return unpacking.members


class _Unpacking(threading.Thread):
    """Unpacks the archive. zlib unpacks a whole file without holding Python's lock, so other threads run meanwhile."""

    def __init__(self) -> None:
        super().__init__(daemon=True)  # a command that fails early does not wait for it
        self.members: dict[str, bytes] = {}
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            content = (resources.files("inksight") / "assets" / NAME).read_bytes()
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                self.members = {name: archive.read(name) for name in archive.namelist()}
        except Exception as error:  # `members` raises it in the thread that needs the content
            self.error = error


_ahead: list[_Unpacking] = []
