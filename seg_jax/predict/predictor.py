"""From a picture of any size to the class of each of its pixels."""

from collections.abc import Mapping
from typing import Any

import cv2
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from seg_jax.preprocess import Preprocessing, normalise

MIN_SIDE = 64
"""Pixels; smaller pictures are enlarged, since a network of stride 32 would see two cells."""


class Predictor:
    """A network with its weights; compiled once for each size of input it meets.

    A network that was made for one input size gets every picture resized to it. Any other gets
    the picture as it is, or reduced to `max_side`. Scores, not classes, are resized back.
    """

    def __init__(
        self,
        model: nn.Module,
        variables: Mapping[str, Any],
        preprocessing: Preprocessing,
        *,
        input_size: tuple[int, int] | None,
        max_side: int,
        averaged: bool = True,
    ):
        """Makes a predictor.

        Args:
            model: maps (variables, image, train=) to `Outputs`.
            variables: its parameters and batch statistics.
            preprocessing: input statistics that the weights were trained with.
            input_size: (height, width) of the only input it was made for, if there is one.
            max_side: pixels of the longer side from which pictures are reduced: memory grows
                with its square.
            averaged: reduces pictures by averaging, so that thin lines leave a trace; `False`
                samples them bilinearly, for networks that were trained on such images.

        Raises:
            ValueError: `max_side` is too small for any network.
        """
        if max_side < MIN_SIDE:
            raise ValueError(f"max_side={max_side} is too small. Set it to {MIN_SIDE} or more.")
        self._input_size = input_size
        self._max_side = max_side
        self._reduction = cv2.INTER_AREA if averaged else cv2.INTER_LINEAR
        self._variables = jax.device_put(variables)

        @jax.jit
        def scores(
            variables: Mapping[str, Any], image: UInt8[Array, "1 h w 3"]
        ) -> Float[Array, "1 h w k"]:
            outputs: Any = model.apply(variables, normalise(image, preprocessing), train=False)
            return outputs.logits

        self._scores = scores

    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Returns the (height, width) at which the network sees a picture of `size`."""
        if self._input_size is not None:
            return self._input_size
        scale = min(1.0, self._max_side / max(size))
        height, width = (max(MIN_SIDE, round(scale * side)) for side in size)
        return height, width

    def __call__(self, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
        """Returns the class id of every pixel of an RGB picture."""
        size = (picture.shape[0], picture.shape[1])
        image = self._resized(picture, self.input_size(size))
        scores = np.asarray(self._scores(self._variables, jnp.asarray(image[None])))[0]
        return _highest(scores, size)

    def _resized(self, picture: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]) -> np.ndarray:
        height, width = size
        if picture.shape[:2] == size:
            return picture
        smaller = height * width < picture.shape[0] * picture.shape[1]
        how = self._reduction if smaller else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, (width, height), interpolation=how))


def _highest(scores: Float[np.ndarray, "h w k"], size: tuple[int, int]) -> np.ndarray:
    """Returns the class of the highest score after bilinear resizing to `size`.

    Class by class: all scores of a large photograph at once would take gigabytes.
    """
    height, width = size
    best = np.full(size, -np.inf, np.float32)
    classes = np.zeros(size, np.uint8)
    for index in range(scores.shape[-1]):
        score = np.ascontiguousarray(scores[..., index])
        score = cv2.resize(score, (width, height), interpolation=cv2.INTER_LINEAR)
        classes[score > best] = index
        np.maximum(best, score, out=best)
    return classes
