"""The files of the page: their size, what they may load, the one file, the server, and the command."""

import base64
import gzip
import json
import posixpath
import re
import urllib.error
import urllib.request

import numpy as np
import pytest
from commands import command
from pages import ParsedPage

import inksight
from inksight import InputError, cli
from inksight.inspection.barcodes import average_barcodes
from inksight.nn.model_file import read_model
from inksight.web import serve, write_page, write_site
from inksight.web.bundle import bundle
from inksight.web.settings import IMAGES_PER_CLASS
from inksight.web.site import single_file, site_files


@pytest.fixture(scope="module")
def files():
    return site_files("post")


def scripts_at_start(files, path):
    """Return the paths of a script and of all scripts that are loaded with it, before they are asked for."""
    imported = re.findall(r'^import .* from "(.+)";$', files[path].decode(), re.MULTILINE)
    paths = [posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) for target in imported]
    return {path}.union(*(scripts_at_start(files, each) for each in paths))


def test_the_files_are_small(files):
    scripts = scripts_at_start(files, "main.js")
    assert {"main.js", "engine.js", "texts.js"} <= scripts
    assert not {"worker.js", "step.js", "training/view.js"} & scripts
    # The page loads one language: here the one with the longer texts.
    others = {
        "index.html",
        "style.css",
        "theme.js",
        "settings.json",
        "model.safetensors",
        "engine.wasm",
        "texts/de.json",
    }
    loaded = [files[name] for name in scripts | others]
    assert len(files["texts/en.json"]) <= len(files["texts/de.json"])
    assert sum(map(len, loaded)) <= 400_000
    assert sum(len(gzip.compress(content, 9)) for content in loaded) <= 200_000


def test_the_folder_holds_nothing_inline_and_names_no_other_host(files):
    html = files["index.html"].decode()
    parsed = ParsedPage(html)
    assert parsed.open == []
    assert {*parsed.links} - {"data:,"} == {"style.css", "theme.js"} | scripts_at_start(files, "main.js")
    assert not re.search(r"<style|\son\w+=|\sstyle=|<script(?![^>]* src=)", html)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "unsafe-inline" not in policy[1]
    assert "'unsafe-eval'" not in policy[1]
    assert policy[1].startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';")
    for name, content in files.items():
        if name.endswith((".js", ".css", ".html")):
            code = content.decode().replace('"http://www.w3.org/2000/svg"', "")  # a name, which is not loaded
            assert "//" not in re.sub(r"^\s*//.*| // .*", "", code, flags=re.MULTILINE), name  # no address
            assert "innerHTML" not in content.decode()


