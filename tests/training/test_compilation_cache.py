import os
import subprocess
import sys
from pathlib import Path

from inksight.training.compilation_cache import folder

CODE = (
    "from inksight import load, train; from inksight.config import Recipe;"
    "train(load('mnist')[:100], '4x5p,8x3', Recipe(epochs=1), progress=False)"
)


def test_a_compiled_step_is_kept_in_the_users_cache(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    for _ in range(2):  # the second run finds it
        subprocess.run([sys.executable, "-c", CODE], check=True, env=env | {"XDG_CACHE_HOME": str(tmp_path)})
        kept = [path.name for path in (tmp_path / "inksight").iterdir() if "_step" in path.name]
        assert len([name for name in kept if name.endswith("-cache")]) == 1


def test_who_has_a_cache_elsewhere_keeps_it(tmp_path):
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine")}
    subprocess.run([sys.executable, "-c", CODE], check=True, env=env)
    assert not (tmp_path / "inksight").exists()


def test_the_place_is_the_systems(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert folder() == Path("/somewhere/inksight")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert folder().name == "inksight"
