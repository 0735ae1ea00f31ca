"""Fixtures for the engine's tests."""

from types import SimpleNamespace

import pytest

from inksight.engine import interface, library as native


@pytest.fixture
def forget_engine():
    """Load the engine anew in the test, and again after it."""
    native.load.cache_clear()
    yield
    native.load.cache_clear()


@pytest.fixture(params=[0, 999])
def other_abi(request, monkeypatch, tmp_path, forget_engine):
    """Install an engine with another interface number. 0 is a library from before there was a number."""

    def load(path):
        return SimpleNamespace(inksight_abi=lambda: request.param) if request.param else SimpleNamespace()

    monkeypatch.setenv("INKSIGHT_LIBRARY", str(tmp_path / "libinksight.so"))
    monkeypatch.setattr(native, "ctypes", SimpleNamespace(CDLL=load))
    return request.param


@pytest.fixture
def changed_interface(monkeypatch, forget_engine):
    """Return a function that installs an engine of the right number with one declaration changed."""

    def change(name, text):
        declarations = interface.DECLARATIONS | {name: text}
        listed = [SimpleNamespace(name=key.encode(), text=value.encode()) for key, value in declarations.items()]
        end = SimpleNamespace(name=None, text=None)
        library = SimpleNamespace(inksight_abi=lambda: interface.ABI, inksight_interface=lambda: iter([*listed, end]))
        monkeypatch.setattr(native, "library_path", lambda: "/somewhere/libinksight.so")
        monkeypatch.setattr(native, "ctypes", SimpleNamespace(CDLL=lambda path: library))

    return change
