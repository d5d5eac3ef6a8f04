"""Labels that their publisher keeps in MATLAB files."""

import io

import numpy as np
import scipy.io

from seg_jax.data.validate import Origin


def read_mat(data: bytes, name: str, origin: Origin) -> np.ndarray:
    """Returns a variable of a MATLAB file.

    Raises:
        DataError: it is not a MATLAB file, or has no such variable.
    """
    try:
        variables = scipy.io.loadmat(io.BytesIO(data), variable_names=[name])
    # A damaged file can fail anywhere in the reader: zlib, struct, NumPy or its own checks.
    except Exception as error:
        raise origin.fault(
            "label",
            f"cannot be read as a MATLAB file ({type(error).__name__}: {error}). {origin.remedy()}",
        ) from error
    if name not in variables:
        raise origin.fault("label", f"has no variable {name}. Take the publisher's file.")
    return variables[name]


def check_ids(pixels: np.ndarray, origin: Origin, largest: int = 255) -> np.ndarray:
    """Returns a matrix of class ids after a check that it is one.

    Raises:
        DataError: it is no matrix of whole numbers in 0..largest.
    """
    if pixels.ndim != 2 or pixels.dtype.kind not in "iu":
        raise origin.fault(
            "label",
            f"holds {pixels.dtype} values of shape {pixels.shape}, not a matrix of class ids. "
            "Take the publisher's file.",
        )
    if pixels.size and (pixels.min() < 0 or pixels.max() > largest):
        raise origin.fault(
            "label",
            f"holds values in {pixels.min()}..{pixels.max()}, but its ids are 0..{largest}. "
            "Take the publisher's file.",
        )
    return pixels
