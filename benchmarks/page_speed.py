"""How soon the page answers, after each movement of the pen and after it is opened, and trains. In Chromium.

Run: ``python -m benchmarks.page_speed [ROUNDS]``. Needs Chromium and the package `playwright`.

The page of `inksight web` with the network `post`, served by this machine, in a window of 1200x800 pixels; once as it
is, and once with Chromium's processor throttled to a quarter of its speed, as on a slow phone.

Measured, with the median and the 95th percentile:

answer
    From the time stamp of a movement of the pointer to the end of the frame that shows the new probabilities. The pen
    draws a spiral, and each movement is made after the answer to the one before.
start
    From the start of the navigation to the end of the frame with the first answer, to a link that holds a drawing. Each
    in a new profile, so that nothing is cached.
training
    The network `post` by the recipe `seconds`, on 50,000 images, from the click to the last validation: the accuracy on
    the 10,000 validation images and the seconds, and what the page says. Once, with seed 0.

The network connection is that of the machine to itself: what a distant server adds is not included.
"""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from inksight.web import serve

MOVES, STARTS = 120, 20
SLOWDOWNS = (1, 4)
LIMITS = {("answer", 1): 50, ("start", 1): 1000}  # milliseconds: of the 95th percentile
TRAINING_SECONDS = 20
SEVEN = "8c6yj66ofkdcbxlx"  # a seven, as `encode` of strokes.js writes it
# Collects the milliseconds from the first pointer event that is not answered to the end of the frame with the answer: a
# message that is posted while a frame is made is delivered after it.
WATCH_ANSWERS = """() => {
  const { port1, port2 } = new MessageChannel();
  let moved = null;
  window.answers = [];
  port1.onmessage = ({ data }) => window.answers.push(performance.now() - data);
  document.addEventListener("pointermove", (event) => { moved ??= event.timeStamp; }, true);
  new MutationObserver(() => {
    if (moved !== null) port2.postMessage(moved);
    moved = null;
  }).observe(document.querySelector("#bars"), { childList: true, subtree: true });
}"""
WATCH_START = """(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { window.started = performance.now(); };
  const observer = new MutationObserver(() => {
    if (!document.querySelector("#app:not([hidden]) #digit:not(:empty)")) return;
    observer.disconnect();
    requestAnimationFrame(() => port2.postMessage(null));
  });
  observer.observe(document, { childList: true, subtree: true, attributes: true });
})()"""


def main(rounds: int = MOVES, starts: int = STARTS) -> int:
    """Print the times; return 1 if an answer comes too late."""
    is_late = False
    with serve("post") as address, chromium() as browser:
        print(f"{describe('numpy')}; Chromium {browser.version}")
        for slowdown in SLOWDOWNS:
            for name, times in (
                ("answer", answer_times(browser, address, slowdown, rounds)),
                ("start", start_times(browser, address, slowdown, starts)),
            ):
                median, late = np.percentile(times, (50, 95))
                speed = "" if slowdown == 1 else f", at 1/{slowdown} of the speed"
                print(f"  {name:7} n = {len(times)}, median {median:5.0f} ms, 95 % within {late:5.0f} ms{speed}")
                is_late |= late > LIMITS.get((name, slowdown), np.inf)
        seconds, state = train(browser, address)
        print(f"  training {seconds:.1f} s: {state}")
    return int(is_late or seconds > TRAINING_SECONDS)


def train(browser: Any, address: str) -> tuple[float, str]:
    """Train a network in the page; return the seconds that it took, and what the page says of it."""
    with opened(browser, 1) as page:
        page.goto(address)
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-training")
        page.wait_for_selector("#do-train:enabled")
        page.select_option("#preset-recipe", "seconds")
        start = time.perf_counter()
        page.click("#do-train")
        ended = "() => document.querySelector('.state')?.textContent.includes('has ended')"
        page.wait_for_function(ended, timeout=600_000)
        seconds = time.perf_counter() - start
        return seconds, " ".join(page.inner_text(".state").split())


def answer_times(browser: Any, address: str, slowdown: int, moves: int) -> list[float]:
    """Return the milliseconds from each movement of the pen to its answer."""
    with opened(browser, slowdown) as page:
        page.goto(address)
        box = page.wait_for_selector("#app:not([hidden]) #pad").bounding_box()
        page.evaluate(WATCH_ANSWERS)
        angles, radii = np.linspace(0, 6 * np.pi, moves + 1), np.linspace(0.1, 0.42, moves + 1)
        shares = 0.5 + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = (shares * box["width"] + (box["x"], box["y"])).tolist()
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            before = page.evaluate("window.answers.length")
            page.mouse.move(*point)
            page.wait_for_function("(before) => window.answers.length > before", arg=before)
        times: list[float] = page.evaluate("window.answers")
        return times


def start_times(browser: Any, address: str, slowdown: int, starts: int) -> list[float]:
    """Return the milliseconds from each navigation to the first answer."""
    times = []
    for _ in range(starts):
        with opened(browser, slowdown) as page:
            page.add_init_script(WATCH_START)
            page.goto(f"{address}#ink={SEVEN}")
            times.append(page.wait_for_function("() => window.started").json_value())
    return times


@contextmanager
def opened(browser: Any, slowdown: int) -> Iterator[Any]:
    """Open an empty page in a profile of its own, with a slower processor."""
    with browser.new_context(viewport={"width": 1200, "height": 800}) as context:
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        yield page


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium without a window; say so if it is missing."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        sys.exit("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(MOVES)))
