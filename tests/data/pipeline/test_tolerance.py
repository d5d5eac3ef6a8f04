"""Bad training examples: refused, or replaced and counted up to a bound, the same every time."""

import logging

import numpy as np
import pytest

from seg_jax.data.augment import Augmentation
from seg_jax.data.pipeline.tolerance import TolerantReader
from seg_jax.data.pipeline.train import train_batches
from seg_jax.data.validate import DataError

WHOLE = Augmentation((10, 12), flip=False)
ROWS = 20
"""Two epochs of ten examples."""


def open_stream(source, max_bad_examples, **options):
    options = {"batch_size": 4, "seed": 0, "augmentation": WHOLE, **options}
    return train_batches(source, max_bad_examples=max_bad_examples, **options)


def rows(stream, count=ROWS):
    taken = [next(stream)["label"][:, 0, 0] for _ in range(count // 4)]
    stream.close()
    return np.concatenate(taken).tolist()


@pytest.mark.parametrize("threads", [0, 2])
def test_by_default_a_bad_example_is_an_error_that_names_it(numbered, threads):
    stream = open_stream(numbered(10, bad=(3,)), 0, num_threads=threads)
    with pytest.raises(DataError, match=r"^The image of example 'n3' of numbers, .* is bad\."):
        rows(stream)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_a_bad_example_is_replaced_by_the_next_good_one(numbered, threads, caplog):
    good = rows(open_stream(numbered(10), 0))
    stream = open_stream(numbered(10, bad=(3, 4, 9)), 3, num_threads=threads)
    with caplog.at_level(logging.WARNING, "seg_jax"):
        replaced = rows(stream)
    assert replaced == [{3: 5, 4: 5, 9: 0}.get(i, i) for i in good]
    # Met twice in two epochs, counted and logged once.
    assert sorted(stream.skipped) == [3, 4, 9]
    assert sorted(m.split("'")[1] for m in caplog.messages) == ["n3", "n4", "n9"]
    assert caplog.messages[-1].startswith("Skipped 3 of at most 3 bad examples: The image of")
    # A row is named by the example that it shows.
    again = open_stream(numbered(10, bad=(3, 4, 9)), 3, num_threads=threads)
    names = [name for _ in range(ROWS // 4) for name in next(again)["id"]]
    again.close()
    assert names == [f"n{i}" for i in replaced]


@pytest.mark.parametrize("threads", [0, 3])
def test_one_more_than_the_bound_is_an_error(numbered, threads):
    order = rows(open_stream(numbered(10), 0))
    # Three bad ones that are not neighbours: each is met by itself, the last one in epoch 1.
    bad = tuple(i for i in order[:10] if i in (1, 4, 7))
    last_met = order.index(bad[2])
    stream = open_stream(numbered(10, bad=bad), 2, num_threads=threads)
    taken = [next(stream) for _ in range(last_met // 4)]
    assert len(stream.skipped) == sum(order.index(i) < 4 * len(taken) for i in bad)
    fault = (
        r"^3 training examples cannot be used, and config\.dataset\.max_bad_examples=2 .*"
        rf"'n{bad[2]}'.* is bad\. Repair it\.$"
    )
    with pytest.raises(DataError, match=fault):
        next(stream)
    stream.close()


def test_neighbours_count_within_one_read(numbered):
    source = numbered(10, bad=tuple(range(9)))
    with pytest.raises(DataError, match=r"^4 training examples .*max_bad_examples=3"):
        rows(open_stream(source, 3, num_threads=0))
    assert set(rows(open_stream(source, 9))) == {9}
    with pytest.raises(DataError, match=r"^2 training examples .*max_bad_examples=9"):
        rows(open_stream(numbered(2, bad=(0, 1)), 9))


def test_resuming_meets_them_again(numbered, take, assert_same):
    source = numbered(10, bad=(3, 4))
    whole = open_stream(source, 2)
    expected = take(whole, 6)
    resumed = open_stream(source, 2, start_step=3)
    assert_same(take(resumed, 3), expected[3:])
    assert resumed.skipped == whole.skipped


def test_a_partner_that_is_bad_is_replaced_too(numbered, take, assert_same):
    mixed = Augmentation((10, 12), flip=False, mix="cutmix")
    source = numbered(10, bad=(3,))
    streams = [open_stream(source, 1, augmentation=mixed, num_threads=n) for n in (0, 3)]
    taken = [take(stream, 5) for stream in streams]
    assert_same(*taken)
    assert not any((batch["label"] == 3).any() for batch in taken[0])


def test_a_read_gives_up_at_the_bound(numbered):
    class Counted(numbered):
        reads = 0

        def __getitem__(self, index):
            self.reads += 1
            return super().__getitem__(index)

    # Of a set that is bad throughout, not every example is read to find that out.
    source = Counted(1000, bad=range(1000))
    with pytest.raises(DataError, match=r"^4 training examples"):
        TolerantReader(source, 3)(998)
    assert source.reads == 4
