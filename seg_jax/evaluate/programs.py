"""The programs that evaluation is made of, each written for the rows of one device.

Only `network` holds the network; it is compiled once for every size of its input. The others
are small, and compiled once for every size of the arrays that hold images of similar sizes.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array

from seg_jax.evaluate.resample import resample
from seg_jax.evaluate.symmetry import turn, undo
from seg_jax.evaluate.tiling import cut, paste
from seg_jax.metrics.boundary import restrict_to_band
from seg_jax.metrics.confusion import confusion_matrix
from seg_jax.preprocess import Preprocessing, normalise
from seg_jax.typing import Outputs

Program = Callable[[Any, dict[str, Array]], Any]
"""(variables, arrays with a row an image) -> arrays with a row an image."""


def make_network(model: nn.Module, preprocessing: Preprocessing, *, transposed: bool) -> Program:
    """Returns (variables, {"image", "code", ...}) -> logits of the image as it lay.

    With "rows_shared" and "columns_shared" they are laid at the top left of a canvas of those
    lengths.

    Args:
        model: maps a normalised image to Outputs.
        preprocessing: input statistics the network was trained with.
        transposed: whether the symmetries of the codes exchange height and width.
    """

    def network(variables, batch):
        x = normalise(turn(batch["image"], batch["code"], transposed=transposed), preprocessing)
        outputs = cast(Outputs, model.apply(variables, x, train=False))
        logits = undo(outputs.logits, batch["code"], transposed=transposed)
        if "rows_shared" in batch:
            below = batch["rows_shared"].shape[1] - logits.shape[1]
            right = batch["columns_shared"].shape[1] - logits.shape[2]
            logits = jnp.pad(logits, ((0, 0), (0, below), (0, right), (0, 0)))
        return logits

    return network


def make_cut(size: tuple[int, int]) -> Program:
    """Returns (none, {"image", and what `Tiles` holds}) -> tiles of (height, width) `size`."""
    return lambda _, batch: cut(batch["image"], batch, size)


def make_paste(*, margin: tuple[int, int], kept: tuple[int, int]) -> Program:
    """Returns (none, {"logits", perhaps "canvas", ...}) -> the canvas with these tiles added."""

    def paste_(_, batch):
        logits = batch["logits"]
        shape = batch["rows_shared"].shape[1], batch["columns_shared"].shape[1]
        empty = jnp.zeros((logits.shape[0], *shape, logits.shape[3]), logits.dtype)
        return paste(batch.get("canvas", empty), logits, batch, margin=margin, kept=kept)

    return paste_


def make_merge(*, softmax: bool) -> Program:
    """Returns (none, {"canvas", perhaps "total", ...}) -> the total with this view added.

    Args:
        softmax: adds probabilities, not logits.
    """

    def merge(_, batch):
        scores = batch["canvas"]
        if "rows_shared" in batch:
            scores = scores * batch["rows_shared"][:, :, None, None]
            scores = scores * batch["columns_shared"][:, None, :, None]
        if "row_pair" in batch:
            names = ("row_pair", "row_part", "column_pair", "column_part")
            scores = resample(scores, *(batch[name] for name in names))
        if softmax:
            scores = jax.nn.softmax(scores, axis=-1)
        return batch["total"] + scores if "total" in batch else scores

    return merge


def make_count(*, num_classes: int, band_widths: Sequence[int], mean_of: int = 0) -> Program:
    """Returns (none, {"scores", "label"}) -> predictions and counts.

    They are "predictions" uint8 [b, h, w], "confusion" int32 [b, k, k], "bands" int32
    [b, len(band_widths), k, k], and with `mean_of` "probabilities" float32 [b, h, w, k].

    Args:
        num_classes: k, the ignore label not counted.
        band_widths: half-widths in pixels of the boundary bands to count, too.
        mean_of: how many probabilities the scores are sums of; 0 returns none.
    """

    def count(_, batch):
        label = batch["label"]
        predictions = jnp.argmax(batch["scores"], axis=-1).astype(jnp.uint8)
        bands = [
            confusion_matrix(predictions, restrict_to_band(label, width), num_classes)
            for width in band_widths
        ]
        nothing = jnp.zeros((label.shape[0], 0, num_classes, num_classes), jnp.int32)
        result = {
            "predictions": predictions,
            "confusion": confusion_matrix(predictions, label, num_classes),
            "bands": jnp.stack(bands, axis=1) if bands else nothing,
        }
        if mean_of:
            result["probabilities"] = batch["scores"] / mean_of
        return result

    return count
