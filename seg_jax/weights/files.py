"""Reads named tensors from whatever kind of file holds them; no file is executed."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from seg_jax.weights import torch_files
from seg_jax.weights.state_dict import WeightsError

_TFLITE = b"TFL3"
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_HEADER = 512
"""Bytes that tell the kind of a file; the name of a zip archive's first member lies in them."""

_NPZ_DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    MemoryError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises for damaged archives, and for arrays of Python objects."""

_PARALLEL = "module."
"""What torch.nn.DataParallel puts in front of every name."""


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a safetensors, NumPy .npz, PyTorch .pth or .pt, or .tflite file.

    The kind is told by the content. Pickles inside PyTorch's files are read as data and not
    run; a state dict is found inside what training code wraps around it.

    Returns:
        Tensor name -> array, without the prefix of `DataParallel`; 16-bit floats as float32.

    Raises:
        FileNotFoundError: there is no file at `path`.
        WeightsError: the file is damaged, of another kind, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"No weights file {str(path)!r}. Give the path of a .safetensors, .npz, .pth, .pt or "
            f".tflite file."
        )
    tensors = _read(path)
    if tensors and all(name.startswith(_PARALLEL) for name in tensors):
        tensors = {name.removeprefix(_PARALLEL): value for name, value in tensors.items()}
    return {name: _widened(value) for name, value in tensors.items()}


def _read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        start = file.read(_HEADER)
    if start[4:8] == _TFLITE:
        from seg_jax.weights.tflite import read_tflite

        return read_tflite(path)
    if start.startswith(_ZIP):
        # An archive begins with the name of its first member.
        return _read_npz(path) if b".npy" in start else torch_files.read_archive(path)
    if start.startswith(_PICKLE):
        return torch_files.read_stream(path)
    if start[8:9] == b"{":
        return _read_safetensors(path)
    raise WeightsError(
        f"{str(path)!r} is no weights file: its first bytes are none of a .safetensors, .npz, "
        f".pth, .pt or .tflite file. Fetch it again, or give another."
    )


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except _NPZ_DAMAGE as error:
        raise WeightsError(
            f"{str(path)!r} is not a whole .npz file of plain arrays ({error}). Save it again "
            f"with numpy.savez."
        ) from error


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(path, framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    # AttributeError: a type of number that NumPy does not have, such as 8-bit floats.
    except (SafetensorError, AttributeError, TypeError) as error:
        raise WeightsError(
            f"{str(path)!r} is not a whole safetensors file of plain arrays ({error}). Fetch it "
            f"again."
        ) from error


def _widened(value: np.ndarray) -> np.ndarray:
    """Returns 16-bit floats, which NumPy computes slowly or not at all with, as float32."""
    return value.astype(np.float32) if value.dtype.name in ("float16", "bfloat16") else value
