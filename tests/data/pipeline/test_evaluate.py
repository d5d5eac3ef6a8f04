"""Evaluation batches: every example once, equal sizes together, the rest ignored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.pipeline.evaluate import eval_batches
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL

SHAPES = [(10, 12), (8, 9), (9, 8)]


@pytest.mark.parametrize(("count", "batch_size"), [(10, 4), (8, 4), (3, 5), (1, 1), (0, 2)])
def test_examples_of_one_size_come_in_their_order(numbered, count, batch_size):
    seen = []
    for batch in eval_batches(numbered(count), batch_size=batch_size):
        assert batch["image"].shape == (batch_size, 10, 12, 3)
        seen += batch["id"]
    assert seen == [f"n{i}" for i in range(count)]


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from([0, 2]),
)
def test_sizes_are_grouped_and_no_example_is_lost(numbered, shapes, batch_size, threads):
    source = numbered(len(shapes), shapes=shapes)
    seen, sizes = [], []
    for batch in eval_batches(source, batch_size=batch_size, num_threads=threads):
        count = batch["num_examples"]
        assert len(batch["id"]) == count > 0
        assert batch["label"].shape[0] == batch_size
        assert batch["image"].shape == (*batch["label"].shape, 3)
        for row, name in enumerate(batch["id"]):
            assert source.size(int(name[1:])) == batch["label"].shape[1:]
            assert (batch["label"][row] == int(name[1:])).all()
            assert (batch["image"][row] == int(name[1:])).all()
        assert (batch["label"][count:] == IGNORE_LABEL).all()
        assert not batch["image"][count:].any()
        seen += batch["id"]
        sizes.append(batch["label"].shape[1:])
    # As a plain loop would group them: sizes by first appearance, examples by position.
    first = list(dict.fromkeys(shapes))
    expected = [f"n{i}" for size in first for i, s in enumerate(shapes) if s == size]
    assert seen == expected
    assert len(sizes) == sum(-(-shapes.count(size) // batch_size) for size in first)
    assert list(dict.fromkeys(sizes)) == first


@pytest.mark.parametrize("processes", [2, 4])
def test_hosts_get_the_rows_of_the_global_batch(numbered, processes):
    source = numbered(8, shapes=((10, 12), (8, 9), (8, 9)))
    whole = list(eval_batches(source, batch_size=4))
    parts = [
        list(eval_batches(source, batch_size=4, process_index=i, process_count=processes))
        for i in range(processes)
    ]
    for index, batch in enumerate(whole):
        rows = [part[index] for part in parts]
        for field in ("image", "label"):
            np.testing.assert_array_equal(np.concatenate([r[field] for r in rows]), batch[field])
        assert [name for r in rows for name in r["id"]] == batch["id"]
        assert sum(r["num_examples"] for r in rows) == batch["num_examples"]
    # One host's rows are padding throughout, and it takes the step all the same.
    assert min(batch["num_examples"] for part in parts for batch in part) == 0
    assert {len(part) for part in parts} == {len(whole)}


def test_a_bad_example_is_always_an_error(numbered):
    with pytest.raises(DataError, match=r"'n2'.* is bad"):
        list(eval_batches(numbered(4, bad=(2,)), batch_size=2))


def test_what_cannot_be_batched_is_refused(numbered):
    with pytest.raises(ValueError, match=r"config.evaluate.batch_size=3 must be .* of the 2"):
        eval_batches(numbered(4), batch_size=3, process_count=2)

    class Grown(numbered):
        def size(self, index):
            return (10, 12) if index < 2 else (20, 12)

    Grown.__getitem__ = lambda self, index: numbered(4)[index]
    with pytest.raises(ValueError, match=r"Example 'n2' is \(10, 12\) px .* says \(20, 12\)"):
        list(eval_batches(Grown(4), batch_size=2))


def test_scenes_arrive_as_they_are():
    source = open_source("scenes", "size_24")
    batch = next(eval_batches(source, batch_size=3))
    np.testing.assert_array_equal(batch["image"][2], source[2]["image"])
