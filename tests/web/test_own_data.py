"""Own data in the page: examples by class, drawn, taken in from files, kept, downloaded, and read by Python."""

import io
import re
import zipfile

import numpy as np
import pytest
from pages import CHROMIUM, check_layout, opened
from PIL import Image

import inksight

from .conftest import ABORT_WRITES, decoded

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
NAMES = ("π", "<img src=x onerror=alert(1)>", "🙂", "אב", "x" * 60)
# Returns what the page has collected, in the order of the classes on the page.
COLLECTED = """async () => {
  const { collection } = await (await import("/collection/opened.js")).openCollection();
  return collection.classes.map(({ name, examples }) =>
    [name, examples.map(({ image }) => btoa(String.fromCharCode(...image)))]);
}"""


@pytest.fixture(scope="module")
def shared(served, browser):
    """The page with the view of own data, shared by all tests of this file."""
    with opened(browser, served, 1200, "light", accept_downloads=True) as page:
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-collection")
        page.wait_for_selector("#own-name")
        yield page


@pytest.fixture
def page(shared):
    """The page without classes."""
    if shared.is_enabled("#own-clear"):
        shared.click("#own-clear")
    shared.click("[data-tool=clear]")
    return shared


def add_class(page, name):
    page.fill("#own-name", name)
    page.press("#own-name", "Enter")


def add_example(page, place):
    """Add one of the page's example drawings to a class."""
    page.click("[data-tool=example]")
    page.wait_for_function("() => document.getElementById('digit').textContent !== ''")
    page.locator("#own-strip button").nth(place).click()


def message(page):
    return page.inner_text("#own-message")


def take_in(page, files):
    """Give files to the page, wait until they are read, and return what was left out, and why."""
    page.evaluate("() => { document.getElementById('own-message').textContent = ''; }")  # what was said before
    page.set_input_files("#own-files", files)
    page.wait_for_function("() => document.getElementById('own-message').textContent.startsWith('Examples added')")
    left = page.locator("#collection details").filter(visible=True).locator("li").all_inner_texts()
    return message(page), left


def collected(page):
    """Return the images (n, 28, 28) of each class by its name."""
    return {
        name: np.array([decoded(image, np.uint8).reshape(28, 28) for image in images])
        for name, images in page.evaluate(COLLECTED)
    }


def shown(page):
    """Return the number of examples of each class as the page shows it."""
    names = page.locator(".collected > li input").evaluate_all("(all) => all.map((one) => one.value)")
    counts = page.locator(".collected .count").all_inner_texts()
    return {name: int(count.split()[-1]) for name, count in zip(names, counts, strict=True)}


def picture(mnist, row, size=280, file_format="PNG"):
    """Return a picture of a digit of MNIST, dark on white."""
    file = io.BytesIO()
    Image.fromarray(255 - mnist.images[row]).resize((size, size)).save(file, file_format)
    return file.getvalue()


def given(name, content):
    return {"name": name, "mimeType": "", "buffer": content}


def test_names_are_any_text_and_never_markup(page):
    for name in NAMES:
        add_class(page, f"  {name} ")
        said = (
            message(page).replace("\u2068", "").replace("\u2069", "")
        )  # which isolate names written from right to left
        assert said.startswith(f"The class {name} is added.")
    assert list(shown(page)) == list(NAMES)
    assert page.locator("#own-strip bdi").all_inner_texts() == list(NAMES)
    assert page.locator("#app img").count() == 0
    for name, words in (
        (" ", "needs a name"),
        ("x" * 61, "at most 60 characters"),
        ("a/b", "The name a/b cannot be used"),
        ("a,b", "cannot be used"),
        ('"', "cannot be used"),
        (".hidden", "cannot be used"),
        ("π", "There is a class π already"),
    ):
        add_class(page, name)
        assert words in message(page)
        assert list(shown(page)) == list(NAMES)
    first = page.locator(".collected input").first
    first.fill("🙂")
    first.blur()
    assert "already" in message(page)
    first.fill("pi")
    first.blur()
    assert list(shown(page)) == ["pi", *NAMES[1:]]
    for number in range(15):
        add_class(page, str(number))
    add_class(page, "one too many")
    assert "at most 20 classes" in message(page)
    assert len(shown(page)) == 20


