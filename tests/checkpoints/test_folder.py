"""Names in the folder: a number is a complete checkpoint, everything else is not."""

import pytest

from seg_jax.checkpoints import folder as layout


@pytest.fixture
def directory(tmp_path):
    for name in ("9", "10", "12.saving", "8.deleting", "7.damaged-1", "12.orbax-checkpoint-tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "11").write_text("a file, not a checkpoint")
    return tmp_path


def test_steps_are_the_folders_with_a_number_in_its_order(directory):
    assert layout.find_steps(directory) == {9: directory / "9", 10: directory / "10"}
    assert list(layout.find_steps(directory)) == [9, 10]
    assert layout.find_steps(directory / "none") == {}


def test_leftovers_go_and_the_rest_stays(directory, names):
    (directory / "12.saving.orbax-checkpoint-tmp").mkdir()
    (directory / "notes.saving").mkdir()
    layout.remove_leftovers(directory)
    assert names(directory) == ["10", "11", "7.damaged-1", "9", "notes.saving"]


def test_a_complete_step_appears_by_a_rename(directory, names):
    layout.publish(directory / "12")
    assert (directory / "12" / "file").read_text() == "12.saving"
    assert "12.saving" not in names(directory)


def test_a_step_loses_its_name_before_its_first_file(directory, monkeypatch, names):
    def fail(path):
        raise OSError("killed here")

    monkeypatch.setattr(layout.shutil, "rmtree", fail)
    with pytest.raises(OSError, match="killed here"):
        layout.remove(directory / "9")
    assert "9" not in names(directory)
    monkeypatch.undo()
    layout.remove_leftovers(directory)
    assert "9.deleting" not in names(directory)


def test_damage_is_kept_under_a_free_name_and_told(directory, caplog, names):
    (directory / "9.damaged-1").mkdir()
    layout.set_aside(directory / "9", "d/data is missing")
    assert (directory / "9.damaged-2" / "file").read_text() == "9"
    message = f"Checkpoint {directory / '9'} is not used: d/data is missing. Kept as 9.damaged-2."
    assert message in caplog.text


def test_damage_that_cannot_be_moved_is_told_too(directory, caplog):
    layout.set_aside(directory / "gone", "d/data is missing")
    assert "is not used: d/data is missing. It stays where it is (No such file" in caplog.text
