import math

import numpy as np
import pytest

from seg_jax.data.class_weights import balance_classes, enet, median_frequency


def test_median_frequency_is_eigen_and_fergus_by_a_plain_loop():
    rng = np.random.default_rng(0)
    # Classes 0..3 and 255; class 4 never occurs; images differ in size.
    labels = [
        rng.choice([0, 1, 2, 3, 255], (5 + i, 7), p=(0.5, 0.3, 0.1, 0.05, 0.05)) for i in range(6)
    ]
    labels[2][labels[2] == 3] = 0
    pixels = [sum(int((label == k).sum()) for label in labels) for k in range(5)]
    around = [sum(label.size for label in labels if (label == k).any()) for k in range(5)]
    assert around[3] < around[0]
    frequencies = [pixels[k] / around[k] for k in range(4)]
    expected = [float(np.median(frequencies)) / frequency for frequency in frequencies]
    weights = median_frequency(pixels, around)
    assert weights[:4] == pytest.approx(expected)
    assert weights[4] is None


def test_the_class_in_the_middle_weighs_one():
    assert median_frequency([10, 40, 20], [100, 100, 100])[2] == 1.0


def test_enet_weighs_between_one_and_fifty():
    weights = enet([100, 0, 300])
    assert weights == pytest.approx([1 / math.log(1.27), 1 / math.log(1.02), 1 / math.log(1.77)])
    assert weights[1] == pytest.approx(50.498, abs=1e-3)


def test_without_a_pixel_there_are_no_weights():
    assert median_frequency([0, 0], [0, 0]) == [None, None]
    assert enet([0, 0]) == [None, None]


def test_a_balance_is_named_and_classes_without_a_pixel_weigh_one():
    pixels, around = [10, 0, 40, 20], [100, 0, 100, 100]
    assert balance_classes("median_frequency", pixels, around) == (2.0, 1.0, 0.5, 1.0)
    weights = enet(pixels)
    assert balance_classes("enet", pixels, around) == (weights[0], 1.0, weights[2], weights[3])
    for balance in ("median_frequency", "enet"):
        assert balance_classes(balance, [0, 0], [0, 0]) == (1.0, 1.0)
    with pytest.raises(ValueError, match=r"'median_freq'.*config\.loss\.class_balance"):
        balance_classes("median_freq", pixels, around)
