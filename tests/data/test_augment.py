"""Painting the label into the image shows that the two are treated alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.data.augment import PAD_COLOR, Augmentation
from seg_jax.typing import IGNORE_LABEL


def blocks(height: int, width: int, seed: int) -> np.ndarray:
    """A label of 8 x 8 blocks of the values 0, 80, 160 and 240."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (height // 8 + 1, width // 8 + 1), np.uint8) * 80
    return np.kron(coarse, np.ones((8, 8), np.uint8))[:height, :width].copy()


def paint(label: np.ndarray) -> np.ndarray:
    return np.stack([label] * 3, -1)


@settings(max_examples=60, deadline=None, database=None)
@given(
    source=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    crop=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    scale=st.floats(0.4, 2.5),
    seed=st.integers(0, 1000),
    axis=st.sampled_from([0, 1]),
)
def test_image_and_label_stay_on_each_other(source, crop, scale, seed, axis):
    # On a ramp of 4 a pixel, bilinear and nearest differ by half a pixel, 2, and rounding.
    label = (np.indices(source)[axis] * 4).astype(np.uint8)
    augmentation = Augmentation(crop, (scale, scale), flip=True)
    image, out = augmentation(paint(label), label, np.random.default_rng(seed))
    assert image.shape == (*crop, 3)
    assert out.shape == crop
    assert set(np.unique(out)) <= set(np.unique(label)) | {IGNORE_LABEL}
    padded = out == IGNORE_LABEL
    assert (image[padded] == PAD_COLOR).all()
    height, width = (min(c, max(1, round(s * scale))) for c, s in zip(crop, source, strict=True))
    assert not padded[:height, :width].any()
    assert (~padded).sum() == height * width
    assert np.abs(image[..., 0].astype(int) - out)[~padded].max() <= 3


def test_without_scaling_the_crop_is_an_exact_window():
    label = blocks(40, 50, 0)
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    augmentation = Augmentation((16, 24), flip=False)
    corners = set()
    for seed in range(200):
        out, out_label = augmentation(image, label, np.random.default_rng(seed))
        (y,), (x,) = (
            np.unique(axis)
            for axis in np.nonzero(
                (np.lib.stride_tricks.sliding_window_view(image, (16, 24, 3))[:, :, 0] == out).all(
                    (2, 3, 4)
                )
            )
        )
        np.testing.assert_array_equal(out_label, label[y : y + 16, x : x + 24])
        corners.add((int(y), int(x)))
    ys, xs = zip(*corners, strict=True)
    assert (min(ys), max(ys)) == (0, 24)
    assert (min(xs), max(xs)) == (0, 26)


def test_flips_half_of_the_time_and_only_left_and_right():
    label = np.zeros((8, 8), np.uint8)
    label[0, 0] = 7
    outcomes = [
        Augmentation((8, 8))(paint(label), label, np.random.default_rng(s))[1] for s in range(200)
    ]
    flipped = [bool(out[0, 7] == 7) for out in outcomes]
    assert all((out[0, 7] == 7) != (out[0, 0] == 7) for out in outcomes)
    assert 70 < sum(flipped) < 130


def test_turning_the_flip_off_does_not_move_the_crop():
    label = blocks(40, 40, 1)
    for seed in range(20):
        plain, mirrored = (
            Augmentation((16, 16), (0.5, 2.0), flip=flip)(
                paint(label), label, np.random.default_rng(seed)
            )[1]
            for flip in (False, True)
        )
        assert np.array_equal(plain, mirrored) or np.array_equal(
            np.sort(plain, 1), np.sort(mirrored, 1)
        )


def test_scale_enlarges_by_the_factor():
    label = np.zeros((40, 40), np.uint8)
    label[::10] = label[:, ::10] = 9  # a grid whose pitch shows the scale
    _, out = Augmentation((40, 40), (2.0, 2.0), flip=False)(
        paint(label), label, np.random.default_rng(0)
    )
    for axis in (0, 1):
        lines = np.flatnonzero((out == 9).all(axis))
        starts = lines[np.diff(lines, prepend=-9) > 1]
        assert len(starts) >= 2
        assert set(np.diff(starts)) <= {19, 20}  # 10 pixels of the source


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"crop_size": (0, 5)}, "crop_size"),
        ({"crop_size": (5, 5), "scale_range": (2.0, 0.5)}, "scale_range"),
        ({"crop_size": (5, 5), "scale_range": (0.0, 0.5)}, "scale_range"),
    ],
)
def test_senseless_fields_are_refused(fields, message):
    with pytest.raises(ValueError, match=f"config.augment.{message}"):
        Augmentation(**fields)
