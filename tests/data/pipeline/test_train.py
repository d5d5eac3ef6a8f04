"""The training stream: exact order, exact resume, whoever makes the batches."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment import Augmentation
from seg_jax.data.pipeline.train import train_batches

SCALED = Augmentation((12, 14), (0.5, 2.0))
WHOLE = Augmentation((10, 12), flip=False)
MIXED = Augmentation((10, 12), flip=False, mix="cutmix")


@pytest.fixture(scope="session")
def batches(numbered, take):
    """Returns a function (number of batches, options of train_batches) -> batches."""

    def batches(count, *, source=None, augmentation=SCALED, batch_size=4, seed=0, **options):
        source = numbered(10) if source is None else source
        stream = train_batches(source, augmentation, batch_size=batch_size, seed=seed, **options)
        return take(stream, count)

    return batches


def shown(batch):
    """Which examples the rows of a batch of whole images are."""
    return batch["label"][:, 0, 0].tolist()


@settings(max_examples=8, deadline=None, database=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 9), st.integers(0, 2**32 - 1))
def test_resuming_is_the_uninterrupted_stream(
    batches, numbered, assert_same, count, batch_size, start, seed
):
    options = {"source": numbered(count), "batch_size": batch_size, "seed": seed}
    whole = batches(start + 3, num_threads=0, **options)
    assert_same(batches(3, start_step=start, num_threads=1, **options), whole[start:])


def test_the_stream_does_not_depend_on_threads(batches, assert_same):
    for augmentation in (SCALED, MIXED):
        expected = batches(8, augmentation=augmentation, num_threads=0)
        for threads in (1, 3, None):
            made = batches(8, augmentation=augmentation, num_threads=threads)
            assert_same(made, expected)


def test_a_row_depends_on_its_place_in_the_stream_alone(batches):
    for augmentation in (SCALED, MIXED):
        by_size = []
        for batch_size in (4, 6, 12):
            made = batches(24 // batch_size, batch_size=batch_size, augmentation=augmentation)
            by_size.append({k: np.concatenate([b[k] for b in made]) for k in ("image", "label")})
        for other in by_size[1:]:
            np.testing.assert_array_equal(by_size[0]["image"], other["image"])
            np.testing.assert_array_equal(by_size[0]["label"], other["label"])


def test_seeds_differ_in_order_and_in_augmentation(batches):
    one, other = batches(5, seed=0), batches(5, seed=1)
    assert any(not np.array_equal(a["label"], b["label"]) for a, b in zip(one, other, strict=True))
    # As it would be, were an epoch shuffled by seed + epoch: epoch 1 of seed 0, 0 of seed 1.
    order = [
        [shown(b)[0] for b in batches(n, augmentation=WHOLE, batch_size=1, seed=seed)]
        for n, seed in ((20, 0), (10, 1))
    ]
    assert order[0][10:] != order[1]


@pytest.mark.parametrize("batch_size", [1, 4, 25])
def test_every_epoch_holds_every_example_once_in_another_order(batches, batch_size):
    made = batches(100 // batch_size, augmentation=WHOLE, batch_size=batch_size)
    epochs = np.concatenate([shown(b) for b in made]).reshape(10, 10)
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in epochs}) > 8


def test_the_same_example_is_augmented_anew_each_epoch(batches, numbered):
    class Textured(numbered):
        def __getitem__(self, index):
            label = np.random.default_rng(index).integers(0, 9, (10, 12), np.uint8)
            return {"image": np.stack([label] * 3, -1), "label": label, "id": "textured"}

    rows = batches(8, source=Textured(1), batch_size=1)
    assert len({b["image"].tobytes() for b in rows}) > 6


@pytest.mark.parametrize("augmentation", [SCALED, MIXED])
def test_hosts_get_the_rows_of_the_global_batch(batches, assert_same, augmentation):
    options = {"batch_size": 6, "start_step": 2, "augmentation": augmentation}
    whole = batches(3, **options)
    for index in range(3):
        part = batches(3, process_index=index, process_count=3, **options)
        rows = slice(2 * index, 2 * index + 2)
        assert_same(part, [{k: v[rows] for k, v in b.items()} for b in whole])


def test_batches_are_uint8_of_the_crop(batches):
    batch = batches(1)[0]
    assert batch["image"].shape == (4, 12, 14, 3)
    assert batch["label"].shape == (4, 12, 14)
    assert batch["image"].dtype == batch["label"].dtype == np.uint8
    assert batch["image"].flags.c_contiguous


@pytest.mark.parametrize("augmentation", [WHOLE, MIXED])
def test_rows_are_named_by_their_example(batches, augmentation):
    plain = batches(5, augmentation=WHOLE)
    for batch, unmixed in zip(batches(5, augmentation=augmentation), plain, strict=True):
        assert batch["id"] == [f"n{i}" for i in shown(unmixed)]


@pytest.mark.parametrize("augmentation", [SCALED, WHOLE, MIXED])
def test_a_border_comes_along_and_changes_nothing_else(
    batches, numbered, bordered, assert_same, augmentation
):
    options = {"augmentation": augmentation, "start_step": 1}
    made = batches(4, source=bordered(10), num_threads=0, **options)
    for threads in (1, 3):
        assert_same(batches(4, source=bordered(10), num_threads=threads, **options), made)
    halves = [
        batches(4, source=bordered(10), process_index=i, process_count=2, **options)
        for i in range(2)
    ]
    for batch, *parts in zip(made, *halves, strict=True):
        border = batch["border"]
        assert border.dtype == np.float32
        assert border.flags.c_contiguous
        counted = batch["label"] != 255
        np.testing.assert_array_equal(border, np.where(counted, batch["label"] + 0.5, 0))
        np.testing.assert_array_equal(border, np.concatenate([p["border"] for p in parts]))
    plain = batches(4, source=numbered(10), **options)
    for batch in made:
        del batch["border"]
    assert_same(made, plain)


def test_a_closed_stream_leaves_no_thread(numbered, wait_until):
    before = set(threading.enumerate())
    stream = train_batches(numbered(10), SCALED, batch_size=2, seed=0, num_threads=2)
    next(stream)
    started = set(threading.enumerate()) - before
    assert started
    stream.close()
    wait_until(lambda: not any(thread.is_alive() for thread in started))


def test_an_error_while_reading_reaches_the_caller_as_it_is(batches, numbered):
    class Broken(numbered):
        def __getitem__(self, index):
            raise LookupError(f"example {index} is broken")

    for threads in (0, 2):
        # A policy for bad examples is none for defects.
        with pytest.raises(LookupError, match="is broken"):
            batches(1, source=Broken(4), num_threads=threads, max_bad_examples=9)


def test_what_cannot_be_batched_is_refused(batches, numbered):
    with pytest.raises(ValueError, match="holds no examples"):
        batches(1, source=numbered(0))
    with pytest.raises(ValueError, match="batch_size=5 must be a positive multiple of the 2"):
        batches(1, batch_size=5, process_count=2)
