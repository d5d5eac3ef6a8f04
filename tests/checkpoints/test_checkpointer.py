"""Saving, what stays, restoring the newest or the best, and every kind of damage to a step."""

import os
import shutil
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.checkpoints import MANIFEST, Checkpointer, CheckpointError
from seg_jax.checkpoints import checkpointer as module


def test_the_newest_is_restored_bit_for_bit_and_old_ones_go(folder, tree, names):
    with Checkpointer(folder) as checkpointer:
        assert checkpointer.steps() == [2, 3]
        jax.tree.map(np.testing.assert_array_equal, checkpointer.restore(tree()), tree(3))
        jax.tree.map(np.testing.assert_array_equal, checkpointer.restore(tree(), 2), tree(2))
    assert names(folder) == ["2", "3"]


def test_an_empty_folder_restores_nothing(tmp_path, restored):
    assert restored(tmp_path / "none") is None


@pytest.mark.parametrize("keep", [{"keep_last": 1}, {"keep_every": -1}, {"keep_best": -1}])
def test_too_few_are_refused(tmp_path, keep):
    with pytest.raises(ValueError, match=r"at least 2, 0 and 0. Set config.train.keep_last"):
        Checkpointer(tmp_path, **keep)


def test_last_permanent_and_best_steps_stay(tmp_path, tree):
    metrics = {1: 0.5, 2: 0.9, 3: 0.2, 4: 0.9, 5: None, 6: 0.1, 7: 0.3, 8: None}
    with Checkpointer(tmp_path, keep_every=3, keep_best=2) as checkpointer:
        for step, metric in metrics.items():
            checkpointer.save(step, tree(step), metric)
        assert checkpointer.steps() == [2, 3, 4, 6, 7, 8]
        assert checkpointer.best() == 4
        assert int(checkpointer.restore(tree(), "best")["step"]) == 4


def test_a_metric_may_come_after_the_save(tmp_path, tree, restored):
    with Checkpointer(tmp_path, keep_best=1) as checkpointer:
        assert checkpointer.best() is None
        for step in (1, 2, 3, 4):
            checkpointer.save(step, tree(step))
            checkpointer.set_metric(step, 1 / step)
        assert checkpointer.steps() == [1, 3, 4]
        checkpointer.set_metric(3, 2.0)
        assert checkpointer.best() == 3
        with pytest.raises(CheckpointError, match="holds no step 2, so that its metric"):
            checkpointer.set_metric(2, 3.0)
    assert restored(tmp_path, "best") == 3


def test_the_best_falls_back_to_the_next_best(tmp_path, tree, restored, largest, caplog):
    with Checkpointer(tmp_path, keep_best=3) as checkpointer:
        for step, metric in {1: 0.5, 2: 0.9, 3: 0.1}.items():
            checkpointer.save(step, tree(step), metric)
    flip(largest(tmp_path / "2"))
    assert restored(tmp_path, "best") == 1
    assert f"Checkpoint {tmp_path / '2'} is not used" in caplog.text


def test_a_step_that_is_not_there_or_damaged_is_not_replaced_by_another(folder, restored, largest):
    with pytest.raises(CheckpointError, match=r"holds no step 1. Take one of 2, 3\.$"):
        restored(folder, 1)
    with pytest.raises(CheckpointError, match=r"No whole step has a metric .* Take one of 2, 3\.$"):
        restored(folder, "best")
    flip(largest(folder / "3"))
    with pytest.raises(CheckpointError, match=r"Step 3 is damaged .* Take one of 2\.$"):
        restored(folder, 3)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def on_largest(change):
    return lambda step, largest: change(largest(step))


def on(name, change):
    return lambda step, largest: change(step / name)


def empty(step, largest):
    shutil.rmtree(step)
    step.mkdir()


