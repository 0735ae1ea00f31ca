"""The cache of compiled training steps."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inksight.training.compilation_cache import cache_folder, make_private

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
    monkeypatch.setenv("HOME", "/home/someone")
    for unset in ("", "relative/caches"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        folder = cache_folder()
        assert folder is not None
        assert folder.is_relative_to("/home/someone")
        assert folder.name == "inksight"


def test_a_user_without_a_home_folder_has_no_cache(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert cache_folder() is None


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_cache_folder_is_private_whatever_the_umask(tmp_path):
    for mask in (0, 0o277):
        folder = tmp_path / f"caches-{mask}" / "inksight"
        folder.parent.mkdir()
        before = os.umask(mask)
        try:
            assert make_private(folder)
        finally:
            os.umask(before)
        assert mode(folder) == 0o700


def test_a_cache_folder_that_others_can_only_read_becomes_private(tmp_path):
    tmp_path.chmod(0o755)
    assert make_private(tmp_path)
    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("writable", [0o770, 0o707, 0o777])
def test_a_cache_folder_that_others_can_change_is_not_used(tmp_path, writable):
    tmp_path.chmod(writable)
    assert not make_private(tmp_path)
    assert mode(tmp_path) == writable


def test_a_cache_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert not make_private(tmp_path)


def test_a_cache_folder_that_cannot_be_made_is_not_used(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert not make_private(file)
    assert not make_private(file / "inksight")


@pytest.mark.parametrize("trouble", ["shared", "foreign", "homeless"])
def test_training_works_without_a_cache(tmp_path, trouble):
    folder = tmp_path / "inksight"
    folder.mkdir(mode=0o700)
    changes = {
        "shared": f"pathlib.Path({str(folder)!r}).chmod(0o777)",
        "foreign": f"os.getuid = lambda: {os.getuid() + 1}",
        "homeless": "pwd.getpwuid = {}.__getitem__; [os.environ.pop(name) for name in ('HOME', 'XDG_CACHE_HOME')]",
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    code = f"import os, pathlib, pwd; {changes[trouble]}; {CODE}"
    env |= {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(folder.iterdir())
