"""The evaluation step: predictions and integer counts of one device's images."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array

from seg_jax.metrics.boundary import restrict_to_band
from seg_jax.metrics.confusion import confusion_matrix
from seg_jax.preprocess import Preprocessing, normalise
from seg_jax.typing import Batch, Outputs

EvalStep = Callable[[Any, Batch], dict[str, Array]]


def make_eval_step(
    model: nn.Module,
    preprocessing: Preprocessing,
    *,
    num_classes: int,
    band_widths: Sequence[int],
) -> EvalStep:
    """Builds the per-device step; `parallel.map_eval_step` maps it over the devices.

    Args:
        model: maps a normalised image to Outputs.
        preprocessing: input statistics the network was trained with.
        num_classes: k, the ignore label not counted.
        band_widths: half-widths in pixels of the boundary bands to count, too.

    Returns:
        (variables, batch) -> "predictions" uint8 [b, h, w], "confusion" int32 [b, k, k] and
        "bands" int32 [b, len(band_widths), k, k].
    """

    def eval_step(variables, batch):
        image, label = batch["image"], batch["label"]
        x = normalise(image, preprocessing)
        outputs = cast(Outputs, model.apply(variables, x, train=False))
        predictions = jnp.argmax(outputs.logits, axis=-1).astype(jnp.uint8)
        bands = [
            confusion_matrix(predictions, restrict_to_band(label, width), num_classes)
            for width in band_widths
        ]
        return {
            "predictions": predictions,
            "confusion": confusion_matrix(predictions, label, num_classes),
            "bands": jnp.stack(bands, axis=1)
            if bands
            else jnp.zeros((label.shape[0], 0, num_classes, num_classes), jnp.int32),
        }

    return eval_step
