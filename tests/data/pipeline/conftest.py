"""A source whose examples say which they are, some of them bad."""

import itertools

import numpy as np
import pytest

from seg_jax.data.validate import Origin


class Numbered:
    """Example i is filled with i; sizes repeat in the order given; the bad ones cannot be read."""

    checksum = "of numbers"

    def __init__(self, count, shapes=((10, 12),), bad=()):
        self.count, self.shapes, self.bad = count, shapes, bad

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index in self.bad:
            raise Origin("numbers", "train", f"n{index}").fault("image", "is bad. Repair it.")
        label = np.full(self.size(index), index, np.uint8)
        return {"image": np.stack([label] * 3, -1), "label": label, "id": f"n{index}"}

    def size(self, index):
        return self.shapes[index % len(self.shapes)]


@pytest.fixture(scope="session")
def numbered():
    """Returns the class of numbered sources."""
    return Numbered


class Bordered(Numbered):
    """Numbered examples that have a border, which is their number plus a half."""

    def __getitem__(self, index):
        example = super().__getitem__(index)
        return {**example, "border": example["label"] + np.float32(0.5)}


@pytest.fixture(scope="session")
def bordered():
    """Returns the class of numbered sources with a border."""
    return Bordered


@pytest.fixture(scope="session")
def take():
    """Returns a function that takes the first `count` of a stream and closes it."""

    def take(stream, count):
        taken = list(itertools.islice(stream, count))
        stream.close()
        return taken

    return take


@pytest.fixture(scope="session")
def assert_same():
    """Returns a function that compares two lists of batches."""

    def check(one, other):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert set(a) == set(b)
            np.testing.assert_array_equal(a["image"], b["image"])
            np.testing.assert_array_equal(a["label"], b["label"])
            assert a["id"] == b["id"]
            if "border" in a:
                np.testing.assert_array_equal(a["border"], b["border"])

    return check
