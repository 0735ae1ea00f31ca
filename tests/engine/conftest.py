"""Fixtures for the engine's tests."""

from types import SimpleNamespace

import pytest

from inksight.engine import library as native, ops


@pytest.fixture(params=[0, 999])
def other_abi(request, monkeypatch, tmp_path):
    """Install an engine with another interface number. 0 is a library from before there was a number."""

    def load(path):
        return SimpleNamespace(inksight_abi=lambda: request.param) if request.param else SimpleNamespace()

    def forget():
        native.library.cache_clear()
        ops.engine.cache_clear()

    monkeypatch.setenv("INKSIGHT_LIBRARY", str(tmp_path / "libinksight.so"))
    monkeypatch.setattr(native, "ctypes", SimpleNamespace(CDLL=load))
    forget()
    yield request.param
    forget()
