"""Weights & Biases, by a module of its name that notes what is asked of it."""

import sys
import types

import numpy as np
import pytest

from seg_jax.logs.weights_and_biases import WandbMissingError, WandbWriter

FIELDS = {"project": "streets", "run_id": "ab12", "name": "fcn 0", "config": {"seed": 0}}


class FakeError(Exception):
    pass


class Run:
    def __init__(self, calls):
        self.calls = calls

    def log(self, values, step):
        self.calls.append(("log", step, values))

    def finish(self):
        self.calls.append("finish")


@pytest.fixture
def wandb(monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    module = types.SimpleNamespace(calls=[], unreachable=False)

    def init(**fields):
        module.calls.append(("init", fields))
        if module.unreachable and fields["mode"] == "online":
            raise FakeError("no route\nto host")
        return Run(module.calls)

    module.init, module.Error = init, FakeError
    module.__version__, module.account = "0.30.1", True
    module.login = lambda *, prompt: module.account and not prompt
    module.Image = lambda picture: ("image", picture.shape)
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


def modes(wandb):
    return [call[1]["mode"] for call in wandb.calls if call[0] == "init"]


def test_rows_and_pictures_of_a_run_that_is_continued(wandb, tmp_path):
    writer = WandbWriter(tmp_path, **FIELDS)
    writer.write(20, {"loss": 0.5})
    writer.draw(20, {"a": np.zeros((4, 6, 3), np.uint8)})
    writer.close()
    (_, fields), *rest = wandb.calls
    assert (fields["id"], fields["resume"], fields["project"]) == ("ab12", "allow", "streets")
    assert (fields["name"], fields["config"]) == ("fcn 0", {"seed": 0})
    assert fields["dir"] == str(tmp_path)
    assert rest == [
        ("log", 20, {"loss": 0.5}),
        ("log", 20, {"a": ("image", (4, 6, 3))}),
        "finish",
    ]
    assert modes(wandb) == ["online"]


def test_without_an_account_nothing_is_sent_or_asked(wandb, tmp_path):
    wandb.account = False
    WandbWriter(tmp_path, **FIELDS)
    assert modes(wandb) == ["offline"]


def test_the_environment_decides_where_it_does(wandb, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    WandbWriter(tmp_path, **FIELDS)
    assert modes(wandb) == ["disabled"]


def test_a_service_that_is_not_reached_does_not_stop_the_training(wandb, tmp_path, caplog):
    wandb.unreachable = True
    WandbWriter(tmp_path, **FIELDS).write(1, {"loss": 1.0})
    assert modes(wandb) == ["online", "offline"]
    assert wandb.calls[-1] == ("log", 1, {"loss": 1.0})
    assert "not reached (no route to host)" in caplog.text
    assert "wandb sync" in caplog.text


def test_where_it_is_not_installed_it_is_said_how_to(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(
        WandbMissingError, match=r"not installed.*pip install .*wandb_project to ''"
    ):
        WandbWriter(tmp_path, **FIELDS)


def test_a_version_that_is_too_old_is_refused(wandb, tmp_path):
    wandb.__version__ = "0.29.9"
    with pytest.raises(WandbMissingError, match=r"of version 0.29.9.*'wandb>=0.30'"):
        WandbWriter(tmp_path, **FIELDS)
