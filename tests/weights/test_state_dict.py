"""Conversion of state dicts: every key once, every leaf once, or a sentence that says which."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from seg_jax.weights.state_dict import WeightsError, convert, read_state_dict

MODULES = {"conv1": "stem/conv", "bn1": "stem/norm"}


def state():
    random = np.random.RandomState(0)
    return {
        "conv1.weight": random.randn(4, 3, 5, 7).astype(np.float32),
        "bn1.weight": random.randn(4).astype(np.float32),
        "bn1.bias": random.randn(4).astype(np.float32),
        "bn1.running_mean": random.randn(4).astype(np.float32),
        "bn1.running_var": random.randn(4).astype(np.float32),
        "bn1.num_batches_tracked": np.zeros((), np.int64),
    }


def target():
    four = np.zeros(4, np.float32)
    kernel = np.zeros((5, 7, 3, 4), np.float32)
    return {
        "params": {"stem": {"conv": {"kernel": kernel}, "norm": {"scale": four, "bias": four}}},
        "batch_stats": {"stem": {"norm": {"mean": four, "var": four}}},
    }


def test_every_tensor_finds_its_leaf():
    given = state()
    converted = convert(given, MODULES, target())
    stem, stats = converted["params"]["stem"], converted["batch_stats"]["stem"]["norm"]
    assert stem["conv"]["kernel"][4, 6, 2, 3] == given["conv1.weight"][3, 2, 4, 6]
    np.testing.assert_array_equal(stem["norm"]["scale"], given["bn1.weight"])
    np.testing.assert_array_equal(stem["norm"]["bias"], given["bn1.bias"])
    np.testing.assert_array_equal(stats["mean"], given["bn1.running_mean"])
    np.testing.assert_array_equal(stats["var"], given["bn1.running_var"])


def test_a_key_without_a_place_is_refused():
    with pytest.raises(WeightsError, match=r"'fc.weight' of the weights has no place"):
        convert({**state(), "fc.weight": np.zeros((2, 2), np.float32)}, MODULES, target())


def test_a_leaf_without_a_key_is_refused():
    given = state()
    del given["bn1.running_var"]
    with pytest.raises(WeightsError, match="'batch_stats/stem/norm/var' unset"):
        convert(given, MODULES, target())


def test_two_keys_for_one_leaf_are_refused():
    modules = {**MODULES, "bn2": "stem/norm"}
    given = {**state(), "bn2.weight": np.zeros(4, np.float32)}
    with pytest.raises(WeightsError, match=r"'bn2.weight'.*second"):
        convert(given, modules, target())


def test_another_shape_is_refused():
    given = {**state(), "conv1.weight": np.zeros((8, 3, 5, 7), np.float32)}
    with pytest.raises(WeightsError, match=r"'conv1.weight'.*\(5, 7, 3, 8\).*\(5, 7, 3, 4\)"):
        convert(given, MODULES, target())


def test_a_file_is_read_or_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(FileNotFoundError, match=r"weights.safetensors.*config.weights.path"):
        read_state_dict(path)
    save_file(state(), path)
    np.testing.assert_array_equal(read_state_dict(path)["bn1.bias"], state()["bn1.bias"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        read_state_dict(path)
