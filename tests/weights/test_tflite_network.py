"""A network trained on VOC, imported from its TFLite file, gives its publisher's own mask."""

import functools

import cv2
import jax.numpy as jnp
import numpy as np

from seg_jax.preprocess import normalise
from seg_jax.weights import load_reference
from seg_jax.weights.files import read_tensors

FOLDER = "weights/deeplabv3_mnv2_dm05_voc"


def test_every_pixel_is_that_of_the_published_mask(asset, run_once):
    tensors = read_tensors(asset(f"{FOLDER}/deeplabv3.tflite"))
    loaded = load_reference("tflite/deeplabv3_mnv2", tensors)
    picture = cv2.imread(str(asset(f"{FOLDER}/segmentation_input_rotation0.jpg")))
    assert picture.shape[:2] == loaded.input_size
    image = normalise(jnp.asarray(picture[None, :, :, ::-1]), loaded.preprocessing)
    apply = functools.partial(loaded.model.apply, train=False)
    logits = run_once(apply, loaded.variables, image).logits
    mask = cv2.imread(
        str(asset(f"{FOLDER}/segmentation_golden_rotation0.png")), cv2.IMREAD_UNCHANGED
    )
    assert set(np.unique(mask)) == {0, 130, 150}
    np.testing.assert_array_equal(np.asarray(logits[0]).argmax(-1) * 10, mask)
