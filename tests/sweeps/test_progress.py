import pytest

from seg_jax.files import write_json
from seg_jax.sweeps import progress
from seg_jax.sweeps.progress import LineView, TimeLeft, format_seconds, show_progress
from seg_jax.sweeps.status import Status


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def stream(tmp_path):
    """A text file, as that into which output is redirected."""
    with (tmp_path / "output").open("w+") as file:
        yield file


def written(stream):
    stream.seek(0)
    return stream.read().splitlines()


def test_lines_tell_what_happens(tmp_path, make_trial, clock, stream):
    a, b = make_trial("a"), make_trial("b")
    view = LineView(tmp_path, stream)

    def tell(first, second, at):
        clock[0] = at
        stream.seek(0)
        stream.truncate()
        view([(a, first), (b, second)])
        return written(stream)

    pending = Status()
    training = Status(
        state="running", phase="training", step=30, num_steps=90, loss=0.51234, attempt=1,
        images_per_second=12.34, seconds_left=75.0,
    )  # fmt: skip
    assert tell(pending, pending, 0) == []
    assert tell(Status(state="running", attempt=1), pending, 1) == [
        "[0 of 2 done] a seed 0: started"
    ]
    assert tell(training, pending, 20) == []
    assert tell(training, pending, 21) == [
        "[0 of 2 done] a seed 0: step 30 of 90, loss 0.5123, 12.3 images/s, 1 min 15 s left"
    ]
    assert tell(training, pending, 30) == []
    (tmp_path / a.uid).mkdir()
    write_json(tmp_path / a.uid / "result.json", {"metrics": {"miou": 0.6128}})
    done = Status(state="done", attempt=1)
    assert tell(done, Status(state="running", attempt=1), 31) == [
        "[1 of 2 done] a seed 0: done, mIoU 61.3",
        "[1 of 2 done] b seed 0: started",
    ]
    assert tell(done, Status(state="running", attempt=2, error="ValueError: x"), 32) == [
        "[1 of 2 done] b seed 0: started, attempt 2 after: ValueError: x"
    ]
    assert tell(done, Status(state="failed", attempt=2, error="ValueError: y"), 33) == [
        "[1 of 2 done, 1 failed] b seed 0: failed: ValueError: y"
    ]
    assert tell(done, Status(state="failed", attempt=2, error="ValueError: y"), 99) == []


def test_a_busy_trial_without_steps_tells_its_phase(tmp_path, make_trial, clock, stream):
    view = LineView(tmp_path, stream)
    for now in (0.0, 20.0):
        clock[0] = now
        view([(make_trial("a"), Status(state="running", phase="compiling", attempt=1))])
    assert written(stream)[-1].endswith("a seed 0: compiling")


def test_what_was_done_before_is_said_once_and_old_failures_are_not(tmp_path, make_trial, stream):
    view = LineView(tmp_path, stream)
    for _ in range(2):
        view([
            (make_trial("a"), Status(state="done")),
            (make_trial("b"), Status(state="failed", error="old")),
        ])  # fmt: skip
    assert written(stream) == [
        "[1 of 2 done, 1 failed] a seed 0: was done, mIoU not found in result.json"
    ]


def test_time_left_follows_the_share_of_steps(make_trial):
    time_left = TimeLeft()
    a, b = make_trial("a"), make_trial("b")
    # Half was done by an earlier sweep: only what is done now tells the speed.
    earlier = [(a, Status(state="done")), (b, Status())]
    assert time_left(earlier, 100.0) is None
    quarter = Status(state="running", step=25, num_steps=100)
    assert time_left([(a, Status(state="done")), (b, quarter)], 110.0) == pytest.approx(30.0)
    over = Status(state="failed", step=25, num_steps=100)
    assert time_left([(a, Status(state="done")), (b, over)], 120.0) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (185.0, "3 min 05 s"), (7620.0, "2 h 07 min")],
)
def test_format_seconds(seconds, text):
    assert format_seconds(seconds) == text


def test_a_file_gets_lines(tmp_path, stream):
    with show_progress(tmp_path, stream) as view:
        assert isinstance(view, LineView)
