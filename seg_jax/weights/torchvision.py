"""ImageNet weights under torchvision's key names, for the backbones of the same layout."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.preprocess import IMAGENET, Preprocessing
from seg_jax.weights.state_dict import convert, read_state_dict


@dataclasses.dataclass(frozen=True)
class BackboneWeights:
    """What must be known of a published state dict to use it as a backbone.

    Attributes:
        modules: PyTorch module -> module inside the backbone.
        dropped: key prefixes of the image classifier, which segmentation has no use for.
        preprocessing: input statistics of the training.
    """

    modules: Mapping[str, str]
    dropped: tuple[str, ...]
    preprocessing: Preprocessing = IMAGENET

    def load(self, path: str | Path, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Returns `variables` with the subtree "backbone" replaced by the file at `path`.

        Raises:
            FileNotFoundError: there is no file at `path`.
            WeightsError: the file is damaged or does not fit the backbone key by key.
        """
        state = {
            key: value
            for key, value in read_state_dict(path).items()
            if not key.startswith(self.dropped)
        }
        target = {
            collection: tree["backbone"]
            for collection, tree in variables.items()
            if "backbone" in tree
        }
        loaded = convert(state, self.modules, target)
        return {
            collection: {**tree, "backbone": loaded[collection]} if collection in loaded else tree
            for collection, tree in variables.items()
        }


def _conv_norm(conv: str, norm: str, here: str) -> Iterator[tuple[str, str]]:
    yield conv, f"{here}/conv"
    yield norm, f"{here}/norm"


def _mobilenet_v2(blocks_per_stage: Sequence[int]) -> Iterator[tuple[str, str]]:
    yield from _conv_norm("features.0.0", "features.0.1", "stem")
    index = 1
    for i, blocks in enumerate(blocks_per_stage, start=1):
        for j in range(1, blocks + 1):
            there, here = f"features.{index}.conv", f"stage{i}_block{j}"
            layers = ["depthwise"] if i == 1 else ["expand", "depthwise"]
            for k, layer in enumerate(layers):
                yield from _conv_norm(f"{there}.{k}.0", f"{there}.{k}.1", f"{here}/{layer}")
            k = len(layers)
            yield from _conv_norm(f"{there}.{k}", f"{there}.{k + 1}", f"{here}/project")
            index += 1
    yield from _conv_norm(f"features.{index}.0", f"features.{index}.1", "last")


def resnet_modules(stage_sizes: Sequence[int], *, convs: int) -> Iterator[tuple[str, str]]:
    """Yields (module of torchvision's ResNet, module of ours) for every conv and norm.

    Args:
        stage_sizes: blocks per stage.
        convs: convolutions per block, 3 with a bottleneck and 2 without.
    """
    yield from _conv_norm("conv1", "bn1", "stem1")
    for i, blocks in enumerate(stage_sizes, start=1):
        for j in range(blocks):
            there, here = f"layer{i}.{j}", f"stage{i}_block{j + 1}"
            for k in range(1, convs + 1):
                yield from _conv_norm(f"{there}.conv{k}", f"{there}.bn{k}", f"{here}/conv{k}")
            shortcut = f"{there}.downsample"
            yield from _conv_norm(f"{shortcut}.0", f"{shortcut}.1", f"{here}/shortcut")


def _resnet(*stage_sizes: int, convs: int) -> BackboneWeights:
    return BackboneWeights(dict(resnet_modules(stage_sizes, convs=convs)), dropped=("fc.",))


MOBILENET_V2 = BackboneWeights(dict(_mobilenet_v2((1, 2, 3, 4, 3, 3, 1))), dropped=("classifier.",))
RESNET18 = _resnet(2, 2, 2, 2, convs=2)
RESNET34 = _resnet(3, 4, 6, 3, convs=2)
RESNET50 = _resnet(3, 4, 6, 3, convs=3)
RESNET101 = _resnet(3, 4, 23, 3, convs=3)
