import cv2
import numpy as np
import pytest

from seg_jax.data.source import open_source
from seg_jax.data.views import CachedSource, ResizedSource, resize_pair

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (20, 30, 3), np.uint8)
LABEL = RNG.choice(np.uint8([0, 3, 255]), (20, 30))


@pytest.mark.parametrize("size", [(10, 15), (40, 60), (13, 47), (31, 22), (1, 1)])
def test_a_label_takes_the_pixel_whose_centre_is_nearest(size):
    _, label = resize_pair(IMAGE, LABEL, size)
    rows = ((np.arange(size[0]) + 0.5) * 20 / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * 30 / size[1]).astype(int)
    # Where a centre falls on an edge between two pixels, either is nearest.
    exact = LABEL[np.ix_(rows, columns)]
    before = [
        ((np.arange(n) + 0.5) * m / n - 1e-9).astype(int)
        for n, m in zip(size, (20, 30), strict=True)
    ]
    assert ((label == exact) | (label == LABEL[np.ix_(*before)])).all()


def test_image_and_label_stay_on_each_other():
    label = np.zeros((40, 40), np.uint8)
    label[10:30, 16:24] = 200
    image, small = resize_pair(np.stack([label] * 3, -1), label, (20, 20))
    np.testing.assert_array_equal(image[..., 0], small)
    large, grown = resize_pair(np.stack([label] * 3, -1), label, (80, 80))
    np.testing.assert_array_equal(large[..., 0] > 100, grown > 100)


def test_the_own_size_is_not_touched():
    image, label = resize_pair(IMAGE, LABEL, (20, 30))
    assert image is IMAGE
    assert label is LABEL


def test_resized_source_resizes_every_example():
    full = open_source("scenes", "val")
    source = ResizedSource(full, (48, 64))
    assert len(source) == len(full)
    assert source[7]["id"] == full[7]["id"]
    assert source[7]["image"].shape == (48, 64, 3)
    expected = cv2.resize(full[7]["image"], (64, 48), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(source[7]["image"], expected)


def test_cached_source_reads_once_and_cannot_be_written_to(memory_source):
    counting = memory_source([LABEL] * 3)
    source = CachedSource(counting)
    for _ in range(4):
        assert [source[i]["id"] for i in range(3)] == ["n0", "n1", "n2"]
    assert counting.reads == 3
    with pytest.raises(ValueError, match="read-only"):
        source[0]["image"][0, 0] = 0


def test_views_know_sizes_and_checksums_without_reading(memory_source):
    counting = memory_source([LABEL] * 3)
    for source, size in (
        (CachedSource(counting), (20, 30)),
        (ResizedSource(counting, (5, 6)), (5, 6)),
    ):
        assert source.size(1) == size
        assert source.checksum == counting.checksum
    assert counting.reads == 0


class WithObjects:
    """A source whose objects are numbered by a map."""

    checksum = "of objects"

    def __init__(self, objects):
        self.objects = objects

    def __len__(self):
        return 1

    def __getitem__(self, index):
        label = (self.objects % 200).astype(np.uint8)
        return {"image": np.stack([label] * 3, -1), "label": label, "id": "n0"}

    def instances(self, index):
        return self.objects

    def size(self, index):
        return self.objects.shape


def test_views_show_the_objects_of_their_source_as_they_show_its_label(memory_source):
    objects = np.random.default_rng(0).integers(0, 60_000, (20, 30)).astype(np.uint16)
    source = WithObjects(objects)
    np.testing.assert_array_equal(CachedSource(source).instances(0), objects)
    for size in ((20, 30), (10, 15), (13, 47)):
        resized = ResizedSource(CachedSource(source), size)
        actual = resized.instances(0)
        assert actual.dtype == np.uint16
        assert actual.shape == size
        np.testing.assert_array_equal(actual % 200, resized[0]["label"])
    for view in (
        CachedSource(memory_source([LABEL])),
        ResizedSource(open_source("scenes", "val"), (8, 8)),
    ):
        with pytest.raises(LookupError, match="knows no objects"):
            view.instances(0)
