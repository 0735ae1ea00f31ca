"""The cache of compiled training steps."""

import os
import subprocess
import sys
from pathlib import Path

from inksight.training.compilation_cache import cache_folder

CODE = (
    "from inksight import Recipe, Splits, load, train;"
    "train(Splits(load('mnist')[:100]), '2x5p', Recipe(epochs=1), progress=False)"
)


def test_compiled_step_is_stored_in_the_users_cache_folder(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    for _ in range(2):  # the second run reads it from the cache
        subprocess.run([sys.executable, "-c", CODE], check=True, env=env | {"XDG_CACHE_HOME": str(tmp_path)})
        cached = [path.name for path in (tmp_path / "inksight").iterdir() if "_step" in path.name]
        assert len([name for name in cached if name.endswith("-cache")]) == 1


def test_configured_cache_folder_is_respected(tmp_path):
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine")}
    subprocess.run([sys.executable, "-c", CODE], check=True, env=env)
    assert not (tmp_path / "inksight").exists()


def test_cache_folder_follows_the_system(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/inksight")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder().name == "inksight"