DAMAGES = {
    "data flipped": on_largest(flip),
    "data cut": on_largest(lambda path: os.truncate(path, 10)),
    "data deleted": on_largest(os.unlink),
    "metadata flipped": on("default/_METADATA", flip),
    "metadata cut": on("default/_METADATA", lambda path: os.truncate(path, 0)),
    "metadata deleted": on("_CHECKPOINT_METADATA", os.unlink),
    "manifest flipped": on(MANIFEST, flip),
    "manifest cut": on(MANIFEST, lambda path: os.truncate(path, 99)),
    "manifest deleted": on(MANIFEST, os.unlink),
    "folder inside deleted": on("default", shutil.rmtree),
    "emptied": empty,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_falls_back_to_the_newest_whole_step_which_can_be_saved_again(
    folder, tree, restored, largest, names, caplog, damage
):
    damage(folder / "3", largest)
    assert restored(folder) == 2
    assert f"Checkpoint {folder / '3'} is not used: " in caplog.text
    assert "Kept as 3.damaged-1." in caplog.text
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(3, tree(3))
    assert restored(folder) == 3
    assert names(folder) == ["2", "3", "3.damaged-1"]


def test_damage_under_an_open_checkpointer_is_seen_when_it_restores(folder, tree, largest, caplog):
    with Checkpointer(folder) as checkpointer:
        assert int(checkpointer.restore(tree())["step"]) == 3
        bad = largest(folder / "3")
        flip(bad)
        assert int(checkpointer.restore(tree())["step"]) == 2
        name = bad.relative_to(folder / "3")
        assert f"{folder / '3'} is not used: {name} is not what was written. Kept" in caplog.text
        checkpointer.save(3, tree(3))
        assert int(checkpointer.restore(tree())["step"]) == 3


def test_a_damaged_step_makes_room_for_its_next_save(folder, tree, largest, names, restored):
    flip(largest(folder / "3"))
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(3, tree(3))
    assert names(folder) == ["2", "3", "3.damaged-1"]
    assert restored(folder) == 3


def test_a_whole_step_is_not_overwritten(folder, tree, restored):
    with (
        Checkpointer(folder) as checkpointer,
        pytest.raises(CheckpointError, match=r"3 is there already and is not overwritten"),
    ):
        checkpointer.save(3, tree(4))
    assert restored(folder) == 3


def test_everything_damaged_is_a_fresh_start_with_the_evidence_kept(
    folder, restored, largest, names
):
    flip(largest(folder / "2"))
    flip(largest(folder / "3"))
    assert restored(folder) is None
    assert names(folder) == ["2.damaged-1", "3.damaged-1"]


def test_older_steps_stay_until_the_new_one_is_vouched_for(folder, tree, monkeypatch, names):
    seen = []

    def write(step):
        seen.append(names(folder))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_manifest", write)
    with Checkpointer(folder) as checkpointer:
        checkpointer.save(4, tree(4))
        with pytest.raises(CheckpointError, match=r"No space left.*continues from step 3\.$"):
            checkpointer.wait()
    assert seen == [["2", "3", "4.saving"]]
    assert names(folder) == ["2", "3", "4.saving"]


def test_the_loop_goes_on_while_a_step_is_written_and_may_donate_what_it_saved(
    tmp_path, monkeypatch, restored
):
    may_finish = threading.Event()
    write_manifest = module.write_manifest

    def slow(step):
        assert may_finish.wait(60)
        write_manifest(step)

    monkeypatch.setattr(module, "write_manifest", slow)
    advance = jax.jit(lambda tree: jax.tree.map(lambda x: x + 1, tree), donate_argnums=0)
    state = advance({"x": jnp.zeros(300_000), "step": jnp.int32(0)})
    with Checkpointer(tmp_path) as checkpointer:
        checkpointer.save(1, state)  # returns although the step cannot be finished
        for _ in range(5):
            state = advance(state)
        jax.block_until_ready(state)
        may_finish.set()
        saved = checkpointer.restore(state)
    np.testing.assert_array_equal(saved["x"], np.ones(300_000))
    assert int(state["step"]) == 6


def test_a_step_is_complete_without_another_save_or_wait(tmp_path, tree, wait_until, restored):
    with Checkpointer(tmp_path / "checkpoints") as checkpointer:
        checkpointer.save(1, tree(1))
        wait_until((tmp_path / "checkpoints" / "1" / MANIFEST).exists)
        assert restored(tmp_path / "checkpoints") == 1
