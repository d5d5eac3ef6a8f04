"""Every published network, given its reference's weights, gives its reference's logits.

The golden files hold a state dict's keys and shapes and the logits of float64 runs: every third
row and column, or all of them where the reference stops at the resolution of its head.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from seg_jax.weights import REFERENCES, load_reference

GOLDEN = Path(__file__).parents[1] / "golden" / "parity"

FILES = {
    "dlpt_deeplabv1_resnet101": "deeplab-pytorch/deeplabv1_resnet101",
    "dlpt_deeplabv2_resnet101": "deeplab-pytorch/deeplabv2_resnet101",
    "fastfcn-encnet_lateral_resnet50": "fastfcn/encnet_resnet50",
    "fastfcn_fcn_jpu_resnet50": "fastfcn/fcn_jpu_resnet50",
    "fcnpt_fcn8s_vgg16": "pytorch-fcn/fcn8s",
    "milesial_unet": "milesial/unet",
    "mm_fcn_r50_d8": "mmseg/fcn_r50-d8",
    "smp_deeplabv3plus_resnet50": "smp/deeplabv3plus_resnet50",
    "smp_unet_resnet34": "smp/unet_resnet34",
    "tv_deeplabv3_mobilenet_v3_large": "torchvision/deeplabv3_mobilenet_v3_large",
    "tv_deeplabv3_resnet50_aux": "torchvision/deeplabv3_resnet50",
    "tv_fcn_resnet50_aux": "torchvision/fcn_resnet50",
} | {
    source.replace("/", "-"): source
    for source in REFERENCES
    if (GOLDEN / f"{source.replace('/', '-')}.npz").exists()
}
"""Name of a golden file -> the published network it is of."""

WITHOUT_FILE = {
    "tflite/deeplabv3_mnv2": "held to its publisher's mask in test_tflite_network.py",
}

TOLERANCE = 1e-5
"""Of the largest logit; the references' own float32 is off by about a tenth of it."""


def maps_of(outputs):
    maps = [outputs.logits, *outputs.aux.values()]
    return maps if outputs.presence is None else [*maps, outputs.presence]


def sizes_of(golden):
    return sorted({key[1:].split("_")[0] for key in golden.files if key.startswith("y")})


def is_coarse(golden, size, height):
    rows = golden[f"y{size}_0"].shape[2]
    return rows != -(-height // 3)


@pytest.mark.parametrize("name", FILES)
def test_logits_are_those_of_the_reference(name, keyed_state, keyed_input, run_once):
    golden = np.load(GOLDEN / f"{name}.npz")
    state = keyed_state(json.loads(golden["spec"].tobytes()))
    # One fixture was recorded under a wrapper's names.
    state = {key.removeprefix("m."): value for key, value in state.items()}
    compared = 0
    for size in sizes_of(golden):
        height, width = map(int, size.split("x"))
        coarse = is_coarse(golden, size, height)
        loaded = load_reference(FILES[name], state, upsample=not coarse)
        apply = functools.partial(loaded.model.apply, train=False)
        outputs = run_once(apply, loaded.variables, keyed_input(height, width))
        for i, actual in enumerate(maps_of(outputs)):
            if f"y{size}_{i}" not in golden:
                continue
            expected = golden[f"y{size}_{i}"]
            if expected.ndim == 4:
                actual = np.asarray(actual).transpose(0, 3, 1, 2)
                actual = actual if coarse else actual[:, :, ::3, ::3]
            assert actual.shape == expected.shape
            assert np.abs(actual - expected).max() < TOLERANCE * np.abs(expected).max()
            compared += 1
    assert compared == len([key for key in golden.files if key.startswith("y")])


@pytest.mark.parametrize("source", REFERENCES)
def test_every_source_is_held_to_its_reference(source):
    assert source in FILES.values() or source in WITHOUT_FILE
