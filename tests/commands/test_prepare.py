import argparse
import contextlib
import dataclasses
import io
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from launch import meant_for_the_user
from seg_jax.commands import prepare, progress
from seg_jax.config import ConfigError
from seg_jax.data.datasets import camvid
from seg_jax.data.validate import DataError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path):
    """A CamVid of two splits in its publisher's layout."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for folder, high in ((split, 256), (f"{split}annot", 12)):
            (tmp_path / "published" / folder).mkdir(parents=True)
            for i in range(count):
                shape = (12, 16, 3) if high == 256 else (12, 16)
                file = tmp_path / "published" / folder / f"{i}.png"
                cv2.imwrite(str(file), rng.integers(0, high, shape, np.uint8))
    return tmp_path / "published"


def run(*arguments):
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    return prepare.run(*parser.parse_known_args([str(argument) for argument in arguments]))


def test_it_ends_with_a_table_and_says_what_is_missing(tree, tmp_path, capsys):
    arguments = ["--dataset=camvid", f"--manual_dir={tree}", f"--data_dir={tmp_path / 'data'}"]
    assert run(*arguments) == 0
    head, _, train, val, where, missing = capsys.readouterr().out.splitlines()
    assert head.split() == ["split", "examples", "published", "MB", "sha256"]
    assert re.fullmatch(r"train +4 +367 +0\.0 +[0-9a-f]{12}", train)
    assert re.fullmatch(r"val +2 +101 +0\.0 +[0-9a-f]{12}", val)
    assert where == f"camvid built in {tmp_path / 'data' / 'camvid' / '1.1.0'}"
    assert missing == "Not there and left out: test."
    assert run(*arguments) == 0
    out, err = capsys.readouterr()
    assert "camvid is already in" in out
    assert train in out
    assert "to write" not in err


def test_an_experiment_says_what_to_prepare_and_where(tree, tmp_path, capsys):
    experiment = tmp_path / "experiment.py"
    experiment.write_text(
        "from seg_jax.config import base_config\n"
        "def get_config():\n"
        "    config = base_config()\n"
        "    config.dataset.name = 'camvid'\n"
        "    return config\n"
    )
    place = f"--config.dataset.data_dir={tmp_path / 'there'}"
    assert run(f"--config={experiment}", f"--manual_dir={tree}", place) == 0
    assert f"camvid built in {tmp_path / 'there'}" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="is no option of this verb"):
        run("--dataset=camvid", place)


def test_counts_that_nobody_states_are_said_to_be_so(tree, tmp_path, capsys, monkeypatch):
    spec = dataclasses.replace(camvid.SPEC, splits={"train": 0, "val": 0})
    monkeypatch.setattr(camvid.CamVid, "SPEC", spec)
    run("--dataset=camvid", f"--manual_dir={tree}", f"--data_dir={tmp_path / 'data'}")
    assert re.search(r"train +4 +not stated", capsys.readouterr().out)


def launch(*arguments):
    return [sys.executable, str(ROOT / "launch.py"), "prepare", *map(str, arguments)]


def test_a_fault_is_a_sentence_for_the_user(tree, tmp_path):
    (tree / "train" / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"^The image of example '2' .*2\.png\) .* 0 bytes") as e:
        run("--dataset=camvid", f"--manual_dir={tree}", f"--data_dir={tmp_path / 'data'}")
    assert meant_for_the_user(e.value)


def test_ctrl_c_stops_it_and_the_same_command_continues(tree, tmp_path):
    slow = tmp_path / "sitecustomize.py"
    slow.write_text(
        "import importlib.abc, os, signal, sys, time\n"
        # As on a terminal, also where the tests run in the background, which ignores it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Slow(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'seg_jax.data.convert' and 'SLOW' in os.environ:\n"
        "            import seg_jax.data.validate as v\n"
        "            real = v.check_parts\n"
        "            def slow(*a):\n"
        "                print('item', flush=True)\n"
        "                time.sleep(1)\n"
        "                real(*a)\n"
        "            v.check_parts = slow\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    arguments = ["--dataset=camvid", f"--manual_dir={tree}", f"--data_dir={tmp_path / 'data'}"]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "SLOW": "1"}
    with subprocess.Popen(
        launch(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"item\n"
        started.send_signal(signal.SIGINT)
        _, err = started.communicate()
    assert started.returncode == 130
    assert err.decode().endswith("Interrupted. The same command continues.\n")
    assert b"Traceback" not in err
    del environment["SLOW"]
    done = subprocess.run(launch(*arguments), env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert b"camvid built in" in done.stdout


def test_elsewhere_than_on_a_terminal_there_is_a_line_every_ten_seconds(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with progress.show_progress(stream) as view:
        view.say("Hello.")
        view.start("converting", 1000, unit="examples", done=500)
        for when, count in ((4.0, 10), (11.0, 100), (12.0, 1), (22.0, 109)):
            now[0] = when
            view.advance(count)
    assert stream.getvalue() == (
        "Hello.\n"
        "converting: 610 of 1,000 examples, 10 examples/s, 39 s left\n"
        "converting: 720 of 1,000 examples, 10 examples/s, 28 s left\n"
    )


def test_on_a_terminal_there_is_a_bar():
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w") as stream, progress.show_progress(stream) as view:
        view.say("About 3 MB [to write].")
        view.start("downloading", 0, unit="bytes")
        view.advance(2_000_000)
        view.start("converting", 8, unit="examples")
        view.advance(8)
    shown = _read_all(reading)
    assert "About 3 MB [to write]." in shown
    assert "2.0 MB" in shown
    assert "8 of 8 examples" in shown
    assert "\x1b[" in shown


def _read_all(descriptor: int) -> str:
    data = b""
    with contextlib.suppress(OSError):  # how the end of a terminal is told
        while chunk := os.read(descriptor, 4096):
            data += chunk
    os.close(descriptor)
    return data.decode()
