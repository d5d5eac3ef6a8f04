"""Where PyTorch libraries keep the parameters of the backbones."""

from collections.abc import Mapping

from seg_jax.weights.names import Names, conv_norm

RESNET_STAGES = conv_norm(
    {
        "stage{i}_block{j}/conv{k}": ("layer{i}.{j-1}.conv{k}", "layer{i}.{j-1}.bn{k}"),
        "stage{i}_block{j}/shortcut": (
            "layer{i}.{j-1}.downsample.0",
            "layer{i}.{j-1}.downsample.1",
        ),
    }
)

RESNET = {**RESNET_STAGES, **conv_norm({"stem1": ("conv1", "bn1")})}
"""torchvision, timm and segmentation-models-pytorch."""

RESNET_DEEP_STEM = {
    **RESNET_STAGES,
    **conv_norm(
        {
            "stem1": ("conv1.0", "conv1.1"),
            "stem2": ("conv1.3", "conv1.4"),
            "stem3": ("conv1.6", "bn1"),
        }
    ),
}
"""PyTorch-Encoding and FastFCN, and timm's ResNet-D without its pooled shortcuts."""

RESNET_V1C = {
    **RESNET_STAGES,
    **conv_norm(
        {
            "stem1": ("stem.0", "stem.1"),
            "stem2": ("stem.3", "stem.4"),
            "stem3": ("stem.6", "stem.7"),
        }
    ),
}
"""mmsegmentation."""

RESNET_CAFFE = conv_norm(
    {
        "stem1": ("layer1.conv1.conv", "layer1.conv1.bn"),
        "stage{i}_block{j}/conv1": (
            "layer{i+1}.block{j}.reduce.conv",
            "layer{i+1}.block{j}.reduce.bn",
        ),
        "stage{i}_block{j}/conv2": (
            "layer{i+1}.block{j}.conv3x3.conv",
            "layer{i+1}.block{j}.conv3x3.bn",
        ),
        "stage{i}_block{j}/conv3": (
            "layer{i+1}.block{j}.increase.conv",
            "layer{i+1}.block{j}.increase.bn",
        ),
        "stage{i}_block{j}/shortcut": (
            "layer{i+1}.block{j}.shortcut.conv",
            "layer{i+1}.block{j}.shortcut.bn",
        ),
    }
)
"""deeplab-pytorch, after the names in the Caffe releases."""

VGG16_CAFFE = {"conv{i}_{j}/conv": "conv{i}_{j}"}
"""pytorch-fcn, after the names in the Caffe releases."""


def _vgg16(layers_per_conv: int) -> Names:
    names, index = {}, 0
    for i, count in enumerate((2, 2, 3, 3, 3), start=1):
        for j in range(1, count + 1):
            names[f"conv{i}_{j}/conv"] = str(index)
            names[f"conv{i}_{j}/norm"] = str(index + 1)
            index += layers_per_conv
        index += 1  # the pooling
    return names


VGG16 = _vgg16(layers_per_conv=2)
"""torchvision, without "features."; a ReLU follows each convolution."""
VGG16_BN = _vgg16(layers_per_conv=3)
"""The same with a norm between the two."""


def mobilenet_v2_blocks() -> Mapping[str, int]:
    """Returns our name of every block of MobileNetV2 and its index in the network, from 1."""
    blocks = [
        f"stage{i}_block{j}"
        for i, count in enumerate((1, 2, 3, 4, 3, 3, 1), start=1)
        for j in range(1, count + 1)
    ]
    return {block: index for index, block in enumerate(blocks, start=1)}


def _mobilenet_v2_torchvision() -> Names:
    pairs = {"stem": ("features.0.0", "features.0.1"), "last": ("features.18.0", "features.18.1")}
    for block, index in mobilenet_v2_blocks().items():
        # The first block has no expansion, so its layers stand one place earlier.
        layers = ["depthwise"] if index == 1 else ["expand", "depthwise"]
        there = f"features.{index}.conv"
        for k, layer in enumerate(layers):
            pairs[f"{block}/{layer}"] = (f"{there}.{k}.0", f"{there}.{k}.1")
        k = len(layers)
        pairs[f"{block}/project"] = (f"{there}.{k}", f"{there}.{k + 1}")
    return conv_norm(pairs)


MOBILENET_V2 = _mobilenet_v2_torchvision()
"""torchvision and segmentation-models-pytorch."""


def _mobilenet_v2_timm() -> Names:
    pairs = {"stem": ("conv_stem", "bn1"), "last": ("conv_head", "bn2")}
    for i, count in enumerate((1, 2, 3, 4, 3, 3, 1), start=1):
        for j in range(1, count + 1):
            here, there = f"stage{i}_block{j}", f"blocks.{i - 1}.{j - 1}"
            if i == 1:
                pairs[f"{here}/depthwise"] = (f"{there}.conv_dw", f"{there}.bn1")
                pairs[f"{here}/project"] = (f"{there}.conv_pw", f"{there}.bn2")
                continue
            pairs[f"{here}/expand"] = (f"{there}.conv_pw", f"{there}.bn1")
            pairs[f"{here}/depthwise"] = (f"{there}.conv_dw", f"{there}.bn2")
            pairs[f"{here}/project"] = (f"{there}.conv_pwl", f"{there}.bn3")
    return conv_norm(pairs)


MOBILENET_V2_TIMM = _mobilenet_v2_timm()