def test_one_file_holds_all_and_may_request_nothing(files):
    html = single_file(files).decode()
    parsed = ParsedPage(re.sub(r"<script.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL))
    assert {*parsed.links} == {"data:,"}
    assert "connect-src 'none'" in html
    assert "unsafe-inline" not in html
    assert len(re.findall(r"'sha256-[\w+/]{43}='", html)) == 3  # two scripts and the style sheet


def test_the_model_of_the_page_is_the_model(tmp_path, post_model, mnist):
    post_model.save(tmp_path / "mine.safetensors")
    written = write_site(tmp_path / "site", tmp_path / "mine.safetensors")
    assert all(path.is_file() for path in written)
    assert {path.name for path in written} >= {"index.html", "main.js", "style.css", "engine.wasm", "de.json"}
    assert read_model(tmp_path / "site" / "model.safetensors").digest == post_model.digest
    settings = json.loads((tmp_path / "site" / "settings.json").read_text())
    assert settings["model"] == {"name": "mine.safetensors", "digest": post_model.digest[:12]}
    means = np.frombuffer(base64.b64decode(settings["means"]), "<f4").reshape(10, -1)
    expected = average_barcodes(post_model, mnist.split().train, IMAGES_PER_CLASS).means
    np.testing.assert_allclose(means, expected, rtol=1e-6)


def test_other_files_of_the_folder_stay(tmp_path):
    (tmp_path / "CNAME").write_text("digits.example")
    (tmp_path / "index.html").write_text("old")
    write_site(tmp_path, "tiny")
    assert (tmp_path / "CNAME").read_text() == "digits.example"
    assert (tmp_path / "index.html").read_text().startswith("<!doctype html>")


def test_wrong_places_and_models_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make folder"):
        write_site(tmp_path / "file" / "site", "tiny")
    with pytest.raises(InputError, match="does not exist; create it first"):
        write_page(tmp_path / "missing" / "page.html", "tiny")
    with pytest.raises(InputError, match="model must be a file that exists"):
        write_page(tmp_path / "page.html", "nothing")
    with pytest.raises(InputError, match="model must be a Model"):
        site_files(inksight.Ensemble((inksight.load_model("tiny"),) * 2))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_scripts_import_what_there_is(files):
    imported = 0
    for path, content in files.items():
        if path.endswith(".js"):
            for names, target in re.findall(r'import \{ ([^}]+) \} from "(.+?)"', content.decode()):
                module = files[posixpath.normpath(posixpath.join(posixpath.dirname(path), target))].decode()
                exported = re.findall(r"^export (?:async )?(?:function|const|let|class) (\w+)", module, re.MULTILINE)
                wanted = {name.split(" as ")[0] for name in names.split(", ")}
                assert wanted <= set(exported), (path, target)
                imported += len(wanted)
    assert imported > 100


def test_a_bundle_keeps_private_names_apart():
    modules = {
        "later.js": 'import { one } from "./one.js";\nexport const more = () => one;',
        "main.js": 'import { two as b } from "./sub/two.js";\nimport { one } from "./one.js";\nconst x = b + one;\n'
        'const load = () => import("./later.js");',
        "one.js": "const x = 1;\nexport const one = x;",
        "sub/two.js": 'import { one } from "../one.js";\nconst x = 2 * one;\nexport const two = x;',
    }
    text = bundle(modules, "main.js")
    assert "import" not in text
    assert "export" not in text
    assert "const load = () => Promise.resolve(file2);" in text
    assert text.index("const one = x") < text.index("const two = x") < text.index("const x = b + one")
    with pytest.raises(AssertionError, match="imports itself"):
        bundle({"a.js": 'import { a } from "./a.js";'}, "a.js")
    with pytest.raises(AssertionError, match="not bundled"):
        bundle({"a.js": "export default 1;"}, "a.js")


def test_the_server_gives_the_page_and_nothing_else():
    with serve("tiny") as address:
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address + "engine.wasm") as answer:
            assert answer.headers["Content-Type"] == "application/wasm"
        for name in ("nothing", "../pyproject.toml", "texts/", "%2e%2e/settings.json"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(address + name)
        port = int(address.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(InputError, match=f"cannot serve on port {port}: .*; give another port"):
            serve("tiny", port=port).__enter__()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address)


def test_the_command_writes_what_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    output = command(capsys, "web", "--out", "site", "--single", "page.html", "--model", "tiny")
    assert output == "page: site\npage: page.html\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    result = json.loads(command(capsys, "web", "--out", "other", "--model", "tiny", "--json"))
    assert result["folder"] == "other"
    assert result["page"] is None
    assert "other/index.html" in result["files"]


def test_the_command_serves_and_opens_the_page(monkeypatch, capsys):
    opened: list[str] = []

    def wait():
        with urllib.request.urlopen(opened[0]) as answer:
            assert answer.status == 200

    monkeypatch.setattr("inksight.cli.web.wait", wait)
    monkeypatch.setattr("click.launch", opened.append)
    output = command(capsys, "web", "--model", "tiny")
    assert output == f"{opened[0]} serves the page until you press Ctrl-C\n"


def test_the_command_refuses_what_makes_no_sense(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    inksight.load_model("tiny").save("tiny.safetensors")
    for arguments, message in (
        (["--json"], "--out or --single"),
        (["--single", "tiny.safetensors", "--model", "tiny.safetensors"], "other than the files to read"),
        (["--out", "tiny.safetensors"], "cannot make folder"),
        (["--model", "missing"], "model must be a file that exists"),
        (["--port", "99999"], "99999"),
    ):
        assert cli.run(["web", *arguments]) == 2
        assert message in capsys.readouterr().err