def test_drawings_survive_a_reload_and_are_deleted_and_brought_back(page):
    add_class(page, "π")
    add_class(page, "+")
    page.locator("#own-strip button").first.click()
    assert message(page) == "Nothing to read yet. Draw a digit, or try an example."
    for place in (0, 1, 1):
        add_example(page, place)
    assert "which has 2 examples now" in message(page)
    before = collected(page)
    assert {name: len(images) for name, images in before.items()} == {"π": 1, "+": 2}
    page.reload()
    page.wait_for_selector("#app:not([hidden])")
    page.click("#open-collection")
    page.wait_for_selector(".collected .delete")
    after = collected(page)
    assert list(after) == list(before)
    for name, images in before.items():
        np.testing.assert_array_equal(after[name], images)
    page.locator(".collected > li").nth(1).locator(".delete").first.click()
    assert shown(page) == {"π": 1, "+": 1}
    assert page.evaluate("document.activeElement.className") == "delete"
    page.click("#own-undo")
    np.testing.assert_array_equal(collected(page)["+"], before["+"])
    page.click("#own-clear")
    assert shown(page) == {}
    page.click("#own-undo")
    assert shown(page) == {"π": 1, "+": 2}
    assert message(page) == "What was deleted is back."


def test_an_example_is_put_on_the_canvas_as_it_is(page):
    add_class(page, "+")
    add_example(page, 0)
    page.wait_for_function("() => document.getElementById('digit').textContent === ''")
    page.locator(".collected .thumbnail").click()
    page.wait_for_function("() => document.getElementById('digit').textContent !== ''")
    assert page.evaluate("document.activeElement.id") == "pad"
    page.locator("#own-strip button").click()
    first, second = collected(page)["+"]
    np.testing.assert_array_equal(first, second)


def test_what_is_missing_to_train_is_named(page, mnist):
    assert "collect at least 2 classes" in page.inner_text("#own-summary")
    for name in ("π", "<b>", "+"):
        add_class(page, name)
    left = take_in(page, [given(f"{number}.png", picture(mnist, number)) for number in range(5)])[1]
    assert left == []
    summary = page.inner_text("#own-summary")
    assert summary.startswith("Classes: 3. Examples: 5. ")
    assert summary.endswith("These have fewer: <b> (0), + (0).")


def downloaded(page, button, path):
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


def collect_several(page, mnist, names):
    """Collect different pictures of several classes, and return them by the names of the classes."""
    for place, name in enumerate(names):
        add_class(page, name)
        page.select_option("#own-loose", label=name)
        take_in(page, [given(f"{row}.png", picture(mnist, 10 * place + row)) for row in range(2 + place)])
    return collected(page)


def same_examples(found, expected):
    assert found.keys() == expected.keys()
    for name, images in expected.items():
        np.testing.assert_array_equal(found[name], images)


def test_a_table_is_read_by_python_and_by_the_page(page, mnist, tmp_path):
    expected = collect_several(page, mnist, ("π", "<b>", "🙂", "אב"))
    path = tmp_path / "examples.csv"
    assert downloaded(page, "#own-table", path) == "examples.csv"
    data = inksight.load(path)
    assert data.class_names == tuple(sorted(expected))
    for label, name in enumerate(data.class_names):
        np.testing.assert_array_equal(data.images[data.labels == label], expected[name])
    page.click("#own-clear")
    assert take_in(page, [path]) == (f"Examples added: {len(data)}.", [])
    same_examples(collected(page), {name: expected[name] for name in sorted(expected)})


