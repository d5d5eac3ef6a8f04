"""Bilinear resizing against a loop over pixels, and against jax.image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers.resize import resize_bilinear

SIZES = [((4, 5), (8, 15)), ((4, 5), (7, 13)), ((9, 7), (4, 3)), ((1, 3), (5, 3)), ((6, 6), (1, 9))]


def loop_resize(image, size, align_corners):
    """Samples every output pixel on its own, as PyTorch's documentation states it."""

    def source(i, before, after):
        if align_corners:
            return i * (before - 1) / (after - 1) if after > 1 else 0.0
        return min(max((i + 0.5) * before / after - 0.5, 0.0), before - 1.0)

    result = np.zeros((*size, image.shape[-1]))
    for i in range(size[0]):
        for j in range(size[1]):
            y, x = source(i, image.shape[0], size[0]), source(j, image.shape[1], size[1])
            top, left = int(y), int(x)
            bottom, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
            above = (1 - x + left) * image[top, left] + (x - left) * image[top, right]
            below = (1 - x + left) * image[bottom, left] + (x - left) * image[bottom, right]
            result[i, j] = (1 - y + top) * above + (y - top) * below
    return result


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_it_is_the_loop_over_pixels(before, after, align_corners):
    x = np.random.RandomState(0).randn(2, *before, 3).astype(np.float32)
    actual = resize_bilinear(jnp.asarray(x), after, align_corners=align_corners)
    expected = np.stack([loop_resize(image, after, align_corners) for image in x])
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_half_pixel_form_and_its_gradient_are_those_of_jax(before, after):
    x = jnp.asarray(np.random.RandomState(0).randn(2, *before, 3), jnp.float32)
    weights = jnp.asarray(np.random.RandomState(1).randn(2, *after, 3), jnp.float32)

    def ours(x):
        return jnp.sum(weights * resize_bilinear(x, after, align_corners=False))

    def theirs(x):
        y = jax.image.resize(x, weights.shape, "bilinear", antialias=False)
        return jnp.sum(weights * y)

    actual, expected = (jax.value_and_grad(function)(x) for function in (ours, theirs))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), actual, expected)


def test_aligned_corners_keep_the_corners():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 3, 4, 2), jnp.float32)
    y = resize_bilinear(x, (9, 10), align_corners=True)
    np.testing.assert_allclose(y[:, ::8, ::9], x[:, ::2, ::3], atol=1e-6)


def test_same_size_changes_nothing_and_dtype_is_kept():
    x = jnp.asarray(np.random.RandomState(0).randn(1, 3, 4, 2), jnp.bfloat16)
    np.testing.assert_array_equal(resize_bilinear(x, (3, 4), align_corners=True), x)
    assert resize_bilinear(x, (6, 8), align_corners=False).dtype == jnp.bfloat16
