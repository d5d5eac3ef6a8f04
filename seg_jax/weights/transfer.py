"""Starts a network from another that has been trained: FCN-16s from FCN-32s, and the like."""

from collections.abc import Mapping
from typing import Any

from flax.traverse_util import flatten_dict, unflatten_dict

from seg_jax.weights.state_dict import WeightsError


def transfer(variables: Mapping[str, Any], trained: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Copies what two networks share, by name and shape.

    FCN-16s takes everything of FCN-32s but its last upsampling and keeps its own layers, the
    score of pool4 among them, as they start (arXiv:1411.4038, section 4.2). A network for another
    number of classes keeps its own classifier.

    Args:
        variables: {"params": ..., "batch_stats": ...} of the network that starts.
        trained: the same of the trained one.

    Returns:
        The variables with the shared leaves replaced, and the names of the leaves that were not.

    Raises:
        WeightsError: a leaf of the backbone of either is not in the other with the same shape.
    """
    own: dict[str, Any] = flatten_dict(dict(variables), sep="/")
    given: dict[str, Any] = flatten_dict(dict(trained), sep="/")
    shared = {leaf for leaf in own.keys() & given.keys() if own[leaf].shape == given[leaf].shape}
    backbones = {leaf for leaf in own.keys() | given.keys() if leaf.split("/")[1] == "backbone"}
    if not shared or backbones - shared:
        leaf = sorted(backbones - shared or own)[0]
        raise WeightsError(
            f"The trained network is no start for this one: {leaf!r} "
            f"{_difference(leaf, own, given)}. Set config.weights.path to a network with the "
            f"same config.model.backbone."
        )
    copied = {leaf: given[leaf] if leaf in shared else value for leaf, value in own.items()}
    return unflatten_dict(copied, sep="/"), sorted(own.keys() - shared)


def _difference(leaf: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    if leaf not in given:
        return "is not in it"
    if leaf not in own:
        return "has no place"
    return f"has shape {given[leaf].shape} there and {own[leaf].shape} here"
