"""What a training run shows: lines without a terminal, a bar on one."""

import io
import logging
import re
import sys

import pytest
from rich.console import Console

from seg_jax.commands.train_bars import BarView
from seg_jax.commands.train_view import LineView, show_training
from seg_jax.train.progress import DeviceMemory, Progress

NAN = float("nan")


def progress(step, **fields):
    values = {
        "loss": 0.51234,
        "learning_rate": 0.0123,
        "images_per_second": 12.34,
        "data_wait": 0.02,
        "seconds_left": 75.0,
    }
    return Progress(step=step, **{**values, **fields})


def test_lines_without_a_terminal():
    stream = io.StringIO()
    with show_training(stream, 90) as view:
        view.phase("compiling")
        view.progress(progress(1, images_per_second=0.0, seconds_left=NAN))
        view.progress(progress(30))
        view.evaluated(3, 10)
        view.progress(progress(30, scores={"miou": 0.4321, "area": 12.5}, scores_step=30))
        view.progress(progress(60, data_wait=0.4, scores={"miou": 0.4321}, scores_step=30))
        view.stopping()
    assert stream.getvalue().splitlines() == [
        "step 1/90  loss 0.5123",
        "step 30/90  loss 0.5123  12.3 images/s  75 s left",
        "step 30/90  mIoU 43.21 %  area 12.5",
        "step 60/90  loss 0.5123  12.3 images/s  75 s left  waiting for data 40%",
    ]


def test_every_evaluation_has_its_line():
    stream = io.StringIO()
    view = LineView(stream, 90)
    for step in (30, 60):
        view.progress(progress(step, scores={"miou": step / 100}, scores_step=step))
    assert stream.getvalue() == "step 30/90  mIoU 30.00 %\nstep 60/90  mIoU 60.00 %\n"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def bar():
    """A view of 90 steps, its clock, and what it draws on a terminal of 80 columns."""
    clock = Clock()
    view = BarView(90, clock)

    def drawn():
        console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
        console.print(view.render())
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue()).splitlines()
        assert all(len(line) <= 80 for line in lines)
        return [line.rstrip() for line in lines]

    return view, clock, drawn


def test_compiling_shows_how_long_it_takes(bar):
    view, clock, drawn = bar
    view.phase("compiling")
    clock.now = 12.0
    (line,) = drawn()
    assert re.fullmatch(r"compiling ━+ +12 s", line)


def test_training_shows_its_numbers_and_counts_down_between_rows(bar):
    view, clock, drawn = bar
    view.phase("training")
    view.progress(progress(30, memory=DeviceMemory(2**30, 3 * 2**30, 80 * 2**30)))
    clock.now = 10.0
    line, numbers = drawn()
    assert re.fullmatch(r"training ━+ +30/90 steps 1 min 05 s left", line)
    assert numbers == "loss 0.5123  lr 0.0123  12.3 images/s  memory 3.0 of 80.0 GiB"
    clock.now = 100.0
    assert drawn()[0].endswith(" 0 s left")


def test_no_speed_no_time_left(bar):
    view, _, drawn = bar
    view.phase("training")
    view.progress(progress(1, images_per_second=0.0, seconds_left=NAN))
    line, numbers = drawn()
    assert line.endswith("1/90 steps")
    assert numbers == "loss 0.5123  lr 0.0123"


def test_waiting_for_data_is_told_where_it_matters(bar):
    view, _, drawn = bar
    view.phase("training")
    view.progress(progress(30, data_wait=0.4))
    assert drawn()[1].endswith("images/s  waiting for data 40%")


def test_an_evaluation_has_a_bar_of_its_own_and_leaves_its_scores(bar):
    view, clock, drawn = bar
    view.phase("training")
    view.progress(progress(30))
    clock.now = 10.0
    view.phase("evaluating")
    view.evaluated(40, 120)
    clock.now = 14.0
    assert re.fullmatch(r"evaluating ━+ +40/120 images 4 s", drawn()[0])
    view.phase("training")
    view.progress(progress(30, scores={"miou": 0.4321, "pixel_accuracy": 0.9}, scores_step=30))
    line, _, scores = drawn()
    assert "30/90 steps" in line
    assert scores == "mIoU 43.21 %  pixel accuracy 90.00 %  at step 30"


def test_a_request_to_stop_and_the_end_are_shown(bar):
    view, clock, drawn = bar
    view.phase("training")
    view.stopping()
    view.progress(progress(30))
    assert drawn()[0].startswith("stopping ")
    again, clock.now = BarView(90, clock), 5.0
    again.phase("done")
    console = Console(file=io.StringIO(), width=80)
    console.print(again.render())
    assert re.fullmatch(r"done ━+ 90/90 steps 5 s *", console.file.getvalue().splitlines()[0])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_warnings_appear_above_the_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    terminal, elsewhere = Terminal(), io.StringIO()
    handler = logging.StreamHandler(elsewhere)
    logging.getLogger().addHandler(handler)
    try:
        with show_training(terminal, 90) as view:
            view.phase("training")
            assert handler.stream is sys.stderr
            logging.getLogger().warning("a picture is bad")
        assert handler.stream is elsewhere
    finally:
        logging.getLogger().removeHandler(handler)
    assert elsewhere.getvalue() == ""
    # On a line of its own, before the bar's last picture.
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"^\W*a picture is bad\s*$", shown, re.MULTILINE)
    assert shown.index("a picture is bad") < shown.rindex("90/90 steps")
