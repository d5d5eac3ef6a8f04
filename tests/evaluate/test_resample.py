"""Rows of a batch are resampled to sizes of their own, as OpenCV resamples each."""

import cv2
import jax.numpy as jnp
import numpy as np

from seg_jax.data.pipeline.eval_batch import between
from seg_jax.evaluate.resample import resample


def test_each_row_of_a_batch_is_resampled_to_its_own_size():
    sizes = [((9, 12), (16, 7)), ((5, 10), (5, 13))]
    logits = np.random.RandomState(0).randn(2, 9, 12, 3).astype(np.float32)
    taps = {
        "row_pair": np.zeros((2, 16, 2), np.int32),
        "row_part": np.zeros((2, 16), np.float32),
        "column_pair": np.zeros((2, 13, 2), np.int32),
        "column_part": np.zeros((2, 13), np.float32),
    }
    for row, (before, after) in enumerate(sizes):
        for side, name in ((0, "row"), (1, "column")):
            pair, part = between(before[side], after[side])
            taps[f"{name}_pair"][row, : after[side]] = pair
            taps[f"{name}_part"][row, : after[side]] = part
    actual = resample(jnp.asarray(logits), **{k: jnp.asarray(v) for k, v in taps.items()})
    assert actual.shape == (2, 16, 13, 3)
    for row, (before, after) in enumerate(sizes):
        expected = cv2.resize(logits[row, : before[0], : before[1]], after[::-1])
        np.testing.assert_allclose(actual[row, : after[0], : after[1]], expected, atol=1e-5)
