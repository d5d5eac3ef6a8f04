import functools
import importlib
import json
import logging

import pytest

from seg_jax.data.preparation import journal


@pytest.fixture
def shard(tmp_path):
    """A finished shard, of fingerprint "f"."""
    scratch, file = tmp_path / "incomplete.x", tmp_path / "train-0.array_record"
    scratch.write_bytes(b"records")
    journal.keep(scratch, file, "f", num_examples=3, num_bytes=7)
    assert not scratch.exists()
    return file


def test_a_finished_shard_is_known(shard):
    entry = journal.finished(shard, "f")
    assert entry == journal.noted(shard, "f")
    assert entry is not None
    assert (entry.num_examples, entry.num_bytes) == (3, 7)


def test_one_of_other_files_is_not(shard, caplog):
    assert journal.finished(shard, "g") is None
    assert caplog.text == ""


@pytest.mark.parametrize("lost", ["train-0.array_record", "train-0.json"])
def test_one_of_which_a_part_is_lost_is_not(shard, lost):
    shard.with_name(lost).unlink()
    assert journal.finished(shard, "f") is None


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "{}", '{"fingerprint": "f"}', '{"fingerprint": "f", "odd": 1}']
)
def test_a_damaged_note_is_thrown_away_and_said(shard, caplog, note):
    shard.with_suffix(".json").write_text(note)
    with caplog.at_level(logging.WARNING):
        assert journal.finished(shard, "f") is None
    assert "train-0.json is damaged" in caplog.text


def test_a_damaged_shard_is_thrown_away_and_said(shard, caplog):
    shard.write_bytes(b"recordz")
    with caplog.at_level(logging.WARNING):
        assert journal.finished(shard, "f") is None
    assert "train-0.array_record is damaged; it is converted again" in caplog.text


def test_a_new_shard_under_an_old_note_is_not_taken_for_the_old_one(shard):
    note = json.loads(shard.with_suffix(".json").read_text())
    shard.write_bytes(b"other records")  # killed between the shard and its note
    assert journal.finished(shard, note["fingerprint"]) is None


def test_labels_of_a_reader_and_of_its_correction_are_not_mixed(tmp_path, monkeypatch):
    module = tmp_path / "own_reader.py"
    module.write_text("def read(item, origin): return 1")
    monkeypatch.syspath_prepend(tmp_path)
    reader = importlib.import_module("own_reader").read
    before = journal.recipe_digest("name", reader)
    assert journal.recipe_digest("name", reader) == before
    module.write_text("def read(item, origin): return 2")
    assert journal.recipe_digest("name", reader) != before
    assert journal.recipe_digest("name", functools.partial(reader, 1)) != before


def test_what_belongs_to_no_shard_is_removed(shard):
    shard.with_name("incomplete.12.train-0.array_record").write_text("half")
    shard.with_name("train-9.array_record").write_text("of other files")
    journal.discard_others(shard.parent, [shard])
    assert sorted(path.name for path in shard.parent.iterdir()) == [
        "train-0.array_record",
        "train-0.json",
    ]
