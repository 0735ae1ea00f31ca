"""Ink on a transparent ground is read in any color; paper with transparent edges stays paper."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from inksight import prepare, read
from inksight.errors import DamagedFileError
from inksight.imaging.grayscale import to_grayscale
from inksight.imaging.transparency import alpha_is_ink

COLORS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "yellow": (255, 255, 0),
    "red": (220, 30, 30),
    "pale": (235,) * 3,
}


@pytest.fixture(scope="module")
def ink(mnist):
    """The amount of ink of the digits 7, 2 and 1 side by side, uint8."""
    row = np.hstack([np.pad(image, 6) for image in mnist.split().test.images[:3]])
    return np.asarray(Image.fromarray(row).resize((4 * row.shape[1], 4 * row.shape[0])))


def with_alpha(color, alpha):
    """RGBA of one color, or of one color per column."""
    rgb = np.broadcast_to(np.asarray(color, np.uint8), (*alpha.shape, 3))
    return np.dstack([rgb, alpha])


def png(rgba):
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("color", COLORS)
def test_ink_of_any_color_on_a_transparent_ground_is_read(color, ink):
    rgba = with_alpha(COLORS[color], ink)
    for picture in (png(rgba), Image.fromarray(rgba), rgba, (rgba * 257.0 / 65535).astype(np.float32)):
        assert read(picture).text == "721"
        np.testing.assert_allclose(to_grayscale(picture), 1 - ink / 255, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "PA", "P"])
def test_ink_in_the_alpha_channel_is_found_in_every_mode(mode, ink):
    hard = np.where(ink > 127, 255, 0).astype(np.uint8)
    if mode == "P":
        image = Image.fromarray(np.where(hard, 1, 0).astype(np.uint8), "P")
        image.putpalette([255] * 6)
        image.info["transparency"] = 0
    else:
        image = Image.fromarray(with_alpha(COLORS["white"], hard)).convert("LA")
        image = image if mode == "LA" else Image.merge("RGBA", [image.getchannel("L")] * 3 + [image.getchannel("A")])
    file = io.BytesIO()
    image.save(file, "PNG")
    assert read(file.getvalue()).text == "721"


def test_several_light_inks_are_all_read(ink):
    colors = np.repeat([COLORS["white"], (255, 220, 40), (120, 200, 255)], ink.shape[1] // 3, axis=0)
    assert read(png(with_alpha(colors, ink))).text == "721"


def test_the_decision_is_the_same_for_parts_of_a_large_picture(ink, monkeypatch):
    """Large pictures are converted in bands, some of which hold no ink."""
    rgba = np.pad(with_alpha(COLORS["white"], ink), [(300, 300), (20, 20), (0, 0)])
    at_once = to_grayscale(Image.fromarray(rgba))
    monkeypatch.setattr("inksight.imaging.grayscale.BAND_PIXELS", 4000)
    np.testing.assert_array_equal(to_grayscale(Image.fromarray(rgba)), at_once)
    np.testing.assert_array_equal(to_grayscale(rgba), at_once)
    assert at_once.min() == 0


def test_paper_that_is_cut_out_stays_paper(ink):
    """A sheet with writing on it and a transparent surrounding, and one with round corners."""
    paper = np.stack([255 - ink // 2] * 3, axis=-1)
    sheet = np.dstack([paper, np.full(ink.shape, 255, np.uint8)])
    cut_out = np.pad(sheet, [(200, 200), (200, 200), (0, 0)])
    round_corners = sheet.copy()
    round_corners[:9, :9, 3] = round_corners[-9:, -9:, 3] = 0
    for picture in (sheet, cut_out, round_corners):
        assert not alpha_is_ink(picture)
        assert read(picture).text == "721"
    blank = with_alpha(COLORS["white"], round_corners[..., 3])
    assert read(blank).reason == "blank"


def test_nothing_is_read_where_all_is_transparent():
    assert read(np.zeros((60, 60, 4), np.uint8)).reason == "blank"


def test_light_ink_is_prepared_as_dark_ink_is(ink):
    left = np.ascontiguousarray(ink[:, : ink.shape[1] // 3])
    white, black = (prepare(png(with_alpha(COLORS[color], left))).image for color in ("white", "black"))
    np.testing.assert_array_equal(white, black)


def test_the_transcript_shows_white_ink_on_white_paper_as_dark(ink, tmp_path):
    import base64
    import re

    from inksight import load_model
    from inksight.report.transcript import Transcript

    model, picture = load_model("tiny"), png(with_alpha(COLORS["white"], ink))
    transcript = Transcript(model)
    transcript.add(picture, read(picture, model), "canvas.png")
    transcript.write(tmp_path / "a.html")
    found = re.search(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=]+)", (tmp_path / "a.html").read_text())
    assert found
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("L"))
    assert shown.min() < 30
    assert shown.max() > 225


def test_a_palette_or_transparency_that_does_not_fit_is_damage(ink):
    palette = Image.fromarray(255 - ink).convert("P")
    file = io.BytesIO()
    palette.save(file, "PNG", transparency=bytes(256))
    length, chunk = struct.pack(">I", 300), b"tRNS" + bytes(300)
    before, after = file.getvalue().split(struct.pack(">I", 256) + b"tRNS" + bytes(256))
    content = before + length + chunk + struct.pack(">I", zlib.crc32(chunk)) + after[4:]
    palette.info["transparency"] = "none"
    channels = Image.new("RGB", (30, 30))
    channels.info["transparency"] = (1, 2)
    file = io.BytesIO()
    Image.fromarray(255 - ink).convert("P").save(file, "PNG")
    opaque = file.getvalue()
    start = opaque.index(b"PLTE") - 4
    without_palette = opaque[:start] + opaque[start + 12 + int.from_bytes(opaque[start : start + 4]) :]
    for picture in (content, without_palette, palette, channels):
        with pytest.raises(DamagedFileError, match="'the picture given' is damaged or is not a picture"):
            read(picture)
