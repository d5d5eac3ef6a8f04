"""Every protocol equals a plain loop over single images, in batches of any shape."""

import jax
import numpy as np
import pytest

from seg_jax.evaluate.protocol import Protocol

PROTOCOLS = {
    "whole": Protocol(),
    "whole, labels native": Protocol(resize="short", base_size=(23,)),
    "whole, labels resized": Protocol(resize="short", base_size=(23,), labels="resized"),
    "whole, scales": Protocol(scales=(0.75, 1.0)),
    "whole, rotations": Protocol(rotations=True),
    "fixed": Protocol(resize="fixed", base_size=(16, 40)),
    "pad": Protocol(window="pad", window_size=(33, 33)),
    "pad, scales and flips": Protocol(
        window="pad", window_size=(33, 33), scales=(0.5, 1.0), flip=True
    ),
    "pad, fit": Protocol(window="pad", window_size=(41, 41), resize="fit", base_size=(36, 40)),
    "crop": Protocol(window="center_crop", window_size=(19, 23)),
    "crop, resized, scales": Protocol(
        window="center_crop",
        window_size=(25, 25),
        resize="short",
        base_size=(25,),
        labels="resized",
        scales=(1.25,),
    ),
    "sliding": Protocol(window="sliding", window_size=(18, 21), window_stride=(7, 9)),
    "sliding, scales and flips": Protocol(
        window="sliding",
        window_size=(17, 17),
        window_stride=(11, 11),
        resize="long",
        base_size=(30,),
        scales=(0.5, 1.5),
        flip=True,
    ),
    "tiles": Protocol(window="overlap_tile", window_size=(17, 14), window_stride=(8, 8)),
    "tiles, rotations": Protocol(
        window="overlap_tile", window_size=(20, 16), window_stride=(12, 8), rotations=True
    ),
}


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
    """Puts the pictures into several buckets."""
    monkeypatch.setattr("seg_jax.data.pipeline.frames.BUCKET", 16)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_equal_a_loop_over_single_images(
    name, pictures, plain_scores, make_step, batches_of, variables
):
    protocol, source = PROTOCOLS[name], pictures()
    step = make_step(protocol, probabilities=protocol.num_views > 1)
    seen = []
    for batch in batches_of(source, protocol):
        result = jax.device_get(step(variables, batch))
        for row, position, size in zip(
            batch["rows"], batch["positions"], batch["sizes"], strict=True
        ):
            example = source[position]
            label, expected = plain_scores(protocol, example["image"], example["label"])
            assert label.shape == size
            height, width = size
            np.testing.assert_array_equal(batch["label"][row, :height, :width], label)
            assert (batch["label"][row, height:] == 255).all()
            assert (batch["label"][row, :, width:] == 255).all()
            prediction = result["predictions"][row, :height, :width]
            best, second = np.sort(expected, axis=-1)[..., :-3:-1].transpose(2, 0, 1)
            clear = best - second > 1e-3
            assert clear.mean() > 0.95
            np.testing.assert_array_equal(prediction[clear], expected.argmax(axis=-1)[clear])
            if "probabilities" in result:
                actual = result["probabilities"][row, :height, :width]
                np.testing.assert_allclose(actual, expected, atol=2e-4)
            confusion = np.zeros((4, 4), int)
            counted = label != 255
            np.add.at(confusion, (label[counted], prediction[counted]), 1)
            np.testing.assert_array_equal(result["confusion"][row], confusion)
            seen.append(position)
    assert sorted(seen) == list(range(len(source)))
