"""Published weights by name: backbones of ImageNet, and whole networks of other libraries.

Adding a backbone is a line in `WEIGHTS` and a `BackboneWeights` in a module; adding a network a
line in `REFERENCES` and a `Reference` in a module of `sources`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seg_jax.registry import resolve

if TYPE_CHECKING:
    from seg_jax.weights.load import LoadedReference

_BACKBONES = "seg_jax.weights.backbones"
WEIGHTS = {
    "mobilenet_v2_imagenet": f"{_BACKBONES}:MOBILENET_V2",
    "mobilenet_v2_timm": f"{_BACKBONES}:MOBILENET_V2_TIMM",
    "mobilenet_v3_large_imagenet": f"{_BACKBONES}:MOBILENET_V3_LARGE",
    "mobilenet_v3_small_imagenet": f"{_BACKBONES}:MOBILENET_V3_SMALL",
    "resnet18_imagenet": f"{_BACKBONES}:RESNET",
    "resnet34_imagenet": f"{_BACKBONES}:RESNET",
    "resnet50_imagenet": f"{_BACKBONES}:RESNET",
    "resnet50_keras": f"{_BACKBONES}:RESNET50_KERAS",
    "resnet101_imagenet": f"{_BACKBONES}:RESNET",
    "vgg16_bn_imagenet": f"{_BACKBONES}:VGG16_BN",
    "vgg16_imagenet": f"{_BACKBONES}:VGG16",
    "xception41_timm": f"{_BACKBONES}:XCEPTION41",
    "xception65_timm": f"{_BACKBONES}:XCEPTION65",
    "xception71_timm": f"{_BACKBONES}:XCEPTION71",
}
"""Config name -> the key names and input statistics of a published backbone.

"_imagenet" are torchvision's files; those of its ResNets have timm's names as well. The
MobileNetV3 and Xception files were trained with `config.model.norm.epsilon=0.001`, Keras' with
`config.model.backbone.stride_on="1x1"`.
"""

TRAINED = "trained"
"""Config name of a whole network that has been trained: a trial's folder, or an imported file."""

