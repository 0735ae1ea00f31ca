"""`TarSource`: the pictures in a tar archive, which is read from any of them on and never unpacked."""

import tarfile
from array import array
from collections.abc import Iterator
from pathlib import Path

from inksight._shared.untrusted import damage_as_input_error
from inksight.imaging.file_pages import MAX_FILE_SIZE
from inksight.scale.storage import open_file


class TarSource:
    """The files of a tar archive, other than hidden ones, named like ``scans.tar/page.png``.

    Where each one begins is found once, from the headers. Nothing else is kept: 8 bytes per file.

    Raises
    ------
    InputError
        If the archive is damaged.
    """

    of_arrays = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._offsets = array("q", (member.offset for member, _ in self._members(0)))

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self, start: int, stop: int) -> Iterator[tuple[str, bytes]]:
        """Yield the names and contents of files; of a too large one, as much as shows that it is."""
        if start >= stop:
            return
        for _, (member, archive) in zip(range(start, stop), self._members(self._offsets[start]), strict=False):
            file = archive.extractfile(member)
            content = file.read(MAX_FILE_SIZE + 1) if file else b""
            yield f"{self.name}/{member.name}", content

    def _members(self, offset: int) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        """Yield the files from an offset on."""
        with open_file(self.name) as file, damage_as_input_error(self.name, "a tar archive"):
            file.seek(offset)
            with tarfile.open(fileobj=file, mode="r:") as archive:
                while member := archive.next():
                    archive.members.clear()  # type: ignore[attr-defined]  # which would grow with the archive
                    parts = set(Path(member.name).parts) - {".."}
                    hidden = any(part.startswith((".", "__")) for part in parts)
                    if member.isreg() and not member.issparse() and not hidden:
                        yield member, archive
                # Python takes a damaged header for the end, and so leaves out what follows.
                file.seek(archive.offset)
                if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                    raise tarfile.ReadError(f"no header of a file, and not the end, at byte {archive.offset:,}")
