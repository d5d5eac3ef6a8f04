"""State dicts in the files that `torch.save` writes: a zip archive, or a stream before 1.6."""

import io
import math
import mmap
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from seg_jax.weights.state_dict import WeightsError
from seg_jax.weights.torch_pickle import Storage, StridedTensor, unpickle

_DTYPES = {
    "Float": "<f4",
    "Double": "<f8",
    "Half": "<f2",
    "BFloat16": "<u2",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
"""Kind of a storage -> how it lies in the file; NumPy has no bfloat16."""

_STREAM = (0x1950A86A20F9469CFC6C, 1001)
"""Magic number and protocol version of the stream."""

_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model")
"""Where training code keeps the state dict beside the optimiser's and its own notes."""

_DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
)
"""What reading damaged bytes raises, one way or another."""

_Read = Callable[[Storage], bytes]


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Reads what `torch.save` has written since PyTorch 1.6, a zip archive.

    Returns:
        The tensors of the state dict by name, read-only; 16-bit floats as float32.

    Raises:
        WeightsError: the file is damaged, or holds what a state dict does not need.
    """
    return _read(path, _open_archive)


def read_stream(path: Path) -> dict[str, np.ndarray]:
    """Reads what `torch.save` wrote before PyTorch 1.6: pickles, then the storages.

    Returns and raises as `read_archive`.
    """
    return _read(path, _open_stream)


def _read(path: Path, opened: Callable[[BinaryIO], tuple[Any, _Read]]) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            content, read = opened(file)
            return _tensors(_state_dict(content), read)
    except WeightsError as error:
        raise WeightsError(
            f"{str(path)!r} is not loaded: {error}. Save the network's weights alone, as "
            f"torch.save(model.state_dict(), file) does, or as safetensors."
        ) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"{str(path)!r} is not a whole file of torch.save ({reason}). Fetch or save it again."
        ) from error


def _open_archive(file: BinaryIO) -> tuple[Any, _Read]:
    archive = zipfile.ZipFile(file)
    roots = [name.removesuffix("data.pkl") for name in archive.namelist() if "/data.pkl" in name]
    if len(roots) != 1:
        raise ValueError(f"it holds data.pkl {len(roots)} times")

    def member(name: str) -> bytes:
        # torch.save never compresses: what would grow when unpacked is not its work.
        if archive.getinfo(roots[0] + name).compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
        return archive.read(roots[0] + name)

    if f"{roots[0]}byteorder" in archive.namelist() and member("byteorder") != b"little":
        raise WeightsError("it was written on a big-endian machine")
    content, _ = unpickle(io.BytesIO(member("data.pkl")))
    return content, lambda storage: member(f"data/{storage.key}")


def _open_stream(file: BinaryIO) -> tuple[Any, _Read]:
    # A file would reserve as much memory as damaged bytes ask for before it reads any.
    stream = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, protocol, system = (unpickle(stream)[0] for _ in range(3))
    if (magic, protocol) != _STREAM:
        raise ValueError("it is a pickle of another origin")
    if not system["little_endian"]:
        raise WeightsError("it was written on a big-endian machine")
    content, storages = unpickle(stream)
    keys, _ = unpickle(stream)
    places = {}
    for key in keys:
        (size,) = struct.unpack("<q", stream.read(8))
        if size != storages[key].size:
            raise ValueError(f"storage {key} has two sizes")
        places[key] = stream.tell()
        stream.seek(_num_bytes(storages[key]), os.SEEK_CUR)

    def read(storage: Storage) -> bytes:
        stream.seek(places[storage.key])
        return stream.read(_num_bytes(storage))

    return content, read


def _num_bytes(storage: Storage) -> int:
    return storage.size * np.dtype(_DTYPES[storage.kind]).itemsize


def _state_dict(content: Any) -> Mapping[Any, Any]:
    """Returns the state dict inside what training code has put around it."""
    while isinstance(content, dict):
        inner = next(
            (content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), None
        )
        if inner is None:
            return content
        content = inner
    raise WeightsError(f"it holds a {type(content).__name__}, not a dict of tensors")


def _tensors(state: Mapping[Any, Any], read: _Read) -> dict[str, np.ndarray]:
    """Returns the tensors of a state dict; numbers and lists beside them are left out."""
    storages: dict[str, np.ndarray] = {}
    tensors = {}
    for name, tensor in state.items():
        if isinstance(tensor, StridedTensor):
            key = tensor.storage.key
            if key not in storages:
                storages[key] = _numbers(tensor.storage, read(tensor.storage))
            tensors[str(name)] = _view(storages[key], tensor)
    if not tensors:
        raise WeightsError("it holds no tensors")
    return tensors


def _numbers(storage: Storage, data: bytes) -> np.ndarray:
    """Returns the elements of a storage [n]."""
    if len(data) != _num_bytes(storage):
        raise ValueError(f"storage {storage.key} has {len(data)} bytes, not {_num_bytes(storage)}")
    numbers = np.frombuffer(data, _DTYPES[storage.kind])
    if storage.kind == "BFloat16":
        # Its bits are the upper half of a float32's.
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers.astype(np.float32) if storage.kind == "Half" else numbers


def _view(numbers: np.ndarray, tensor: StridedTensor) -> np.ndarray:
    """Returns a tensor as a view of its storage, which it must not leave."""
    offset, shape, strides = tensor.offset, tensor.shape, tensor.strides
    if len(shape) != len(strides) or min((offset, *shape, *strides)) < 0:
        raise ValueError(f"a tensor of shape {shape} has strides {strides}")
    steps = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    count = math.prod(shape)
    if count and (offset + steps >= numbers.size or count > numbers.size):
        raise ValueError(f"a tensor of shape {shape} leaves its storage of {numbers.size} elements")
    numbers = numbers[offset:] if count else numbers[:0]
    in_bytes = [stride * numbers.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers, shape, in_bytes, writeable=False)
