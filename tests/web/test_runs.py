"""Runs in the browser's storage: restored after a reload, deleted, and what is said where nothing can be stored."""

import pytest
from pages import CHROMIUM, check_layout, opened

from .conftest import ABORT_WRITES
from .test_training import enter, open_training, saved, train, waits_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
REFUSE = "IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); };"
IS_WRITTEN = """(counts) => new Promise((resolve) => {
  const request = indexedDB.open("inksight-runs");
  request.onsuccess = () => {
    const tables = ["runs", "snapshots"], transaction = request.result.transaction(tables);
    const found = tables.map((table) => transaction.objectStore(table).count());
    transaction.oncomplete = () => {
      request.result.close();
      resolve(found.every(({ result }, i) => result === counts[i]));
    };
  };
})"""


def wait_for_stored(page, runs, networks):
    """Wait until so many runs and networks are stored."""
    page.wait_for_function(IS_WRITTEN, arg=[runs, networks], timeout=10_000)


def reopen(page):
    page.reload()
    page.wait_for_selector("#app:not([hidden])")
    page.click("#open-training")
    page.wait_for_selector("#do-train")


def numbers(page):
    """Return the numbers of the runs in the table, the newest first."""
    return page.locator("#comparison tbody th").all_inner_texts()


@pytest.fixture
def page(served, browser):
    with opened(browser, served, 1200, "light", accept_downloads=True) as page:
        open_training(page)
        yield page


def test_runs_survive_a_reload_and_go_on(page, tmp_path):
    train(page)
    enter(page, seed=1)
    train(page)
    before = saved(page, tmp_path)
    texts = page.inner_text(".inside >> nth=0"), page.get_attribute(".chart path >> nth=0", "d")
    wait_for_stored(page, 2, 4)
    reopen(page)
    assert numbers(page) == ["2", "1"]
    assert "Run 2 has ended. After epoch 2" in page.inner_text(".state")
    again = saved(page, tmp_path)
    assert (again.digest, again.history) == (before.digest, before.history)
    title, *rest = page.inner_text(".inside >> nth=0").split("\n")
    assert title == "Run 2, after epoch 2"
    assert rest[-1] == texts[0].split("\n")[-1]  # the confusions
    assert page.get_attribute(".chart path >> nth=0", "d") == texts[1]
    enter(page, images=200, epochs=1)  # as in a page that was just opened, they were those of the recipe
    train(page, "#do-further")
    assert [row.epoch for row in saved(page, tmp_path).history.rows] == [1, 2, 3]
    train(page)
    assert numbers(page) == ["3", "2", "1"]


def test_runs_are_deleted_one_and_all(page):
    for _ in range(3):
        train(page)
    wait_for_stored(page, 3, 6)
    page.click("#comparison button[aria-label='Delete run 2']")
    assert numbers(page) == ["3", "1"]
    assert page.evaluate("document.activeElement.ariaLabel") == "Delete run 1"
    page.click("#comparison button[aria-label='Delete run 3']")
    assert numbers(page) == ["1"]
    assert page.inner_text(".inside h4 >> nth=0") == "Run 1, after epoch 2"
    wait_for_stored(page, 1, 2)
    train(page)
    reopen(page)
    assert numbers(page) == ["4", "1"]
    page.click("#do-reset")
    assert page.is_hidden("#comparison")
    wait_for_stored(page, 0, 0)
    reopen(page)
    assert page.is_disabled("#do-reset")


def test_the_last_ten_runs_are_kept(page):
    enter(page, epochs=1, images=100)
    for _ in range(11):
        train(page)
    assert numbers(page) == [str(number) for number in range(11, 1, -1)]
    wait_for_stored(page, 10, 10)


def test_a_training_that_ends_with_the_page_keeps_its_epochs(page):
    enter(page, epochs=200)
    page.click("#do-train")
    waits_for(page, "After epoch 3")
    page.click("#do-pause")
    waits_for(page, "paused")
    page.wait_for_timeout(500)  # an epoch that had ended is validated and stored
    epochs = page.inner_text("#comparison tbody td >> nth=2")
    reopen(page)
    assert f"Run 1 was stopped. After epoch {epochs}" in page.inner_text(".state")
    assert page.is_enabled("#do-further")


def test_a_full_storage_is_said_and_loses_nothing(page):
    page.evaluate(ABORT_WRITES)
    train(page)
    page.wait_for_selector("#runs-storage:not([hidden])")
    assert "Download their networks, or delete runs" in page.inner_text("#runs-storage")
    assert numbers(page) == ["1"]
    page.evaluate("() => { IDBDatabase.prototype.transaction = window.transaction; }")
    train(page)
    page.wait_for_selector("#runs-storage", state="hidden")
    wait_for_stored(page, 2, 4)


@pytest.mark.parametrize("source", ["served", "single"])
def test_without_storage_a_network_can_be_trained(request, browser, source, tmp_path):
    address = request.getfixturevalue(source)
    with opened(
        browser, str(address) if source == "served" else address.as_uri(), 390, "dark", accept_downloads=True
    ) as page:
        page.add_init_script(REFUSE)
        page.reload()
        open_training(page)
        assert "refuses to store runs" in page.inner_text("#runs-storage")
        train(page)
        assert len(saved(page, tmp_path).history) == 2
        check_layout(page, "dark")


def test_one_file_stores_its_runs(browser, single):
    with opened(browser, single.as_uri(), 1200, "light") as page:
        open_training(page)
        train(page)
        wait_for_stored(page, 1, 2)
        reopen(page)
        assert numbers(page) == ["1"]


def test_a_run_on_own_examples_is_kept_without_its_images(page):
    """Its network is still there, but it cannot go on."""
    page.evaluate("""() => import("/training/archive.js").then(async ({ Archive }) => {
      const { Run } = await import("/training/run.js"), { startingWeights } = await import("/training/draws.js");
      const { networks, recipes } = await (await fetch("/training.json")).json();
      const network = { ...networks.post, classes: 2 }, weights = startingWeights(network, 0);
      const training = { images: new Uint8Array(784), labels: new Uint8Array(1) };
      const settings = { network, recipe: recipes.seconds, seed: 0, images: 1,
        classNames: ["\u05d0", "b"], data: { training, validation: training } };
      const run = new Run(1, settings);
      run.begin(weights, { mean: 0.1, variance: 0.1, count: 784 });
      const row = { epoch: 1, loss: 1, accuracy: 1, val_loss: 1, val_accuracy: 1, learning_rate: 1, seconds: 1 };
      Object.assign(run, { history: [row], snapshots: [{ weights, confusion: new Uint32Array(4) }], status: "ended" });
      await new Archive().keep(run);
    })""")
    reopen(page)
    assert page.is_disabled("#do-further")
    assert "cannot be trained further" in page.inner_text("#no-images")
    page.click("#use-network")
    waits_for(page, "your run 1", "#model-name")
    assert "\u2068\u05d0\u2069" in page.inner_text("#evidence-title")  # isolated from what is around it
    enter(page, images=200, epochs=1)
    train(page)
    assert page.is_hidden("#no-images")
    assert page.is_enabled("#do-further")
