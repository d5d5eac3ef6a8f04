"""Views of splits against plain lists and a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.derive import UnionSource, derive, restrict_to_trimap
from seg_jax.data.spec import Fold, Trimap, Union, folds
from seg_jax.labels import IGNORE_LABEL


def numbered(memory_source, first, count):
    return memory_source([np.full((2, 3 + i), first + i, np.uint8) for i in range(count)])


def values(source):
    return [int(source[i]["label"][0, 0]) for i in range(len(source))]


def test_a_union_is_one_source_after_the_other(memory_source):
    parts = [numbered(memory_source, first, n) for first, n in ((0, 3), (10, 1), (20, 4))]
    union = derive(Union(("a", "b", "c")), parts)
    assert values(union) == [0, 1, 2, 10, 20, 21, 22, 23]
    assert [union.size(i) for i in (2, 3, 7)] == [(2, 5), (2, 3), (2, 6)]
    for index in (-1, 8):
        with pytest.raises(IndexError, match=r"not in 0\.\.7"):
            union[index]


@settings(max_examples=30, deadline=None, database=None)
@given(count=st.integers(1, 40), folds_=st.integers(1, 10))
def test_folds_hold_everything_once_and_never_train_on_what_they_hold_out(count, folds_):
    class Positions:
        checksum = ""

        def __len__(self):
            return count

        def __getitem__(self, index):
            return {"label": np.full((1, 1), index, np.uint8), "image": None, "id": ""}

        def size(self, index):
            return (1, 1)

    if folds_ > count:
        with pytest.raises(ValueError, match=f"{count} examples cannot be cut into {folds_}"):
            derive(Fold(("train",), 0, folds_, held_out=True), [Positions()])
        return
    held = []
    for index in range(folds_):
        val, train = (
            values(derive(Fold(("train",), index, folds_, held_out=side), [Positions()]))
            for side in (True, False)
        )
        assert sorted(val + train) == list(range(count))
        assert val == list(range(val[0], val[-1] + 1))  # neighbours stay together
        assert len(val) in (count // folds_, count // folds_ + 1)
        held += val
    assert held == list(range(count))


def test_folds_are_named_by_number_and_side():
    made = folds("train", 3)
    assert list(made) == [f"fold{i}_{side}" for i in range(3) for side in ("train", "val")]
    assert made["fold2_val"] == Fold(("train",), 2, 3, held_out=True)
    assert made["fold2_train"] == Fold(("train",), 2, 3, held_out=False)


@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_trimap_is_what_lies_near_void(width, memory_source):
    rng = np.random.default_rng(width)
    label = rng.integers(0, 5, (12, 17), np.uint8)
    label[rng.random(label.shape) < 0.02] = IGNORE_LABEL
    label[6, 8] = IGNORE_LABEL
    expected = np.full_like(label, IGNORE_LABEL)
    for y, x in np.ndindex(label.shape):
        near = label[max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1]
        if (near == IGNORE_LABEL).any():
            expected[y, x] = label[y, x]
    np.testing.assert_array_equal(restrict_to_trimap(label, width), expected)
    source = derive(Trimap(("val",), width), [memory_source([label])])
    np.testing.assert_array_equal(source[0]["label"], expected)
    np.testing.assert_array_equal(source[0]["image"][..., 0], label)


def test_checksums_tell_views_apart(memory_source):
    one, other = (numbered(memory_source, 0, 4) for _ in range(2))
    views = [
        derive(Union(("a", "b")), [one, other]),
        derive(Fold(("a",), 0, 2, held_out=True), [one]),
        derive(Fold(("a",), 1, 2, held_out=True), [one]),
        derive(Trimap(("a",), 1), [one]),
        derive(Trimap(("a",), 2), [one]),
    ]
    assert len({view.checksum for view in views} | {one.checksum}) == 6
    again = derive(Trimap(("a",), 2), [other])
    assert again.checksum == views[-1].checksum


def test_a_union_of_unions_finds_its_examples(memory_source):
    inner = UnionSource([numbered(memory_source, 0, 2), numbered(memory_source, 5, 2)])
    assert values(UnionSource([inner, inner])) == [0, 1, 5, 6, 0, 1, 5, 6]


def test_objects_are_those_of_the_source_at_the_place(memory_source):
    class WithObjects(memory_source):
        def instances(self, index):
            return self.labels[index].astype(np.uint16) * 300

    def objects(view):
        return [int(view.instances(i)[0, 0]) // 300 for i in range(len(view))]

    one = WithObjects([np.full((2, 3), i, np.uint8) for i in range(6)])
    other = WithObjects([np.full((2, 3), 50 + i, np.uint8) for i in range(2)])
    assert objects(derive(Union(("a", "b")), [one, other])) == [0, 1, 2, 3, 4, 5, 50, 51]
    for side in (True, False):
        fold = derive(Fold(("a",), 1, 3, held_out=side), [one])
        assert objects(fold) == values(fold)
    assert objects(derive(Trimap(("a",), 1), [one])) == [0, 1, 2, 3, 4, 5]
    mixed = derive(Union(("a", "b")), [one, numbered(memory_source, 0, 1)])
    with pytest.raises(LookupError, match="knows no objects"):
        mixed.instances(6)
