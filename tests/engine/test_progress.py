import importlib.util
import re
import sys
import warnings

import pytest

from skseq._engine import progress
from skseq._engine.progress import ProgressBar


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    monkeypatch.setattr(progress, "IN_VIEW", 0.0)
    monkeypatch.setattr(progress, "IN_A_FILE", 0.0)
    return clock


def pictures(capsys):
    """What was drawn since, one picture after another."""
    return [text.strip() for text in capsys.readouterr().err.split("\r") if text]


def test_a_long_epoch_shows_its_batches_and_their_loss(clock, capsys):
    with ProgressBar(4, 0, True) as bar:
        clock.now = 60.0
        bar.train(30, 120, 0.5)
        shown = pictures(capsys)[-1]
    assert "epoch 1/4, batch 30/120:" in shown
    assert "loss=0.5" in shown
    assert " 6%|" in shown  # a quarter of one epoch in four


def test_a_short_epoch_shows_no_batches(clock, capsys):
    with ProgressBar(4, 0, True) as bar:
        clock.now = 0.1
        bar.train(30, 120, 0.5)
        bar.validate(1, 2)
    assert "batch" not in "".join(pictures(capsys))


def test_a_long_validation_is_shown_with_the_loss_of_its_epoch(clock, capsys):
    with ProgressBar(4, 2, True) as bar:
        clock.now = 60.0
        bar.train(5, 5, 0.5)
        bar.validate(3, 9)
        shown = pictures(capsys)[-1]
    assert "epoch 3/4, validation 3/9:" in shown
    assert "loss=0.5" in shown


def test_an_epoch_ends_with_its_losses_and_the_next_one_keeps_its_validation(
    clock, capsys
):
    with ProgressBar(4, 0, True) as bar:
        bar.end_epoch(1, {"loss": 0.25, "val_loss": 0.75})
        assert "loss=0.25, val_loss=0.75" in pictures(capsys)[-1]
        clock.now = 60.0
        bar.train(1, 3, 0.125)
        assert "loss=0.125, val_loss=0.75" in pictures(capsys)[-1]


def test_the_time_left_is_that_of_the_epochs_done(clock, capsys, monkeypatch):
    with ProgressBar(4, 0, True) as bar:
        monkeypatch.setattr(bar._bar, "_time", lambda: bar._bar.start_t + 30)
        bar.end_epoch(1, {"loss": 0.25})
        assert re.search(r"00:30<01:30", pictures(capsys)[-1])


def test_where_no_bar_is_asked_for_nothing_is_shown(clock, capsys):
    with ProgressBar(4, 0, False) as bar:
        clock.now = 60.0
        bar.train(1, 3, 0.5)
        bar.validate(1, 3)
        bar.end_epoch(1, {"loss": 0.5})
    assert pictures(capsys) == []


def test_a_bar_in_a_file_leaves_few_lines(capsys):
    with ProgressBar(1000, 0, True) as bar:
        for epoch in range(1, 1001):
            bar.end_epoch(epoch, {"loss": 0.5})
    assert len(pictures(capsys)) <= 3


def test_without_ipywidgets_a_notebook_has_the_bar_of_text_and_no_warning(monkeypatch):
    for name in [n for n in sys.modules if n.startswith(("tqdm.auto", "tqdm.note"))]:
        monkeypatch.delitem(sys.modules, name)
    is_there = importlib.util.find_spec
    monkeypatch.setattr(
        progress, "find_spec", lambda n: None if n == "ipywidgets" else is_there(n)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bar_class = progress._bar_class()
    assert bar_class.__module__ == "tqdm.std"
    assert "tqdm.notebook" not in sys.modules
