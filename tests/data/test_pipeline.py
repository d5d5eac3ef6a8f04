import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment import Augmentation
from seg_jax.data.pipeline import eval_batches, train_batches
from seg_jax.data.source import open_source
from seg_jax.typing import IGNORE_LABEL

SCALED = Augmentation((12, 14), (0.5, 2.0))


class Numbered:
    """Example i is filled with i; its corner pixel tells which way it was mirrored."""

    checksum = "of numbers"

    def __init__(self, count, shapes=((10, 12),)):
        self.count, self.shapes = count, shapes

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        shape = self.shapes[index % len(self.shapes)]
        label = np.full(shape, index, np.uint8)
        return {"image": np.stack([label] * 3, -1), "label": label, "id": f"n{index}"}

    def size(self, index):
        return self.shapes[index % len(self.shapes)]


def take(stream, count):
    with_end = list(itertools.islice(stream, count))
    stream.close()
    return with_end


def batches(count, *, source=None, augmentation=SCALED, batch_size=4, seed=0, **options):
    stream = train_batches(
        Numbered(10) if source is None else source,
        augmentation,
        batch_size=batch_size,
        seed=seed,
        **options,
    )
    return take(stream, count)


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a["image"], b["image"])
        np.testing.assert_array_equal(a["label"], b["label"])


@settings(max_examples=6, deadline=None, database=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 9), st.integers(0, 2**32 - 1))
def test_resuming_is_the_uninterrupted_stream(count, batch_size, start, seed):
    options = {"source": Numbered(count), "batch_size": batch_size, "seed": seed}
    whole = batches(start + 3, num_threads=0, **options)
    assert_same(batches(3, start_step=start, num_threads=1, **options), whole[start:])


def test_the_stream_does_not_depend_on_threads():
    expected = batches(8, num_threads=0)
    assert_same(batches(8, num_threads=3), expected)
    assert_same(batches(8), expected)


def test_seeds_differ_in_order_and_in_augmentation():
    one, other = batches(5, seed=0), batches(5, seed=1)
    assert any(not np.array_equal(a["label"], b["label"]) for a, b in zip(one, other, strict=True))
    # Seed + epoch is what Grain shuffles by: epoch 1 of seed 0 must not be epoch 0 of seed 1.
    whole = Augmentation((10, 12), flip=False)
    order = [
        [int(b["label"][0, 0, 0]) for b in batches(n, augmentation=whole, batch_size=1, seed=s)]
        for n, s in ((20, 0), (10, 1))
    ]
    assert order[0][10:] != order[1]


@pytest.mark.parametrize("batch_size", [1, 4, 25])
def test_every_epoch_holds_every_example_once_in_another_order(batch_size):
    whole = Augmentation((10, 12), flip=False)
    count = 100 // batch_size
    rows = np.concatenate(
        [b["label"][:, 0, 0] for b in batches(count, augmentation=whole, batch_size=batch_size)]
    )
    epochs = rows.reshape(10, 10)
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in epochs}) > 8


def test_the_same_example_is_augmented_anew_each_epoch():
    rows = batches(8, source=Numbered(1), batch_size=1)
    shown = {tuple((b["label"][0] == IGNORE_LABEL).sum((0, 1), keepdims=True)[0]) for b in rows}
    assert len(shown) > 3


def test_processes_get_the_rows_of_the_global_batch():
    whole = batches(3, batch_size=6, start_step=2)
    for index in range(3):
        part = batches(3, batch_size=6, start_step=2, process_index=index, process_count=3)
        rows = slice(2 * index, 2 * index + 2)
        assert_same(part, [{k: v[rows] for k, v in b.items()} for b in whole])


def test_batches_are_uint8_of_the_crop():
    batch = batches(1)[0]
    assert batch["image"].shape == (4, 12, 14, 3)
    assert batch["label"].shape == (4, 12, 14)
    assert batch["image"].dtype == batch["label"].dtype == np.uint8


def test_a_closed_stream_leaves_no_thread(wait_until):
    before = threading.active_count()
    stream = train_batches(Numbered(10), SCALED, batch_size=2, seed=0, num_threads=2)
    next(stream)
    stream.close()
    wait_until(lambda: threading.active_count() <= before)


def test_an_error_while_reading_reaches_the_caller():
    class Broken(Numbered):
        def __getitem__(self, index):
            raise ValueError(f"example {index} is broken")

    for threads in (0, 2):
        stream = train_batches(Broken(4), SCALED, batch_size=2, seed=0, num_threads=threads)
        with pytest.raises(ValueError, match="is broken"):
            next(stream)


def test_what_cannot_be_batched_is_refused():
    with pytest.raises(ValueError, match="holds no examples"):
        batches(1, source=Numbered(0))
    with pytest.raises(ValueError, match="batch_size=5 must be a positive multiple of the 2"):
        batches(1, batch_size=5, process_count=2)


@pytest.mark.parametrize(("count", "batch_size"), [(10, 4), (8, 4), (3, 5), (1, 1)])
def test_evaluation_sees_every_example_once_and_pads_with_ignored_rows(count, batch_size):
    seen = []
    for batch in eval_batches(Numbered(count), batch_size=batch_size):
        n = batch["num_examples"]
        assert batch["image"].shape == (batch_size, 10, 12, 3)
        assert len(batch["id"]) == n
        for row, name in enumerate(batch["id"]):
            assert (batch["label"][row] == int(name[1:])).all()
            assert (batch["image"][row] == int(name[1:])).all()
        assert (batch["label"][n:] == IGNORE_LABEL).all()
        seen += batch["id"]
    assert seen == [f"n{i}" for i in range(count)]


def test_mixed_sizes_need_batches_of_one():
    source = Numbered(4, shapes=((10, 12), (8, 9)))
    with pytest.raises(ValueError, match=r"'n0' and 'n1'.*config.evaluate.batch_size to 1"):
        list(eval_batches(source, batch_size=2))
    sizes = [b["label"].shape[1:] for b in eval_batches(source, batch_size=1)]
    assert sizes == [(10, 12), (8, 9), (10, 12), (8, 9)]


def test_scenes_arrive_as_they_are():
    source = open_source("scenes", "size_24")
    batch = next(eval_batches(source, batch_size=3))
    np.testing.assert_array_equal(batch["image"][2], source[2]["image"])
