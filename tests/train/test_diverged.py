"""What is kept and said when the loss is lost."""

import cv2
import numpy as np
import pytest

from seg_jax.train.diverged import DivergedError, Evidence, refuse
from seg_jax.train.loss_watch import Fault

PALETTE = [(200, 0, 0), (0, 200, 0)]
FAULT = Fault(30, "The loss is nan", {"loss": float("nan"), "learning_rate": 0.5, "grad_norm": 2.0})


def batch_of(taken):
    label = np.zeros((9, 20, 30), np.uint8)
    label[:, :, 15:] = 1
    label[:, 0] = 255
    image = np.full((9, 20, 30, 3), taken, np.uint8)
    border = np.ones((9, 20, 30), np.float32)
    return {"image": image, "label": label, "border": border, "id": [f"s{i}" for i in range(9)]}


def test_the_batch_is_kept_as_arrays_and_as_a_picture(tmp_path):
    said = Evidence(tmp_path, PALETTE, batch_of).keep(FAULT)
    assert said == (
        f"Its batch (s0, s1, s2, s3, s4, s5 and 3 more) is in {tmp_path}/diverged.npz and "
        "diverged.png."
    )
    with np.load(tmp_path / "diverged.npz") as kept:
        assert set(kept) == {"image", "label", "border", "id", "step"}
        assert (kept["image"] == 29).all()
        assert list(kept["id"]) == [f"s{i}" for i in range(9)]
    sheet = cv2.imread(str(tmp_path / "diverged.png"))[..., ::-1]
    height = sheet.shape[0] // 9
    for row in range(9):
        last = sheet[(row + 1) * height - 1]
        assert (last[:30] == 29).all()
        painted = last[-30:]
        assert (painted[:15] == PALETTE[0]).all()
        assert (painted[15:] == PALETTE[1]).all()


def test_the_message_says_where_and_what_to_try(tmp_path):
    with pytest.raises(DivergedError) as error:
        refuse(FAULT, Evidence(tmp_path, PALETTE, batch_of))
    message = str(error.value)
    assert "at step 30 (learning rate 0.5, loss nan, grad norm 2)" in message
    for part in ("s0, s1", "config.schedule.base_lr", "clip_norm", "launch.py doctor"):
        assert part in message


def test_before_the_first_update_no_rate_is_blamed():
    with pytest.raises(DivergedError) as error:
        refuse(Fault(1, "The loss is nan", {"loss": float("nan")}), None)
    assert "base_lr" not in str(error.value)
    assert "launch.py doctor" in str(error.value)


def test_a_batch_that_cannot_be_kept_does_not_hide_the_fault(tmp_path):
    def gone(taken):
        raise OSError("the disk\nis gone")

    with pytest.raises(DivergedError, match=r"nan at step 30 .*\(the disk is gone\)"):
        refuse(FAULT, Evidence(tmp_path, PALETTE, gone))
