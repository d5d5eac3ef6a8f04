import io

from rich.console import Console

from seg_jax.files import write_json
from seg_jax.sweeps.live import most_urgent, render
from seg_jax.sweeps.progress import Results, show_progress
from seg_jax.sweeps.status import Status


def some_progress(make_trial):
    training = Status(
        state="running", phase="training", step=30, num_steps=90, loss=0.51234, attempt=2,
        images_per_second=12.34, seconds_left=75.0,
    )  # fmt: skip
    return [
        (make_trial("done"), Status(state="done", step=90, num_steps=90)),
        (make_trial("train"), training),
        (
            make_trial("fail"),
            Status(state="failed", error="ValueError: [bold]x[/bold] " + "y" * 300),
        ),
        (make_trial("wait"), Status()),
    ]


def text_of(shown, progress, workdir, left, width=120):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(render(shown, progress, Results(workdir), left, width))
    return console.file.getvalue().splitlines()


def test_a_line_per_trial_and_one_for_all(tmp_path, make_trial):
    progress = some_progress(make_trial)
    folder = tmp_path / progress[0][0].uid
    folder.mkdir()
    write_json(folder / "result.json", {"metrics": {"miou": 0.6128}})
    lines = text_of(progress, progress, tmp_path, 3700.0)
    _, done, train, fail, wait, overall = (line.rstrip() for line in lines)
    assert done.split()[:4] == ["done", "0", "done", "90/90"]
    assert "mIoU 61.3" in done
    assert train.split()[:4] == ["train", "0", "training", "30/90"]
    assert train.endswith("attempt 2")
    assert "0.5123" in train
    assert "12.3" in train
    assert "1 min 15 s" in train
    assert "ValueError: [bold]x[/bold]" in fail  # an error is text, not markup
    assert wait.split() == ["wait", "0", "pending"]
    assert overall == "1 of 4 done, 1 failed, time left ~ 1 h 01 min"


def test_a_narrow_terminal_keeps_one_line_per_trial(tmp_path, make_trial):
    progress = some_progress(make_trial)
    lines = text_of(progress, progress, tmp_path, None, width=80)
    assert len(lines) == 1 + len(progress) + 1
    assert "1 min 15 s" in lines[2]
    assert "ValueError" in lines[3]


def test_a_short_terminal_shows_the_running_ones(tmp_path, make_trial):
    progress = some_progress(make_trial)
    shown = most_urgent(progress, 2)
    assert [trial.label for trial, _ in shown] == ["train", "fail"]
    assert "2 not shown" in text_of(shown, progress, tmp_path, None)[-1]


def test_a_terminal_is_redrawn_and_keeps_the_last_state(tmp_path, make_trial, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    path = tmp_path / "output"
    with path.open("w") as stream:
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        with show_progress(tmp_path, stream) as observe:
            observe(some_progress(make_trial))
            done = [(trial, Status(state="done")) for trial, _ in some_progress(make_trial)]
            observe([*done[1:], (done[0][0], Status(state="failed", error="z" * 300))])
    text = path.read_text()
    assert "\x1b[" in text
    assert "1 of 4 done, 1 failed" in text
    assert text.rindex("3 of 4 done, 1 failed") > text.rindex("mIoU")
    assert text.count("z") >= 300  # in the end the whole error is there
