"""Pictures of any size through a network whose scores are the colours of its input."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from seg_jax.predict.predictor import Predictor
from seg_jax.preprocess import Preprocessing
from seg_jax.typing import Outputs

RAW = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0)


class Colours(nn.Module):
    """Scores red, green and blue; notes the shape of every input it is compiled for."""

    seen: list

    def __call__(self, image, *, train):
        self.seen.append(image.shape)
        return Outputs(image)


@pytest.fixture
def make():
    def make(**options):
        seen = []
        # A list, which Flax would freeze as a field.
        model = Colours(seen=Log(seen))
        arguments = {"input_size": None, "max_side": 1024, **options}
        return Predictor(model, {}, RAW, **arguments), seen

    return make


class Log:
    def __init__(self, entries):
        self.append = entries.append


def noise(height, width):
    return np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (65, 131), (200, 70)])
def test_a_picture_is_seen_as_it_is(make, size):
    predict, seen = make()
    picture = noise(*size)
    np.testing.assert_array_equal(predict(picture), picture.argmax(-1))
    assert seen == [(1, *size, 3)]


def test_one_size_is_compiled_once(make):
    predict, seen = make()
    for size in [(64, 80), (80, 64), (64, 80), (80, 64)]:
        predict(noise(*size))
    assert seen == [(1, 64, 80, 3), (1, 80, 64, 3)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 200), (128, 64)), ((128, 90), (128, 90)), ((1000, 10), (128, 64)), ((3, 5), (64, 64))],
)
def test_large_pictures_are_reduced_and_tiny_ones_enlarged(make, size, expected):
    predict, seen = make(max_side=128)
    assert predict(noise(*size)).shape == size
    assert seen == [(1, *expected, 3)]


def test_a_network_of_one_input_size_always_gets_it(make):
    predict, seen = make(input_size=(33, 97))
    for size in [(64, 64), (300, 20)]:
        assert predict(noise(*size)).shape == size
    assert seen == [(1, 33, 97, 3)]


def halves(height, width, edge):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :edge, 0] = 255
    picture[:, edge:, 2] = 255
    return picture


def test_scores_are_resized_not_classes(make):
    """One cell of the input is ten pixels; the edge inside of it is still found."""
    predict, _ = make(input_size=(64, 64))
    for edge in (320, 323, 325, 328):
        classes = predict(halves(640, 640, edge))
        assert set(np.unique(classes)) == {0, 2}
        assert abs((classes[100] == 0).sum() - edge) <= 2


def test_reduced_pictures_are_averaged_not_sampled(make):
    """Bright lines between the samples still count."""
    picture = np.full((640, 640, 3), (100, 0, 0), np.uint8)
    picture[:, np.arange(640) % 10 < 4] = (0, 0, 255)
    assert (make(max_side=64)[0](picture) == 2).all()
    assert not (make(max_side=64, averaged=False)[0](picture) == 2).any()


def test_the_preprocessing_is_applied(make):
    swapped = Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0, "bgr")
    predict = Predictor(Colours(seen=Log([])), {}, swapped, input_size=None, max_side=64)
    picture = noise(64, 64)
    np.testing.assert_array_equal(predict(picture), picture[..., ::-1].argmax(-1))


def test_ties_go_to_the_lower_class(make):
    predict, _ = make(input_size=(64, 64))
    assert not predict(np.full((90, 70, 3), 7, np.uint8)).any()


def test_a_bound_below_any_network_is_refused(make):
    with pytest.raises(ValueError, match="Set it to 64 or more"):
        make(max_side=63)


def test_nothing_is_promoted(make):
    predict, _ = make()
    with jax.numpy_dtype_promotion("strict"):
        assert predict(noise(64, 64)).dtype == np.uint8
