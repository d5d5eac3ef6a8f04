"""ImageNet weights under torchvision's key names, for the backbones of the same layout."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.weights.files import read_tensors
from seg_jax.weights.names import Names
from seg_jax.weights.sources import backbones
from seg_jax.weights.state_dict import convert


@dataclasses.dataclass(frozen=True)
class BackboneWeights:
    """What must be known of a published state dict to use it as a backbone.

    Attributes:
        names: module inside the backbone -> module of the reference.
        dropped: key prefixes of the image classifier, which segmentation has no use for.
        preprocessing: input statistics of the training.
    """

    names: Names
    dropped: tuple[str, ...]
    preprocessing: Preprocessing = IMAGENET

    def load(self, path: str | Path, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Returns `variables` with the subtree "backbone" replaced by the file at `path`.

        Raises:
            FileNotFoundError: there is no file at `path`.
            WeightsError: the file is damaged or does not fit the backbone key by key.
        """
        target = {
            collection: tree["backbone"]
            for collection, tree in variables.items()
            if "backbone" in tree
        }
        loaded = convert(read_tensors(path), self.names, target, dropped=self.dropped)
        return {
            collection: {**tree, "backbone": loaded[collection]} if collection in loaded else tree
            for collection, tree in variables.items()
        }


MOBILENET_V2 = BackboneWeights(backbones.MOBILENET_V2, dropped=("classifier.",))
RESNET18 = BackboneWeights(backbones.RESNET, dropped=("fc.",))
RESNET34 = RESNET50 = RESNET101 = RESNET18