def test_pictures_are_read_by_python_and_by_the_page(page, mnist, tmp_path):
    expected = collect_several(page, mnist, ("7", "π", "10"))
    page.click("#own-table")
    assert "numbers stand for the digits 0 to 9 only" in message(page)
    assert downloaded(page, "#own-zip", tmp_path / "examples.zip") == "examples.zip"
    assert "inksight train --data examples" in message(page)
    with zipfile.ZipFile(tmp_path / "examples.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    data = inksight.load(tmp_path / "examples")
    assert data.class_names == ("10", "7", "π")
    for label, name in enumerate(data.class_names):
        # Each picture is prepared again, which changes the gray levels a little.
        np.testing.assert_allclose(data.images[data.labels == label], expected[name].astype(int), atol=20)
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:  # as other programs write it
        for file in sorted((tmp_path / "examples").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    for path in (tmp_path / "examples.zip", packed):
        page.click("#own-clear")
        assert take_in(page, [path]) == (f"Examples added: {len(data)}.", [])
        found = collected(page)
        assert {name: len(images) for name, images in found.items()} == {
            name: len(images) for name, images in expected.items()
        }
        for label, name in enumerate(data.class_names):
            np.testing.assert_allclose(found[name], data.images[data.labels == label].astype(int), atol=1)


def make_folders(root, mnist):
    """Write a folder with two classes, files of the system, and a file that is not a picture."""
    for place, name in enumerate(("plus sign", "<i>")):
        (root / name).mkdir(parents=True)
        for number in range(3):
            (root / name / f"{number}.png").write_bytes(picture(mnist, 3 * place + number))
    (root / "<i>" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (root / "<i>" / "notes.txt").write_text("not a picture")


def test_folders_are_taken_in_as_python_reads_them(page, mnist, tmp_path):
    make_folders(tmp_path / "data", mnist)
    for way in ("choose", "drop"):
        if shown(page):
            page.click("#own-clear")
        if way == "choose":
            page.set_input_files("#own-folder", tmp_path / "data")
        else:
            drop(page, [tmp_path / "data" / "<i>", tmp_path / "data" / "plus sign"])
        page.wait_for_function("() => document.getElementById('own-message').textContent === 'Examples added: 6.'")
        assert shown(page) == {"<i>": 3, "plus sign": 3}
        listed = page.locator("#collection details li").all_inner_texts()
        assert len(listed) == 1
        assert "<i>/notes.txt: This file is not a picture" in listed[0]
        for name, images in collected(page).items():
            for number, image in enumerate(images):
                expected = inksight.prepare(tmp_path / "data" / name / f"{number}.png").image
                np.testing.assert_allclose(image, expected.astype(int), atol=1)


def drop(page, paths):
    """Drop files or folders on the view, as a file manager does."""
    box = page.locator(".drop").bounding_box()
    page.locator(".drop").scroll_into_view_if_needed()
    box = page.locator(".drop").bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 10, "data": data})


def test_what_cannot_be_taken_in_is_said_and_nothing_else_changes(page, mnist, tmp_path):
    add_class(page, "kept")
    huge = io.BytesIO()
    Image.new("1", (10_000, 10_000), 1).save(huge, "PNG")
    paper = io.BytesIO()
    Image.new("L", (60, 60), 255).save(paper, "PNG")
    header = ",".join(["label", *(f"pixel{number}" for number in range(784))])
    row = "a" + ",7" * 784
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("a/inner.zip", b"PK\x05\x06" + bytes(18))
        archive.writestr("c/b/one.png", picture(mnist, 0))
    texts = {
        "text.png": (b"not a picture", "not a picture that your browser can read"),
        "truncated.png": (picture(mnist, 0)[:300], "not a picture that your browser can read"),
        "empty.png": (b"", "not a picture that your browser can read"),
        "huge.png": (huge.getvalue(), "too large: at most 67 million pixels"),
        "blank.png": (paper.getvalue(), "Nothing to read yet"),
        "other.csv": (b"a,b\n1,2\n", "its first line must be label,pixel0"),
        "short.csv": (f"{header}\n{row}\nb,1\n".encode(), "Row 2 of this table is damaged"),
        "negative.csv": (f"{header}\n{row[:-1]}-1\n".encode(), "Row 1 of this table is damaged"),
        "damaged.zip": (nested.getvalue()[:-30], "damaged, encrypted or too large"),
        "text.zip": (b"not an archive", "damaged, encrypted or too large"),
    }
    said, left = take_in(page, [given(name, content) for name, (content, _) in texts.items()])
    assert said == "Examples added: 0."
    assert [line.split(":")[0] for line in left] == sorted(texts)
    for line, (name, (_, words)) in zip(left, sorted(texts.items()), strict=True):
        assert line.startswith(f"{name}: ")
        assert words in line
    assert shown(page) == {"kept": 0}
    said, left = take_in(page, [given("nested.zip", nested.getvalue())])
    assert said == "Examples added: 1."
    assert len(left) == 1
    assert left[0].startswith("a/inner.zip: This file is not a picture")
    assert shown(page) == {"kept": 0, "b": 1}


def test_a_full_storage_loses_nothing(page):
    add_class(page, "kept")
    page.evaluate(ABORT_WRITES)
    add_example(page, 0)
    page.wait_for_selector("#own-storage:not([hidden])")
    assert "Download it, or delete examples" in page.inner_text("#own-storage")
    assert shown(page) == {"kept": 1}
    page.evaluate("() => { IDBDatabase.prototype.transaction = window.transaction; }")
    add_example(page, 0)
    page.wait_for_selector("#own-storage", state="hidden")
    before = collected(page)["kept"]
    assert len(before) == 2
    page.reload()
    page.wait_for_selector("#app:not([hidden])")
    page.click("#open-collection")
    page.wait_for_selector(".collected .delete")
    np.testing.assert_array_equal(collected(page)["kept"], before)


def test_without_storage_examples_can_be_collected(served, browser, mnist, tmp_path):
    with opened(browser, served, 390, "dark", accept_downloads=True) as page:
        page.add_init_script(
            "IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); };"
        )
        page.reload()
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-collection")
        page.wait_for_selector("#own-storage:not([hidden])")
        expected = collect_several(page, mnist, ("a", "b"))
        downloaded(page, "#own-table", tmp_path / "examples.csv")
        data = inksight.load(tmp_path / "examples.csv")
        np.testing.assert_array_equal(data.images, np.concatenate([expected["a"], expected["b"]]))


def give_examples(page, mnist, names, each):
    """Add digits 0, 1, ... of MNIST to classes with other names, as a table holds them."""
    rows = [",".join(["label", *(f"pixel{i}" for i in range(784))])]
    for label, name in enumerate(names):
        images = mnist.images[mnist.labels == label][:each].reshape(each, -1)
        rows += [f"{name},{','.join(map(str, image))}" for image in images.tolist()]
    take_in(page, [given("digits.csv", "\n".join(rows).encode())])


def test_a_network_is_trained_on_own_examples(page, mnist, tmp_path):
    assert page.is_disabled("#own-train")
    names = ("b", "<img src=x onerror=alert(1)>", "π")
    give_examples(page, mnist, names, 30)
    page.click("#own-train")
    page.wait_for_selector("#own-data:not([hidden])")
    own = page.inner_text("#own-data")
    assert own.startswith("Your examples: 72 images to train on, and 18 that are held out to validate.")
    assert "<img src=x onerror=alert(1)>, b, π." in own
    page.select_option("#preset-network", "tiny")
    page.fill("#field-epochs", "40")
    page.fill("#field-batch_size", "24")
    page.click("#do-train")
    page.wait_for_function("() => document.querySelector('.state').textContent.includes('has ended')")
    accuracy = re.search(r"After epoch 40: ([\d.]+)% of the validation images", page.inner_text(".state"))
    assert accuracy is not None
    assert float(accuracy[1]) > 80
    with page.expect_download() as download:
        page.click("#save-network")
    download.value.save_as(tmp_path / "own.safetensors")
    model = inksight.load_model(tmp_path / "own.safetensors")
    assert model.class_names == tuple(sorted(names))
    page.click("#use-network")
    page.wait_for_function("() => document.getElementById('model-name').textContent.startsWith('your run')")
    assert page.locator("#bars b").all_inner_texts() == [*model.class_names]
    page.locator(".collected > li").nth(2).locator(".thumbnail").first.click()
    image = mnist.images[mnist.labels == 2][0]
    expected = model.class_names[model.predict(image[None])[0]]
    page.wait_for_function("(name) => document.getElementById('digit').textContent === name", arg=expected)
    page.click("#use-mnist")
    assert page.is_hidden("#own-data")
    page.fill("#field-images", "200")
    page.fill("#field-epochs", "1")
    page.click("#do-train")
    page.wait_for_function(
        "() => document.querySelector('.state').textContent.startsWith('Run 2 has ended')"
        " && document.querySelector('.inside').textContent.includes('errors among 10,000 validation images')"
    )
    page.select_option("#shownRun", "1")
    page.click("#do-further")
    page.wait_for_function(
        "() => document.querySelector('.state').textContent.startsWith('Run 1 has ended')"
        " && document.querySelector('.inside').textContent.includes('errors among 18 validation images')"
    )
    assert page.locator("#app img").count() == 0


def test_own_examples_are_mixed_with_mnist(page, mnist):
    names = ("π", "7")
    give_examples(page, mnist, names, 10)
    page.click("#own-mix")
    page.wait_for_function("() => document.getElementById('own-data')?.textContent.includes('7, 8, 9, π.')")
    found = page.evaluate(
        """async () => {
        const { collection } = await (await import("/collection/opened.js")).openCollection();
        const { trainingData } = await import("/collection/training_data.js");
        const { training, validation, names } = await trainingData(collection, true);
        const text = (array) => btoa(Array.from(array, (value) => String.fromCharCode(value)).join(""));
        const both = [training, validation].map(({ images, labels }) => [text(images), text(labels)]);
        return { names, both };
        }"""
    )
    assert found["names"] == [*"0123456789", "π"]
    (images, labels), (held, held_labels) = (
        (decoded(pixels, np.uint8).reshape(-1, 28, 28), decoded(given_labels, np.uint8))
        for pixels, given_labels in found["both"]
    )
    parts = mnist.split()
    assert len(labels) == 30 * 8 + 8 + 6000  # the examples of a class that MNIST lacks are repeated
    assert len(held) == 4 + 1000
    np.testing.assert_array_equal(images[-6000:], parts.train.images[:6000])
    np.testing.assert_array_equal(labels[-6000:], parts.train.labels[:6000])
    np.testing.assert_array_equal(held[-1000:], parts.validation.images[:1000])
    zeros, ones = (mnist.images[mnist.labels == label][:10] for label in (0, 1))
    apart = [4, 9]  # every fifth example validates
    own = {10: zeros, 7: ones}
    for label, examples in own.items():
        shown_images = {image.tobytes() for image in images[:-6000][labels[:-6000] == label]}
        assert shown_images == {image.tobytes() for image in np.delete(examples, apart, axis=0)}
        np.testing.assert_array_equal(held[:-1000][held_labels[:-1000] == label], examples[apart])
    page.click("#use-mnist")


def test_everything_can_be_read_and_reached(page, mnist):
    page.select_option("#language", "de")
    page.wait_for_selector("html[lang=de]")
    for name in NAMES:
        add_class(page, name)
    page.set_input_files(
        "#own-files", [given("notes.txt", b"text"), *(given(f"{i}.png", picture(mnist, i)) for i in range(30))]
    )
    page.wait_for_selector("#collection details:not([hidden])")
    assert message(page) == "Hinzugefügte Beispiele: 30."
    for scheme in ("light", "dark"):
        check_layout(page, scheme)
        page.click("#theme")
