"""`launch.py find_lr`: a real network on the procedural scenes, and what it refuses."""

import csv
import textwrap

import cv2
import numpy as np
import pytest

import launch
import seg_jax.train.find_lr
from seg_jax.commands.find_lr import growing
from seg_jax.commands.lr_plot import lr_figure, short
from seg_jax.config import ConfigError, base_config
from seg_jax.train.find_lr import RangeTest, Suggestion

EXPERIMENT = textwrap.dedent(
    """
    from seg_jax.config import base_config

    def get_config():
        config = base_config()
        config.dataset.name = "scenes"
        config.augment.crop_size = (16, 16)
        config.model = {"name": "unet", "base_features": 4, "depth": 1}
        config.train.batch_size = 4
        config.schedule.warmup_steps = 7
        return config
    """
)


@pytest.fixture
def find_lr(tmp_path, monkeypatch):
    """Runs the verb in an empty folder and returns its exit code."""
    (tmp_path / "experiment.py").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEG_JAX_COMPILATION_CACHE", str(tmp_path / "xla"))
    return lambda *arguments: launch.main(["find_lr", "--config=experiment.py", *arguments])


def test_it_finds_a_rate_and_draws_the_curve(find_lr, tmp_path, capsys):
    assert find_lr("--num_steps=60") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step 10/60  rate ")
    assert "--config.schedule.base_lr=" in said[-1]
    assert "runs/find_lr/find_lr.png" in said[-1]
    with (tmp_path / "runs/find_lr/find_lr.csv").open() as file:
        rows = list(csv.DictReader(file))
    rates = np.array([float(row["learning_rate"]) for row in rows])
    # From the first rate on, in equal ratios; without the config's warm-up.
    np.testing.assert_allclose(rates, np.geomspace(1e-6, 10, 60)[: len(rows)], rtol=1e-4)
    suggested = float(said[-1].split("base_lr=")[1].split()[0])
    assert 1e-6 < suggested < 10
    picture = cv2.imread(str(tmp_path / "runs/find_lr/find_lr.png"))
    assert picture.shape[1] > 1000


def test_a_curve_that_suggests_nothing_is_still_drawn(find_lr, tmp_path, capsys, monkeypatch):
    rates, flat = np.geomspace(1e-6, 10, 100), np.full(100, 2.0)
    curve = RangeTest(rates, flat, rates, flat)
    monkeypatch.setattr(seg_jax.train.find_lr, "range_test", lambda *_, **__: curve)
    assert find_lr(f"--workdir={tmp_path / 'flat'}") == 1
    assert "falls by less than 10%" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "flat").iterdir()} == {"find_lr.csv", "find_lr.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min_lr=0"], "--min_lr"),
        (["--min_lr=1", "--max_lr=0.1"], "--max_lr"),
        (["--num_steps=49"], "50 or more"),
        (["--config.optimizer.momentum=2.0"], "config.optimizer.momentum"),
    ],
)
def test_what_leaves_nothing_to_read_is_refused(find_lr, tmp_path, capsys, arguments, message):
    assert find_lr(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_only_the_schedule_and_its_length_are_changed():
    config = base_config()
    grown = growing(config, min_lr=1e-6, max_lr=10.0, num_steps=100)
    changed = {
        f"{section}.{field}"
        for section in config
        if hasattr(config[section], "items")
        for field in config[section]
        if config[section][field] != grown[section][field]
    }
    assert changed <= {
        "schedule.name",
        "schedule.base_lr",
        "schedule.factor",
        "schedule.period",
        "schedule.warmup_steps",
        "train.num_steps",
    }
    assert grown.schedule.base_lr * grown.schedule.factor**99 == pytest.approx(10.0)


def test_growing_refuses_to_shrink():
    with pytest.raises(ConfigError, match="--max_lr"):
        growing(base_config(), min_lr=1.0, max_lr=0.5, num_steps=100)


def test_the_figure_marks_both_rules_and_shows_the_fall_not_the_explosion():
    rates = np.geomspace(1e-6, 10, 50)
    losses = np.concatenate([np.linspace(2, 1, 45), [5.0, 50.0, 500.0, 5e3, 5e4]])
    curve = RangeTest(rates, losses, rates, losses)
    (ax,) = lr_figure(curve, Suggestion(steepest=1e-3, lowest=0.5)).axes
    assert [text.get_text() for text in ax.texts] == ["steepest: 1e-3", "lowest / 10: 5e-2"]
    assert [line.get_xdata()[0] for line in ax.lines[2:]] == [1e-3, 0.05]
    low, high = ax.get_ylim()
    assert low < 1
    assert 2 < high < 3
    (plain,) = lr_figure(curve, None).axes
    assert not plain.texts


def test_the_figure_leaves_out_a_mark_beyond_the_curve():
    # Drawn, its label would be so far away that the axes shrink to nothing.
    rates, losses = np.geomspace(1e-6, 1e-5, 50), np.linspace(2, 1, 50)
    curve = RangeTest(rates, losses, rates, losses)
    figure = lr_figure(curve, Suggestion(steepest=4e-6, lowest=9e-6))
    assert [text.get_text() for text in figure.axes[0].texts] == ["steepest: 4e-6"]


@pytest.mark.filterwarnings("error")
def test_the_figure_of_one_step_spans_a_decade():
    one = np.array([1e-6])
    (ax,) = lr_figure(RangeTest(one, one, one, one), None).axes
    assert ax.get_xlim() == pytest.approx((1e-6, 1e-5))


@pytest.mark.parametrize(("rate", "text"), [(1e-6, "1e-6"), (0.018, "1.8e-2"), (1.0, "1e0")])
def test_rates_are_written_as_they_are_typed(rate, text):
    assert short(rate) == text
    assert float(text) == rate
