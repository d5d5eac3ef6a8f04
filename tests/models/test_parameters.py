"""Parameter counts of the full-size networks, against those of published implementations."""

import functools
import math

import jax
import jax.numpy as jnp
import pytest

from seg_jax.models.build import build_model

DEEP_STEM = {"name": "resnet50", "stem": "3x3", "stem_width": 128}

COUNTS = {
    "milesial/Pytorch-UNet": ({"name": "unet"}, 31_038_933),
    "milesial/Pytorch-UNet, bilinear": ({"name": "unet", "upsampling": "bilinear"}, 17_264_277),
    "torchvision deeplabv3_resnet50 with aux": (
        {
            "name": "deeplab_v3",
            "refine": True,
            "aux": True,
            "atrous_rates": [12, 24, 36],
            "backbone": {"name": "resnet50", "output_stride": 8},
        },
        42_004_074,
    ),
    "segmentation-models-pytorch DeepLabV3Plus resnet50": (
        {
            "name": "deeplab_v3plus",
            "refine": True,
            "decoder_convs": 1,
            "depthwise_norm": False,
            "backbone": {"name": "resnet50", "output_stride": 16},
        },
        26_682_725,
    ),
    "segmentation-models-pytorch DeepLabV3Plus mobilenet_v2": (
        {
            "name": "deeplab_v3plus",
            "refine": True,
            "decoder_convs": 1,
            "depthwise_norm": False,
            "backbone": {"name": "mobilenet_v2", "output_stride": 16},
        },
        4_383_653,
    ),
    # The authors' models keep the 2048 x 1000 classifier of ImageNet and its biases.
    "wuhuikai/FastFCN fcn": ({"name": "fastfcn", "backbone": DEEP_STEM}, 54_865_341 - 2_049_000),
    "wuhuikai/FastFCN deeplab": (
        {"name": "fastfcn", "head": "aspp", "head_features": 256, "backbone": DEEP_STEM},
        61_547_197 - 2_049_000,
    ),
    # pytorch-fcn counts its fixed bilinear kernels, 4x4, 4x4 and 16x16 for 21 x 21 classes.
    "wkentaro/pytorch-fcn fcn8s": (
        {"name": "fcn8s", "backbone": {"name": "vgg16"}},
        134_489_759 - 21 * 21 * (16 + 16 + 256),
    ),
}


@pytest.mark.parametrize("peer", COUNTS)
def test_there_are_as_many_parameters_as_in(peer):
    section, expected = COUNTS[peer]
    model = build_model(section, num_classes=21, axis=None)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), image)["params"]
    assert sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)) == expected
