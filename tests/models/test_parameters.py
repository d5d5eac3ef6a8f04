"""Parameters and multiply-adds of the full-size networks, against published implementations.

Parameters are equal; multiply-adds, at 512x512 and with the convolutions and matrix products of
both, within 1%: pooled branches count differently by a handful of cells.
"""

import functools

import jax
import jax.numpy as jnp
import pytest

from seg_jax.describe import count_flops, count_parameters
from seg_jax.models.build import build_model
from seg_jax.registry import resolve
from seg_jax.weights import REFERENCES

AUX = {"aux": True, "aux_features": 256}
IMAGENET_CLASSIFIER = 2048 * 1000 + 1000
"""Of FastFCN's backbones: in its state dicts and in its counts, but not in its networks."""

PUBLISHED = {
    "torchvision/fcn_resnet50": ({}, 32_957_013, 138.4),
    "torchvision/fcn_resnet101": ({}, 51_949_141, 215.9),
    "torchvision/deeplabv3_resnet50": ({}, 39_638_869, 163.6),
    "torchvision/deeplabv3_resnet101": ({}, 58_630_997, 241.2),
    "torchvision/deeplabv3_mobilenet_v3_large": ({}, 11_025_477, 9.8),
    "torchvision/lraspp_mobilenet_v3_large": ({}, 3_221_538, 2.0),
    "torchvision/fcn_resnet50 with aux": (AUX, 35_322_218, 148.1),
    "torchvision/deeplabv3_resnet50 with aux": (AUX, 42_004_074, 173.3),
    "smp/unet_resnet34": ({}, 24_439_269, 32.0),
    "smp/unet_resnet50": ({}, 32_524_005, 43.3),
    "smp/deeplabv3_resnet50": ({}, 39_638_869, 163.6),
    "smp/deeplabv3plus_resnet50": ({}, 26_682_725, 36.6),
    "smp/deeplabv3plus_mobilenet_v2": ({}, 4_383_653, 6.0),
    "smp/deeplabv3plus_tu-xception65": ({}, 41_042_005, 50.2),
    "smp/pspnet_resnet50": ({}, 24_393_173, 12.0),
    "pytorch-fcn/fcn32s": ({}, 136_152_917, 190.2),
    "pytorch-fcn/fcn16s": ({}, 134_815_994, 190.3),
    "pytorch-fcn/fcn8s": ({}, 134_489_759, 190.4),
    "pytorch-fcn/fcn8s_atonce": ({}, 134_489_759, 190.4),
    "deeplab-pytorch/deeplabv1_resnet101": ({}, 42_543_189, 182.5),
    "deeplab-pytorch/deeplabv2_resnet101": ({}, 44_048_532, None),
    "deeplab-pytorch/deeplabv2_resnet101_msc": ({}, 44_048_532, None),
    "fastfcn/fcn_jpu_resnet50": ({}, 54_865_341 - IMAGENET_CLASSIFIER, None),
    "fastfcn/psp_jpu_resnet50": ({}, 68_500_925 - IMAGENET_CLASSIFIER, None),
    "fastfcn/encnet_jpu_resnet50": ({}, 47_019_037 - IMAGENET_CLASSIFIER, None),
    "fastfcn/deeplab_jpu_resnet50": ({}, 61_547_197 - IMAGENET_CLASSIFIER, None),
    "milesial/unet": ({}, 31_038_933, None),
    "milesial/unet_bilinear": ({}, 17_264_277, None),
}
"""Source, with what its section has besides -> parameters, GMAC at 512x512 where published."""


@pytest.mark.parametrize("source", PUBLISHED)
def test_parameters_and_multiply_adds_are_those_of(source):
    fields, parameters, gmac = PUBLISHED[source]
    reference = resolve(
        source.removesuffix(" with aux"), REFERENCES, kind="reference", field="source"
    )
    model = build_model({**reference.section, **fields}, num_classes=21, axis=None)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), image)["params"]
    assert count_parameters(params) == parameters
    if gmac is not None:
        # The published figures have one decimal.
        assert abs(count_flops(model, (512, 512)) / 2e9 - gmac) <= 0.01 * gmac + 0.05


VGG = {"name": "vgg16", "output_stride": 8, "pool_window": 3}


@pytest.mark.parametrize(
    ("kernel_size", "rate", "features", "millions"),
    [(7, 4, 4096, 134.3), (4, 4, 4096, 65.1), (4, 8, 4096, 65.1), (3, 12, 1024, 20.5)],
)
def test_fields_of_view_have_the_sizes_of_table_2_of_deeplab_v1(
    kernel_size, rate, features, millions
):
    section = {
        "name": "deeplab_v1",
        "fc_kernel_size": kernel_size,
        "fc_rate": rate,
        "fc_features": features,
        "backbone": VGG,
    }
    model = build_model(section, num_classes=21, axis=None)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), image)["params"]
    assert abs(count_parameters(params) / 1e6 - millions) < 0.06
