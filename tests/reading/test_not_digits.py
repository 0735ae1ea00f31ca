"""Pictures of other things than digits give no digit of which one could be sure."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inksight.reading.reader import read

WORDS = ("total", "amount", "quantity", "name", "street", "Berlin", "window", "yellow", "bottle", "kitchen", "planet")


def sheet(width, height, paper=245):
    picture = Image.new("L", (width, height), paper)
    return picture, ImageDraw.Draw(picture)


def barcode(rng):
    picture, draw = sheet(360, 180)
    x = 40
    while x < 320:
        width, gap = rng.integers(2, 8, 2)
        draw.rectangle((x, 30, x + width, 140), fill=10)
        x += int(width + gap) + 1
    return picture


def matrix_code(rng):
    modules = rng.random((21, 21)) < 0.5
    for y, x in ((0, 0), (0, 14), (14, 0)):
        modules[y : y + 7, x : x + 7] = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
    return np.pad(np.where(modules, 10, 250).astype(np.uint8).repeat(12, axis=0).repeat(12, axis=1), 50, mode="maximum")


def keyboard(rng):
    picture, draw = sheet(900, 330, 70)
    for row, letters in enumerate(("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")):
        for column, letter in enumerate(letters):
            x, y = 30 + 30 * row + 85 * column, 30 + 90 * row
            draw.rounded_rectangle((x, y, x + 75, y + 75), 10, fill=225)
            draw.text((x + 15, y + 8), letter, 40, ImageFont.load_default(36))
    return picture


def ruler(rng):
    picture, draw = sheet(700, 160)
    draw.line((20, 20, 680, 20), fill=20, width=3)
    for number in range(82):
        draw.line((24 + 8 * number, 20, 24 + 8 * number, 55 + 25 * (number % 5 == 0)), fill=20, width=2)
    return picture


def score(rng):
    picture, draw = sheet(700, 300)
    for top in (60, 190):
        for line in range(5):
            draw.line((30, top + 14 * line, 670, top + 14 * line), fill=30, width=2)
        for note in range(10):
            x, y = 80 + 58 * note, top + 7 * int(rng.integers(0, 9))
            draw.ellipse((x - 9, y - 6, x + 9, y + 6), fill=10)
            draw.line((x + 9, y, x + 9, y - 48), fill=10, width=3)
    return picture


def words_in_a_table(rng):
    picture, draw = sheet(900, 330)
    for row in range(5):
        draw.line((20, 20 + 70 * row, 880, 20 + 70 * row), fill=30, width=2)
    for column in range(5):
        draw.line((20 + 215 * column, 20, 20 + 215 * column, 300), fill=30, width=2)
    for cell in range(16):
        at = (35 + 215 * (cell % 4), 35 + 70 * (cell // 4))
        draw.text(at, str(rng.choice(WORDS)), 20, ImageFont.load_default(34))
    return picture


def face(rng):
    rows, columns = np.indices((300, 240))
    light = np.full(rows.shape, 200.0)
    for y, x, height, width, depth in (
        (130, 120, 90, 60, 90),
        (110, 95, 9, 9, 80),
        (110, 145, 9, 9, 80),
        (180, 120, 6, 20, 60),
    ):
        light -= depth * np.exp(-(((rows - y) / height) ** 2) - ((columns - x) / width) ** 2)
    return np.clip(light + rng.normal(0, 4, light.shape), 0, 255).astype(np.uint8)


def wires(rng):
    picture, draw = sheet(600, 400)
    for _ in range(30):
        x, y, length = rng.integers(20, 380, 3).tolist()
        draw.line((x, y, x + length // 2, y) if rng.random() < 0.5 else (x, y, x, y + length // 2), fill=20, width=4)
    return picture


def blobs(rng):
    picture, draw = sheet(600, 400, 235)
    for number in range(40):
        (x, y), (width, height) = rng.integers(20, 380, 2).tolist(), rng.integers(8, 50, 2).tolist()
        box = (x, y, x + width, y + height)
        draw.ellipse(box, outline=40, width=4) if number % 2 else draw.ellipse(box, fill=60)
    return picture


def small_print(rng):
    picture, draw = sheet(600, 300)
    for line in range(12):
        draw.text((20, 15 + 22 * line), " ".join(rng.choice(WORDS, 7)), 25, ImageFont.load_default(14))
    return picture


THINGS = (barcode, matrix_code, keyboard, ruler, score, words_in_a_table, face, wires, blobs, small_print)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__name__)
def test_what_shows_no_digits_gives_no_sure_digit(thing, rng):
    page = read(thing(rng))
    sure = [reading.confidence for reading in page if reading.digit is not None]
    assert max(sure, default=0.0) < 0.999
    assert page.confidence < 0.97
