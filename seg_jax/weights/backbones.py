"""Published ImageNet weights for backbones, in the files of torchvision, timm and Keras."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.weights.files import read_tensors
from seg_jax.weights.names import Names, under
from seg_jax.weights.sources import backbones, mobilenet_v3, xception
from seg_jax.weights.sources.keras import KERAS_CAFFE, RESNET50_NAMES, in_pytorch_form
from seg_jax.weights.state_dict import convert

Tensors = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class BackboneWeights:
    """What must be known of a published state dict to use it as a backbone.

    Attributes:
        names: module inside the backbone -> module of the reference.
        dropped: key prefixes of the image classifier, which segmentation has no use for.
        preprocessing: input statistics of the training.
        prepare: turns tensors of another form into a state dict of PyTorch's form.
    """

    names: Names
    dropped: tuple[str, ...]
    preprocessing: Preprocessing = IMAGENET
    prepare: Callable[[Tensors], Tensors] | None = None

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
        loaded = self.convert(read_tensors(path), target)
        return {
            collection: {**tree, "backbone": loaded[collection]} if collection in loaded else tree
            for collection, tree in variables.items()
        }

    def convert(self, tensors: Tensors, target: Mapping[str, Any]) -> dict[str, Any]:
        """Returns variables of a backbone alone, shaped like `target`, filled with `tensors`.

        Raises:
            WeightsError: the tensors do not fit the backbone key by key.
        """
        if self.prepare is not None:
            tensors = self.prepare(tensors)
        return convert(tensors, self.names, target, dropped=self.dropped)


def _features(names: Names) -> BackboneWeights:
    return BackboneWeights(under(names, there="features."), dropped=("classifier.",))


def _xception(blocks: int) -> BackboneWeights:
    names = xception.xception(blocks, stem="stem.", block="blocks.")
    return BackboneWeights(names, dropped=("head.",), preprocessing=xception.TIMM)


MOBILENET_V2 = BackboneWeights(backbones.MOBILENET_V2, dropped=("classifier.",))
MOBILENET_V2_TIMM = BackboneWeights(backbones.MOBILENET_V2_TIMM, dropped=("classifier.",))
MOBILENET_V3_LARGE = _features(mobilenet_v3.LARGE)
MOBILENET_V3_SMALL = _features(mobilenet_v3.SMALL)
RESNET = BackboneWeights(backbones.RESNET, dropped=("fc.",))
RESNET50_KERAS = BackboneWeights(RESNET50_NAMES, ("predictions.",), KERAS_CAFFE, in_pytorch_form)
VGG16 = _features(backbones.VGG16)
VGG16_BN = _features(backbones.VGG16_BN)
XCEPTION41 = _xception(3 + 8 + 1)
XCEPTION65 = _xception(3 + 16 + 1)
XCEPTION71 = _xception(5 + 16 + 1)
