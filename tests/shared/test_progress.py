"""Progress: a bar in a terminal, plain lines elsewhere."""

import math

from inksight._shared.progress import track
from inksight.nn.history import Epoch
from inksight.training.progress_bar import Progress, TrainingBar


def show(bar):
    with bar:
        bar.update(Progress(0.5, 1, 0.3, 0.9, 1000.0))
        bar.end_epoch(Epoch(1, 0.25, 0.91, math.nan, math.nan, 0.01, 2.0))
        bar.end_epoch(Epoch(2, 0.2, 0.92, 0.1, 0.97, 0.01, 2.0))


def test_without_a_terminal_each_epoch_is_a_plain_line(capsys):
    show(TrainingBar())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "epoch   1  loss 0.2500  accuracy 0.9100  2.0 s",
        "epoch   2  loss 0.2000  accuracy 0.9200  val_loss 0.1000  val_accuracy 0.9700  2.0 s",
    ]


def test_a_terminal_shows_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    show(TrainingBar())
    printed = capsys.readouterr().err
    assert "1,000 images/s" in printed
    assert "50%" in printed
    assert "val_accuracy 0.9700" in printed
    assert list(track([1, 2, 3], "counting")) == [1, 2, 3]
    assert "counting" in capsys.readouterr().err


def test_no_output_if_disabled(capsys):
    show(TrainingBar(show=False))
    assert list(track("ab", "counting", show=False)) == ["a", "b"]
    assert capsys.readouterr().err == ""
