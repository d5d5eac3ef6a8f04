"""Where a network to predict with comes from."""

import jax
import numpy as np
import pytest

from seg_jax.assemble import assemble
from seg_jax.checkpoints import Checkpointer
from seg_jax.config import ConfigError, base_config
from seg_jax.data.catalogue import spec_of
from seg_jax.data.palettes import VOC_CLASSES, voc_palette
from seg_jax.predict.network import from_file, from_trial, known_labels
from seg_jax.preprocess import IMAGENET
from seg_jax.registry import UnknownNameError
from seg_jax.start import initial_state
from seg_jax.weights.native import Labels
from seg_jax.weights.state_dict import WeightsError

TFLITE = "weights/deeplabv3_mnv2_dm05_voc/deeplabv3.tflite"


def test_an_imported_file_needs_nothing_else(imported):
    labels = Labels(("a", "b"), ((1, 2, 3), (4, 5, 6)))
    network = from_file(imported(2, labels), source="", num_classes=21)
    assert network.origin == "milesial/unet"
    assert network.labels == labels
    assert network.preprocessing == IMAGENET
    assert network.variables["params"]["classifier"]["bias"].shape == (2,)


def test_classes_without_names_are_numbered(imported):
    network = from_file(imported(3), source="milesial/unet", num_classes=21)
    assert network.labels == Labels(("class 0", "class 1", "class 2"), voc_palette(3))


def test_21_classes_are_those_of_voc():
    assert known_labels(21) == Labels(VOC_CLASSES, voc_palette(21))
    assert known_labels(19) is None


def test_a_tflite_file_is_the_network_there_is(asset):
    network = from_file(asset(TFLITE), source="", num_classes=21)
    assert network.origin == "tflite/deeplabv3_mnv2"
    assert network.input_size == (257, 257)
    assert network.labels.classes == VOC_CLASSES


def test_a_source_that_is_not_the_files_is_refused(imported):
    with pytest.raises(ValueError, match="was imported from 'milesial/unet', not 'smp/unet"):
        from_file(imported(2), source="smp/unet_resnet34", num_classes=21)


def test_what_is_missing_is_said(imported, tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, a=np.zeros(3))
    with pytest.raises(ValueError, match=r"Set --source to one of .*milesial/unet,"):
        from_file(other, source="", num_classes=21)
    with pytest.raises(UnknownNameError, match="Did you mean 'milesial/unet'"):
        from_file(other, source="milesial/unett", num_classes=21)
    with pytest.raises(FileNotFoundError, match="No weights file"):
        from_file(tmp_path / "none.pth", source="", num_classes=21)
    damaged = imported(2)
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        from_file(damaged, source="", num_classes=21)


@pytest.mark.parametrize("size", [(), (48, 64)])
def test_a_trial_brings_its_newest_weights_and_its_classes(tmp_path, size):
    config = base_config()
    config.dataset.name = "scenes"
    config.dataset.size = size
    config.augment.crop_size = (32, 32)
    config.model = {"name": "unet", "base_features": 4, "depth": 1}
    config.train.batch_size = config.evaluate.batch_size = 4
    with pytest.raises(ConfigError, match="holds no checkpoint"):
        from_trial(config, tmp_path)
    _, state = initial_state(assemble(config))
    state = state.replace(params=jax.tree.map(lambda leaf: leaf + 1, state.params))
    with Checkpointer(tmp_path / "checkpoints") as checkpointer:
        checkpointer.save(3, state)
    network = from_trial(config, tmp_path)
    jax.tree.map(np.testing.assert_array_equal, network.variables["params"], state.params)
    jax.tree.map(np.testing.assert_array_equal, network.variables["batch_stats"], state.batch_stats)
    spec = spec_of("scenes")
    assert network.labels == Labels(spec.classes, spec.palette)
    assert network.input_size == (size or None)
    assert network.averaged == (not size)
