"""A small random network, as a file that `import` would have written."""

import pytest

from seg_jax.initialise import initialise
from seg_jax.models.build import build_model
from seg_jax.preprocess import IMAGENET
from seg_jax.weights.load import LoadedReference
from seg_jax.weights.native import write_network

SECTION = {"name": "unet", "base_features": 4, "depth": 1}


@pytest.fixture
def imported(tmp_path):
    """Returns a function (classes, labels) -> file of a U-Net of that many classes."""

    def write(num_classes, labels=None):
        model = build_model(SECTION, num_classes=num_classes, axis=None)
        variables = initialise(model, (1, 64, 64, 3), seed=1)
        network = LoadedReference(
            "milesial/unet", model, variables, IMAGENET, SECTION, num_classes, None
        )
        write_network(tmp_path / "net.safetensors", network, labels)
        return tmp_path / "net.safetensors"

    return write
