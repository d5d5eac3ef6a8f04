"""Evaluation batches: every example once, equal shapes together, the rest ignored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.pipeline.evaluate import eval_batches
from seg_jax.data.pipeline.frames import Framing
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError
from seg_jax.labels import IGNORE_LABEL

SHAPES = [(10, 12), (8, 9), (9, 8)]
PAD = Framing(window="pad", window_size=(12, 12))


@pytest.mark.parametrize(
    ("count", "batch_size", "rows"),
    # Spread evenly: no more rows than needed, and equally many in all batches.
    [(10, 4, (4, 4, 4)), (9, 8, (5, 5)), (8, 4, (4, 4)), (3, 5, (3,)), (1, 1, (1,)), (0, 2, ())],
)
def test_examples_of_one_size_come_in_their_order(numbered, count, batch_size, rows):
    batches = list(eval_batches(numbered(count), Framing(), batch_size=batch_size))
    assert [name for batch in batches for name in batch["ids"]] == [f"n{i}" for i in range(count)]
    assert [position for batch in batches for position in batch["positions"]] == list(range(count))
    assert tuple(len(batch["label"]) for batch in batches) == rows


@settings(max_examples=25, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from([0, 2]),
    st.sampled_from([Framing(), PAD]),
)
def test_shapes_are_grouped_and_no_example_is_lost(numbered, shapes, batch_size, threads, framing):
    source = numbered(len(shapes), shapes=shapes)
    seen, groups = [], []
    for batch in eval_batches(source, framing, batch_size=batch_size, num_threads=threads):
        (view,) = batch["views"]
        assert 0 < len(batch["ids"]) <= len(batch["label"]) <= batch_size
        assert len(view["image"]) == len(batch["label"])
        blank = np.ones(len(batch["label"]), bool)
        for place, row in enumerate(batch["rows"]):
            index = batch["positions"][place]
            height, width = source.size(index)
            assert batch["sizes"][place] == (height, width)
            assert (batch["label"][row, :height, :width] == index).all()
            assert (view["image"][row, :height, :width] == index).all()
            assert (batch["label"][row, height:] == IGNORE_LABEL).all()
            assert (batch["label"][row, :, width:] == IGNORE_LABEL).all()
            if framing == PAD:
                assert (view["image"][row, height:] == framing.pad_color).all()
            blank[row] = False
        assert (batch["label"][blank] == IGNORE_LABEL).all()
        assert not view["image"][blank].any()
        seen += batch["positions"]
        groups.append(view["image"].shape[1:3])
    # As a plain loop would group them: shapes by first appearance, examples by position.
    first = list(dict.fromkeys(shapes)) if framing == Framing() else [None]
    expected = [i for size in first for i, s in enumerate(shapes) if size in (s, None)]
    assert seen == expected
    assert len(set(groups)) == len(first)


@pytest.mark.parametrize("processes", [2, 4])
def test_hosts_get_the_rows_of_the_global_batch(numbered, processes):
    source = numbered(8, shapes=((10, 12), (8, 9), (8, 9)))
    whole = list(eval_batches(source, Framing(), batch_size=4, num_devices=4))
    parts = [
        list(
            eval_batches(
                source,
                Framing(),
                batch_size=4,
                num_devices=4,
                process_index=i,
                process_count=processes,
            )
        )
        for i in range(processes)
    ]
    for index, batch in enumerate(whole):
        rows = [part[index] for part in parts]
        np.testing.assert_array_equal(np.concatenate([r["label"] for r in rows]), batch["label"])
        images = np.concatenate([r["views"][0]["image"] for r in rows])
        np.testing.assert_array_equal(images, batch["views"][0]["image"])
        assert sorted(name for r in rows for name in r["ids"]) == sorted(batch["ids"])
    # One host's rows are padding throughout, and it takes the step all the same.
    assert min(len(batch["ids"]) for part in parts for batch in part) == 0
    assert {len(part) for part in parts} == {len(whole)}


def test_objects_and_pictures_come_where_asked_for(numbered):
    class Known(numbered):
        def instances(self, index):
            return np.full(self.size(index), 1000 + index, np.uint16)

    crop = Framing(window="center_crop", window_size=(6, 14))
    (batch,) = eval_batches(Known(3), crop, batch_size=4, num_samples=2, instances=True)
    assert sorted(batch["shown"]) == [0, 1]
    assert batch["shown"][1].shape == (6, 14, 3)
    for index, objects in enumerate(batch["instances"]):
        # Objects end where the picture does, and what is filled up belongs to none.
        assert objects.dtype == np.uint16
        assert (objects[:, :12] == 1000 + index).all()
        assert not objects[:, 12:].any()
    (batch,) = eval_batches(numbered(3), Framing(), batch_size=4)
    assert batch["shown"] == {}
    assert batch["instances"] == []
    with pytest.raises(LookupError, match="knows no objects"):
        list(eval_batches(numbered(3), Framing(), batch_size=4, instances=True))


def test_fewer_threads_make_large_batches(numbered, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "seg_jax.data.pipeline.evaluate.prefetch",
        lambda batches, num_threads: iter([asked.append(num_threads)]),
    )
    monkeypatch.setattr("seg_jax.data.pipeline.evaluate.count_cores", lambda: 8)
    eval_batches(numbered(4), Framing(), batch_size=4)
    monkeypatch.setattr("seg_jax.data.pipeline.evaluate.MEMORY", 3 * 2 * 4 * 12 * (30 + 128 / 12))
    big = Framing(window="pad", window_size=(12, 12), scales=(1.0,))
    eval_batches(numbered(4), big, batch_size=4)
    list(eval_batches(numbered(4), big, batch_size=4, num_threads=5))
    assert asked[0] == 8
    assert 1 <= asked[1] < 8
    assert asked[2] == 5


def test_a_bad_example_is_always_an_error(numbered):
    with pytest.raises(DataError, match=r"'n2'.* is bad"):
        list(eval_batches(numbered(4, bad=(2,)), Framing(), batch_size=2))


def test_what_cannot_be_batched_is_refused(numbered):
    with pytest.raises(ValueError, match=r"config.evaluate.batch_size=3 must be .* of the 2"):
        eval_batches(numbered(4), Framing(), batch_size=3, num_devices=2)
    with pytest.raises(ValueError, match=r"2 devices are not equally many for each of 3"):
        eval_batches(numbered(4), Framing(), batch_size=2, num_devices=2, process_count=3)

    class Grown(numbered):
        def size(self, index):
            return (10, 12) if index < 2 else (20, 12)

    Grown.__getitem__ = lambda self, index: numbered(4)[index]
    with pytest.raises(ValueError, match=r"Example 'n2' is \(10, 12\) px .* says \(20, 12\)"):
        list(eval_batches(Grown(4), Framing(), batch_size=2))


def test_scenes_arrive_as_they_are():
    source = open_source("scenes", "size_24")
    batch = next(eval_batches(source, Framing(), batch_size=3))
    np.testing.assert_array_equal(batch["views"][0]["image"][2], source[2]["image"])
