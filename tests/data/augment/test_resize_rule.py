"""Each rule against a plain restatement of the code that it repeats."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment.resize_rule import ResizeRule

sides = st.integers(1, 700)
draws = st.floats(0, 1, exclude_max=True)
cases = settings(max_examples=200, deadline=None, database=None)


@cases
@given(height=sides, width=sides, draw=draws)
def test_native_scales_both_sides(height, width, draw):
    rule = ResizeRule(scale_range=(0.5, 2.0))
    factor = 0.5 + 1.5 * draw
    expected = (max(1, round(height * factor)), max(1, round(width * factor)))
    assert rule((height, width), draw) == expected


def torchvision_resize(height, width, size):
    """torchvision.transforms.functional.resize of a PIL image to an int: the short side."""
    short, long = (width, height) if width <= height else (height, width)
    new_short, new_long = size, int(size * long / short)
    new_width, new_height = (new_short, new_long) if width <= height else (new_long, new_short)
    return new_height, new_width


@cases
@given(height=sides, width=sides, draw=draws)
def test_short_is_torchvisions_random_resize(height, width, draw):
    actual = ResizeRule("short", (520,), (0.5, 2.0))((height, width), draw)
    assert 260 <= min(actual) <= 1040
    assert actual == torchvision_resize(height, width, min(actual))


def encoding_resize(height, width, long_size):
    """PyTorch-Encoding, BaseDataset._sync_transform, after its draw of long_size."""
    if height > width:
        return long_size, int(1.0 * width * long_size / height + 0.5)
    return int(1.0 * height * long_size / width + 0.5), long_size


@cases
@given(height=sides, width=sides, draw=draws)
def test_long_is_pytorch_encodings_sync_transform(height, width, draw):
    actual = ResizeRule("long", (520,), (0.5, 2.0))((height, width), draw)
    assert 260 <= max(actual) <= 1040
    expected = encoding_resize(height, width, max(actual))
    assert actual == (max(1, expected[0]), max(1, expected[1]))


@pytest.mark.parametrize("resize", ["short", "long"])
def test_every_length_between_the_extremes_is_as_likely(resize):
    rule = ResizeRule(resize, (10,), (0.55, 2.05))
    lengths = Counter(rule((30, 30), (i + 0.5) / 1600)[0] for i in range(1600))
    assert lengths == dict.fromkeys(range(5, 21), 100)  # int(5.5) to int(20.5), both included
    randint = random.Random(0)
    assert {randint.randint(5, 20) for _ in range(1000)} == set(lengths)


def mmcv_rescale_size(height, width, box):
    """mmcv.rescale_size for a box (width, height), which is turned as the image lies."""
    factor = min(max(box) / max(height, width), min(box) / min(height, width))
    return int(height * float(factor) + 0.5), int(width * float(factor) + 0.5)


@cases
@given(height=sides, width=sides, draw=draws, turned=st.booleans())
def test_fit_is_mmsegmentations_random_resize(height, width, draw, turned):
    rule = ResizeRule("fit", (2048, 512) if turned else (512, 2048), (0.5, 2.0))
    ratio = draw * (2.0 - 0.5) + 0.5
    expected = mmcv_rescale_size(height, width, (int(2048 * ratio), int(512 * ratio)))
    assert rule((height, width), draw) == (max(1, expected[0]), max(1, expected[1]))


def test_fit_at_the_sizes_of_published_sets():
    rule = ResizeRule("fit", (512, 2048))
    assert rule((375, 500), 0.3) == (512, 683)  # PASCAL VOC
    assert rule((500, 375), 0.3) == (683, 512)
    assert ResizeRule("fit", (1024, 2048))((1024, 2048), 0.3) == (1024, 2048)  # Cityscapes


@cases
@given(height=sides, width=sides, draw=draws)
def test_fixed_is_the_base_size_times_the_scale(height, width, draw):
    rule = ResizeRule("fixed", (512, 1024), (0.5, 2.0))
    ratio = draw * (2.0 - 0.5) + 0.5
    assert rule((height, width), draw) == (int(512 * ratio), int(1024 * ratio))
    assert ResizeRule("fixed", (360, 480))((height, width), draw) == (360, 480)


def test_steps_are_the_seven_scales_of_deeplab_as_likely_as_each_other():
    rule = ResizeRule(scale_range=(0.5, 2.0), scale_step=0.25)
    sizes = Counter(rule((100, 200), (i + 0.5) / 700) for i in range(700))
    scales = np.linspace(0.5, 2.0, 7)  # get_random_scale of TensorFlow's DeepLab
    assert sizes == {(int(100 * scale), int(200 * scale)): 100 for scale in scales}


def test_steps_of_a_side_are_steps_of_the_scale():
    rule = ResizeRule("short", (520,), (0.5, 2.0), 0.25)
    assert {rule((1, 1), i / 70)[0] for i in range(70)} == {260, 390, 520, 650, 780, 910, 1040}


def test_a_thin_source_keeps_a_pixel():
    assert ResizeRule("long", (20,))((1, 500), 0.0) == (1, 20)
    assert ResizeRule(scale_range=(0.1, 0.1))((2, 30), 0.0) == (1, 3)
