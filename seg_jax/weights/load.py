"""Builds a published network and fills it with its weights."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from seg_jax.models.build import build_model
from seg_jax.preprocess import Preprocessing
from seg_jax.weights.sources.reference import Reference
from seg_jax.weights.state_dict import WeightsError, convert

_EPSILON = 1e-5
"""Of `layers.norm.batch_norm` where a section says nothing."""


@dataclasses.dataclass(frozen=True)
class LoadedReference:
    """A published network, ready to run.

    `model.apply(variables, image, train=False)` returns `Outputs` for an image [b, h, w, 3] that
    `seg_jax.preprocess.normalise` has prepared with `preprocessing`.

    Attributes:
        source: its name.
        model: the network.
        variables: {"params": ..., "batch_stats": ...}, NumPy arrays in float32.
        preprocessing: input statistics it was trained with.
        section: the section `model` of a config that builds it.
        num_classes: channels of its logits.
        input_size: (height, width) of the only input it was made for, if there is one.
    """

    source: str
    model: nn.Module
    variables: Mapping[str, Any]
    preprocessing: Preprocessing
    section: Mapping[str, Any]
    num_classes: int
    input_size: tuple[int, int] | None


def load(
    source: str,
    reference: Reference,
    tensors: Mapping[str, np.ndarray],
    *,
    num_classes: int,
    upsample: bool,
) -> LoadedReference:
    """Builds the network of `reference` and converts `tensors`; see `weights.load_reference`."""
    if reference.prepare is not None:
        tensors = reference.prepare(tensors)
    section = dict(reference.section)
    for prefix, fields in reference.optional.items():
        if any(key.startswith(prefix) for key in tensors):
            section |= fields
    model: Any = build_model(section, num_classes=num_classes, axis=None)
    if not upsample and hasattr(model, "upsample"):
        model = model.clone(upsample=False)
    # The smallest image that every network takes without a stage of no cells.
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    shapes = jax.eval_shape(functools.partial(model.init, train=False), jax.random.key(0), image)
    try:
        variables = convert(tensors, reference.names, shapes, dropped=reference.dropped)
    except WeightsError as error:
        raise WeightsError(f"Weights of {source!r} with {num_classes} classes: {error}") from error
    variables = _with_epsilons(variables, reference)
    return LoadedReference(
        source,
        model,
        variables,
        reference.preprocessing,
        section,
        num_classes,
        reference.input_size,
    )


def _with_epsilons(variables: Mapping[str, Any], reference: Reference) -> dict[str, Any]:
    """Adds to variances what the reference's epsilon has over the model's: the same function."""
    own = reference.section.get("norm", {}).get("epsilon", _EPSILON)
    flat: dict[str, Any] = flatten_dict(dict(variables), sep="/")
    for part, epsilon in reference.epsilons.items():
        for leaf, value in flat.items():
            if leaf.startswith(f"batch_stats/{part}/") and leaf.endswith("/var"):
                flat[leaf] = value + np.float32(epsilon - own)
    return unflatten_dict(flat, sep="/")
