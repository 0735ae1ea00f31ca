"""Stand-ins for a disk: file operations that fail, and all that a disk may hold after a crash."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product

import pytest


@contextmanager
def failing(first: int, count: float, error: int) -> Iterator[list[str]]:
    """Let file operations fail, from number `first` on and so many of them; yield the names of all that were called.

    The operations are those that `inksight._shared.files` uses. Of a write that fails, one half is written before.
    """
    calls: list[str] = []

    def fails(name):
        calls.append(name)
        return first <= len(calls) < first + count

    def wrap(name):
        function = getattr(os, name)

        def call(*arguments, **options):
            if fails(name):
                if name == "close":  # the system closes a file even if it reports an error
                    function(*arguments)
                raise OSError(error, os.strerror(error))
            return None if name == "fsync" else function(*arguments, **options)  # it would only take time

        return call

    class File(io.FileIO):
        def write(self, content):
            if fails("write"):
                super().write(content[: len(content) // 2])
                raise OSError(error, os.strerror(error))
            return super().write(content)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "close", "fsync", "replace", "chmod", "chown", "unlink"):
            patch.setattr(os, name, wrap(name))
        patch.setattr(io, "open", _opener(File))
        yield calls


@dataclass
class _File:
    """A file by its content: what is certainly on the disk, and what may be there since then."""

    durable: bytes = b""
    later: list[bytes] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return self.later[-1] if self.later else self.durable

    @property
    def possible(self) -> set[bytes]:
        """Contents that the disk may hold after a crash: any earlier one, or a part of what was written since."""
        return {self.durable, *self.later, *(content[: len(content) // 2] for content in self.later)}


class Disk:
    """A model of one folder on a disk that keeps nothing but what was flushed, and whatever else it likes.

    Content is certain after the file was flushed, names are after the folder was. A crash may leave any part of
    everything later: each name may refer to any file that it has referred to since, and each file may have any earlier
    content.
    """

    def __init__(self, folder) -> None:
        self.folder = os.path.realpath(folder)
        self.names: dict[str, list[_File | None]] = {}  # all that a name may refer to, the present one last
        self.descriptors: dict[int, str] = {}
        self.states: set[frozenset[tuple[str, bytes]]] = {frozenset()}

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record what the process does in the folder; `states` then holds all that a crash may have left."""
        disk, calls = self, {name: getattr(os, name) for name in ("open", "close", "fsync", "replace", "unlink")}

        def open_(path, flags, *arguments, **options):
            descriptor = calls["open"](path, flags, *arguments, **options)
            disk.descriptors[descriptor] = os.fspath(path)
            if flags & os.O_CREAT and (name := disk.name(path)) and disk.now(name) is None:
                disk.change(name, _File())
            return descriptor

        def close(descriptor):
            disk.descriptors.pop(descriptor, None)
            calls["close"](descriptor)

        def fsync(descriptor):
            path = disk.descriptors[descriptor]
            if os.path.realpath(path) == disk.folder:
                disk.names = {name: [files[-1]] for name, files in disk.names.items()}
            elif file := disk.now(disk.name(path)):
                file.durable, file.later = file.content, []
            calls["fsync"](descriptor)
            disk.crash()

        def replace(source, target, **options):
            calls["replace"](source, target, **options)
            disk.change(disk.name(target), disk.now(disk.name(source)))
            disk.change(disk.name(source), None)

        def unlink(path, **options):
            calls["unlink"](path, **options)
            disk.change(disk.name(path), None)

        class File(io.FileIO):
            def write(self, content):
                written = super().write(content)
                if file := disk.now(disk.name(self.name)):
                    file.later.append(file.content + bytes(content[:written]))
                    disk.crash()
                return written

        with pytest.MonkeyPatch.context() as patch:
            for function in (open_, close, fsync, replace, unlink):
                patch.setattr(os, function.__name__.rstrip("_"), function)
            patch.setattr(io, "open", _opener(File))
            yield

    def name(self, path) -> str:
        """Return the name of a file in the folder; empty for others."""
        folder, name = os.path.split(os.path.realpath(path))
        return name if folder == self.folder and not name.endswith(".lock") else ""

    def now(self, name) -> _File | None:
        """Return the file that a name refers to."""
        return self.names.get(name, [None])[-1]

    def change(self, name, file) -> None:
        """Let a name refer to another file."""
        if name:
            self.names.setdefault(name, [None]).append(file)
            self.crash()

    def crash(self) -> None:
        """Add what a crash at this moment may leave, without temporary files."""
        names = [name for name in self.names if not name.startswith(".")]
        choices = [
            {content for file in self.names[name] for content in ([None] if file is None else file.possible)}
            for name in names
        ]
        for contents in product(*choices):
            self.states.add(frozenset((n, c) for n, c in zip(names, contents, strict=True) if c is not None))


def _opener(kind):
    """Return `io.open` with another class for files that are written as bytes."""
    opened = io.open

    def open_(file, mode="r", *arguments, **options):
        return io.BufferedWriter(kind(file, mode)) if mode == "wb" else opened(file, mode, *arguments, **options)

    return open_
