"""Named tensors from safetensors, NumPy and whatever is none of them."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file

from seg_jax.weights.files import read_tensors
from seg_jax.weights.state_dict import WeightsError

VALUES = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.weight": np.arange(3, dtype=np.int64),
}


def check(tensors):
    assert tensors.keys() == VALUES.keys()
    for key, value in VALUES.items():
        np.testing.assert_array_equal(tensors[key], value, strict=True)


def test_safetensors_under_any_name(tmp_path):
    save_file(VALUES, tmp_path / "weights.bin")
    check(read_tensors(tmp_path / "weights.bin"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save):
    save(tmp_path / "weights.npz", **VALUES)
    check(read_tensors(tmp_path / "weights.npz"))


def test_half_precision_becomes_single(tmp_path):
    values = np.array([1.5, -2.0], np.float16)
    np.savez(tmp_path / "a.npz", a=values)
    # bfloat16, which NumPy cannot write: the upper halves of the float32.
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    upper = (values.astype("<f4").view("<u4") >> 16).astype("<u2")
    (tmp_path / "a.safetensors").write_bytes(
        struct.pack("<Q", len(header)) + header + upper.tobytes()
    )
    for name in ("a.npz", "a.safetensors"):
        found = read_tensors(tmp_path / name)["a"]
        np.testing.assert_array_equal(found, values.astype(np.float32), strict=True)


def test_the_prefix_of_data_parallel_is_taken_off(tmp_path):
    save_file({f"module.{key}": value for key, value in VALUES.items()}, tmp_path / "a.safetensors")
    check(read_tensors(tmp_path / "a.safetensors"))


def test_arrays_of_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{"a": 1}], object))
    with pytest.raises(WeightsError, match="plain arrays"):
        read_tensors(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
def test_a_truncated_file_is_refused(tmp_path, name):
    path = tmp_path / name
    np.savez(path, **VALUES) if name == "a.npz" else save_file(VALUES, path)
    data = path.read_bytes()
    for length in range(0, len(data) - 1, 29):
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError):
            read_tensors(path)


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"version https://git-lfs.github.com"])
def test_another_kind_of_file_is_refused(tmp_path, data):
    path = tmp_path / "weights.pth"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="is no weights file"):
        read_tensors(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="No weights file"):
        read_tensors(tmp_path / "none.pth")
