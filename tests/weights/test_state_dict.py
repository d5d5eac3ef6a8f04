"""Conversion of state dicts: every tensor once, every leaf once, or a sentence that says which."""

import numpy as np
import pytest

from seg_jax.weights.names import Place
from seg_jax.weights.state_dict import WeightsError, convert

NAMES = {
    "stem/conv": "conv1",
    "stem/norm": "bn1",
    "up": Place("up1", "transposed"),
    "join": Place("fuse", parts=(2, 1, -1)),
    "code": "encoding",
    "gate": "fc.0",
}


def draw(*shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def state():
    return {
        "conv1.weight": draw(4, 3, 5, 7),
        "bn1.weight": draw(4),
        "bn1.bias": draw(4),
        "bn1.running_mean": draw(4),
        "bn1.running_var": draw(4),
        "bn1.num_batches_tracked": np.zeros((), np.int64),
        "up1.weight": draw(4, 6, 2, 2),
        "fuse.weight": draw(2, 5, 1, 1),
        "encoding.codewords": draw(3, 4),
        "encoding.scale": draw(3),
        "fc.0.weight": draw(2, 4),
        "fc.0.bias": draw(2),
    }


def target():
    four = np.zeros(4, np.float32)
    return {
        "params": {
            "stem": {
                "conv": {"kernel": np.zeros((5, 7, 3, 4), np.float32)},
                "norm": {"scale": four, "bias": four},
            },
            "up": {"kernel": np.zeros((2, 2, 4, 6), np.float32)},
            "join": {"kernel": np.zeros((1, 1, 5, 2), np.float32)},
            "code": {"codewords": np.zeros((3, 4), np.float32), "scale": np.zeros(3, np.float32)},
            "gate": {"kernel": np.zeros((4, 2), np.float32), "bias": np.zeros(2, np.float32)},
        },
        "batch_stats": {"stem": {"norm": {"mean": four, "var": four}}},
    }


def test_every_tensor_finds_its_leaf():
    given = state()
    converted = convert(given, NAMES, target())
    params, stats = converted["params"], converted["batch_stats"]["stem"]["norm"]
    assert params["stem"]["conv"]["kernel"][4, 6, 2, 3] == given["conv1.weight"][3, 2, 4, 6]
    np.testing.assert_array_equal(params["stem"]["norm"]["scale"], given["bn1.weight"])
    np.testing.assert_array_equal(params["stem"]["norm"]["bias"], given["bn1.bias"])
    np.testing.assert_array_equal(stats["mean"], given["bn1.running_mean"])
    np.testing.assert_array_equal(stats["var"], given["bn1.running_var"])
    np.testing.assert_array_equal(params["code"]["codewords"], given["encoding.codewords"])
    np.testing.assert_array_equal(params["code"]["scale"], given["encoding.scale"])
    np.testing.assert_array_equal(params["gate"]["kernel"], given["fc.0.weight"].T)


def test_a_transposed_convolution_has_its_inputs_first():
    given = state()
    kernel = convert(given, NAMES, target())["params"]["up"]["kernel"]
    assert kernel[1, 0, 2, 5] == given["up1.weight"][2, 5, 1, 0]


def test_parts_of_a_concatenation_are_reversed():
    given = state()
    kernel = convert(given, NAMES, target())["params"]["join"]["kernel"][0, 0]
    theirs = given["fuse.weight"][:, :, 0, 0].T
    np.testing.assert_array_equal(kernel, theirs[[3, 4, 2, 0, 1]])


def test_a_depthwise_kernel_and_a_norm_are_reordered_like_what_they_read():
    names = {"depthwise/conv": Place("d", parts=(1, 3)), "depthwise/norm": Place("n", parts=(1, 3))}
    given = {"d.weight": draw(4, 1, 3, 3), "n.weight": draw(4)}
    target = {
        "params": {
            "depthwise": {
                "conv": {"kernel": np.zeros((3, 3, 1, 4), np.float32)},
                "norm": {"scale": np.zeros(4, np.float32)},
            }
        }
    }
    layer = convert(given, names, target)["params"]["depthwise"]
    np.testing.assert_array_equal(layer["norm"]["scale"], given["n.weight"][[1, 2, 3, 0]])
    kernel = layer["conv"]["kernel"][:, :, 0].transpose(2, 0, 1)
    np.testing.assert_array_equal(kernel, given["d.weight"][[1, 2, 3, 0], 0])


def test_a_bias_before_a_norm_goes_into_its_mean():
    given = {**state(), "conv1.bias": draw(4) + 1}
    mean = convert(given, NAMES, target())["batch_stats"]["stem"]["norm"]["mean"]
    np.testing.assert_allclose(mean, given["bn1.running_mean"] - given["conv1.bias"])


def test_a_classifier_may_be_dropped_by_name():
    given = {**state(), "head.weight": draw(2, 2)}
    converted = convert(given, NAMES, target(), dropped=("head.",))
    assert set(converted["params"]) == set(target()["params"])


def test_an_unused_tensor_is_named_with_its_nearest():
    given = state()
    given["bn1.running_vra"] = given.pop("bn1.running_var")
    with pytest.raises(
        WeightsError, match=r"'bn1.running_vra' of the weights has no place .*'bn1.running_var'"
    ):
        convert(given, NAMES, target())


def test_a_missing_tensor_is_named_with_its_nearest():
    given = state()
    del given["bn1.running_var"]
    with pytest.raises(
        WeightsError, match=r"'bn1.running_var' has no value in the weights .*'bn1\.\w+'"
    ):
        convert(given, NAMES, target())


def test_a_tensor_that_two_leaves_want_is_refused():
    names = {**NAMES, "gate": "bn1"}
    given = {key: value for key, value in state().items() if not key.startswith("fc.")}
    with pytest.raises(WeightsError, match=r"'bn1.bias', 'bn1.weight'.*more than once"):
        convert(given, names, target())


def test_another_shape_is_refused():
    given = {**state(), "conv1.weight": draw(8, 3, 5, 7)}
    with pytest.raises(
        WeightsError,
        match=r"'conv1.weight'.*\(8, 3, 5, 7\).*'params/stem/conv/kernel'.*\(5, 7, 3, 4\)",
    ):
        convert(given, NAMES, target())


def test_a_module_without_a_line_is_refused():
    names = {ours: theirs for ours, theirs in NAMES.items() if ours != "up"}
    with pytest.raises(WeightsError, match=r"no line for 'params/up/kernel'"):
        convert(state(), names, target())