_SOURCES = "seg_jax.weights.sources"
REFERENCES = {
    "deeplab-pytorch/deeplabv1_resnet101": f"{_SOURCES}.deeplab_pytorch:DEEPLABV1_RESNET101",
    "deeplab-pytorch/deeplabv2_resnet101": f"{_SOURCES}.deeplab_pytorch:DEEPLABV2_RESNET101",
    "deeplab-pytorch/deeplabv2_resnet101_msc": (
        f"{_SOURCES}.deeplab_pytorch:DEEPLABV2_RESNET101_MSC"
    ),
    "deeplab-pytorch/deeplabv3_resnet101": f"{_SOURCES}.deeplab_pytorch:DEEPLABV3_RESNET101",
    "deeplab-pytorch/deeplabv3plus_resnet101": (
        f"{_SOURCES}.deeplab_pytorch:DEEPLABV3PLUS_RESNET101"
    ),
    "fastfcn/deeplab_jpu_resnet50": f"{_SOURCES}.fastfcn:DEEPLAB_JPU_RESNET50",
    "fastfcn/deeplab_resnet50": f"{_SOURCES}.fastfcn:DEEPLAB_RESNET50",
    "fastfcn/encnet_jpu_resnet50": f"{_SOURCES}.fastfcn:ENCNET_JPU_RESNET50",
    "fastfcn/encnet_resnet50": f"{_SOURCES}.fastfcn:ENCNET_RESNET50",
    "fastfcn/fcn_jpu_resnet50": f"{_SOURCES}.fastfcn:FCN_JPU_RESNET50",
    "fastfcn/fcn_resnet50": f"{_SOURCES}.fastfcn:FCN_RESNET50",
    "fastfcn/psp_jpu_resnet50": f"{_SOURCES}.fastfcn:PSP_JPU_RESNET50",
    "fastfcn/psp_resnet50": f"{_SOURCES}.fastfcn:PSP_RESNET50",
    "hf/mobilenetv2_deeplabv3plus": f"{_SOURCES}.mobilenet_v2_deeplab:HUGGING_FACE",
    "milesial/unet": f"{_SOURCES}.milesial:UNET",
    "milesial/unet_bilinear": f"{_SOURCES}.milesial:UNET_BILINEAR",
    "mmseg/deeplabv3_r50-d8": f"{_SOURCES}.mmseg:DEEPLABV3_R50_D8",
    "mmseg/deeplabv3plus_r50-d8": f"{_SOURCES}.mmseg:DEEPLABV3PLUS_R50_D8",
    "mmseg/fastfcn_r50-d32_jpu_aspp": f"{_SOURCES}.mmseg:FASTFCN_R50_D32_JPU_ASPP",
    "mmseg/fastfcn_r50-d32_jpu_enc": f"{_SOURCES}.mmseg:FASTFCN_R50_D32_JPU_ENC",
    "mmseg/fastfcn_r50-d32_jpu_psp": f"{_SOURCES}.mmseg:FASTFCN_R50_D32_JPU_PSP",
    "mmseg/fcn_r50-d8": f"{_SOURCES}.mmseg:FCN_R50_D8",
    "mmseg/pspnet_r50-d8": f"{_SOURCES}.mmseg:PSPNET_R50_D8",
    "mmseg/unet-s5-d16_fcn": f"{_SOURCES}.mmseg:UNET_S5_D16_FCN",
    "pytorch-fcn/fcn16s": f"{_SOURCES}.pytorch_fcn:FCN16S",
    "pytorch-fcn/fcn32s": f"{_SOURCES}.pytorch_fcn:FCN32S",
    "pytorch-fcn/fcn8s": f"{_SOURCES}.pytorch_fcn:FCN8S",
    "pytorch-fcn/fcn8s_atonce": f"{_SOURCES}.pytorch_fcn:FCN8S_ATONCE",
    "smp/deeplabv3_resnet50": f"{_SOURCES}.smp:DEEPLABV3_RESNET50",
    "smp/deeplabv3plus_mobilenet_v2": f"{_SOURCES}.smp:DEEPLABV3PLUS_MOBILENET_V2",
    "smp/deeplabv3plus_resnet50": f"{_SOURCES}.smp:DEEPLABV3PLUS_RESNET50",
    "smp/deeplabv3plus_tu-xception65": (f"{_SOURCES}.xception:DEEPLABV3PLUS_TU_XCEPTION65"),
    "smp/pspnet_resnet50": f"{_SOURCES}.smp:PSPNET_RESNET50",
    "smp/unet_resnet34": f"{_SOURCES}.smp:UNET_RESNET34",
    "smp/unet_resnet50": f"{_SOURCES}.smp:UNET_RESNET50",
    "tflite/deeplabv3_mnv2": f"{_SOURCES}.mobilenet_v2_deeplab:TFLITE",
    "torchvision/deeplabv3_mobilenet_v3_large": (
        f"{_SOURCES}.mobilenet_v3:DEEPLABV3_MOBILENET_V3_LARGE"
    ),
    "torchvision/deeplabv3_resnet101": f"{_SOURCES}.torchvision:DEEPLABV3_RESNET101",
    "torchvision/deeplabv3_resnet50": f"{_SOURCES}.torchvision:DEEPLABV3_RESNET50",
    "torchvision/fcn_resnet101": f"{_SOURCES}.torchvision:FCN_RESNET101",
    "torchvision/fcn_resnet50": f"{_SOURCES}.torchvision:FCN_RESNET50",
    "torchvision/lraspp_mobilenet_v3_large": (f"{_SOURCES}.mobilenet_v3:LRASPP_MOBILENET_V3_LARGE"),
}
"""Name of a published network -> its `Reference`."""


def load_weights(name: str, path: str | Path, variables: Any) -> tuple[Any, Any]:
    """Replaces the backbone in a model's variables by published weights.

    Args:
        name: key of `WEIGHTS`.
        path: file that holds the published state dict under its own key names.
        variables: {"params": ..., "batch_stats": ...} of a model with the same backbone; the
            values of the backbone are not read, only their names and shapes.

    Returns:
        The variables with the subtree "backbone" replaced, and the `Preprocessing` the
        weights were trained with.

    Raises:
        UnknownNameError: `name` is not in `WEIGHTS`.
        FileNotFoundError: there is no file at `path`.
        WeightsError: the file is damaged or does not fit the backbone key by key.
    """
    weights = resolve(name, WEIGHTS, kind="weights", field="config.weights.name")
    return weights.load(path, variables), weights.preprocessing


def load_reference(
    source: str,
    tensors: Mapping[str, np.ndarray],
    num_classes: int = 21,
    upsample: bool = True,
) -> "LoadedReference":
    """Builds a published network with its published weights.

    Args:
        source: key of `REFERENCES`, such as "torchvision/fcn_resnet50".
        tensors: the reference's own keys -> arrays, as `weights.files.read_tensors` gives them.
            Auxiliary heads are built where their tensors are among them.
        num_classes: channels of its logits; a state dict of another number is refused.
        upsample: resizes logits to the image; `False` returns them at the resolution of the
            head, as some references do. U-Nets have no other resolution.

    Returns:
        `.model` and `.variables`, such that `model.apply(variables, image, train=False)` gives
        the reference's logits as `Outputs`, and what else belongs to the weights.

    Raises:
        UnknownNameError: `source` is not in `REFERENCES`.
        WeightsError: a tensor is unused, missing or of another shape; the message names it.
    """
    reference = resolve(source, REFERENCES, kind="published network", field="the source")
    from seg_jax.weights.load import load

    return load(source, reference, tensors, num_classes=num_classes, upsample=upsample)
