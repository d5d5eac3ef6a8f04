"""Run lengths read as masks, plain and compressed, as the COCO API reads them."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seg_jax.data.formats import rle

# pycocotools 2.0.11 decodes by a protocol of arrays that NumPy 2 is retiring.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def coco_mask():
    return pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")


def test_runs_go_down_the_columns_and_begin_outside():
    expected = np.array([[0, 1, 0], [1, 1, 0]], bool)
    np.testing.assert_array_equal(rle.decode([1, 3, 2], (2, 3)), expected)
    np.testing.assert_array_equal(rle.decode([0, 1, 5], (2, 3))[:, 0], [True, False])


def test_a_compressed_string():
    # A frame of rows 3..36 and columns 5..44 with a hole of 10 x 10, written by the COCO API.
    expected = np.zeros((40, 50), bool)
    expected[3:37, 5:45] = True
    expected[10:20, 10:20] = False
    text = f"[6R1600000000UO4:{'LF4:' * 9}La{'0' * 49}U6"
    np.testing.assert_array_equal(rle.decode(text, (40, 50)), expected)
    np.testing.assert_array_equal(rle.decode(text.encode(), (40, 50)), expected)


def test_the_real_crowds(asset, coco_mask):
    content = json.loads(
        (asset("data/coco_sample") / "annotations/instances_train2017.json").read_bytes()
    )
    crowds = [a["segmentation"] for a in content["annotations"] if a["iscrowd"]]
    assert len(crowds) == 10
    for crowd in crowds:
        size = tuple(crowd["size"])
        compressed = coco_mask.frPyObjects(crowd, *size)["counts"]
        expected = coco_mask.decode({"size": size, "counts": compressed}).astype(bool)
        assert rle.decompress(compressed).tolist() == crowd["counts"]
        np.testing.assert_array_equal(rle.decode(crowd["counts"], size), expected)
        np.testing.assert_array_equal(rle.decode(compressed, size), expected)


# Narrow and wide ones: runs of one and of many characters, growing and shrinking.
MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))) | st.builds(
    lambda seed, share: np.random.default_rng(seed).random((90, 110)) < share,
    st.integers(0, 99),
    st.sampled_from([0.0, 0.001, 0.03, 0.5, 0.99, 1.0]),
)


@settings(deadline=None, max_examples=200)
@given(mask=MASKS)
def test_any_mask(coco_mask, mask):
    text = coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"]
    np.testing.assert_array_equal(rle.decode(text, mask.shape), mask)
    np.testing.assert_array_equal(rle.decode(rle.decompress(text).tolist(), mask.shape), mask)


@pytest.mark.parametrize("counts", [[3, 4], [3, 2], [], [8, -2], "02"])
def test_runs_that_do_not_cover_the_mask_are_refused(counts):
    with pytest.raises(ValueError, match=r"cover 2 x 3 = 6"):
        rle.decode(counts, (2, 3))


@pytest.mark.parametrize("text", ["12 3", "1\x7f", "1P", "é"])
def test_a_damaged_string_is_refused(text):
    with pytest.raises(ValueError, match="damaged"):
        rle.decompress(text)
