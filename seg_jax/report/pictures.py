"""The qualitative grid: image, truth and each configuration's prediction of the same images.

Files hold class ids; colours come from the dataset's palette. An id without a class, such as
the label of ignored pixels, is drawn as diagonal black and white stripes.
"""

import dataclasses
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from seg_jax.report.records import Comparison

PREDICTIONS_FILE = "predictions.npz"
_MOST_IMAGES = 8
_SMALLEST_SIDE, _LARGEST_SIDE = 192, 480
_STRIPE = 6

_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a cut or altered archive raises."""

Palette = Sequence[tuple[int, int, int]]


@dataclasses.dataclass(frozen=True)
class Picture:
    """One configuration's prediction of one image, ready to show.

    Attributes:
        prediction: its classes in colour, as PNG.
        errors: the same, transparent where it is right or nothing is to be predicted, as PNG.
        correct: share of the counted pixels that are right; None where no pixel counts.
    """

    prediction: bytes
    errors: bytes
    correct: float | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One image with everything that is known of it.

    Attributes:
        id: as the dataset names it.
        image: as PNG.
        truth: its labels in colour, as PNG.
        pictures: by label of the configuration, of those that have a prediction of it.
    """

    id: str
    image: bytes
    truth: bytes
    pictures: Mapping[str, Picture]


@dataclasses.dataclass(frozen=True)
class Grid:
    """Rows of pictures, and what is missing from them.

    Attributes:
        rows: at most eight images.
        labels: the configurations that have predictions.
        has_ignored: whether a truth shows ignored pixels.
        notes: one sentence per configuration whose predictions could not be read.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    has_ignored: bool
    notes: tuple[str, ...]


def make_grid(comparison: Comparison) -> Grid:
    """Reads the predictions of the first seed of every configuration that has some."""
    notes, found = [], []
    for c in comparison.finished:
        for trial in c.trials:
            path = trial.folder / PREDICTIONS_FILE
            if trial.result is None or not path.is_file():
                continue
            try:
                found.append((c.label, read_predictions(path)))
                break
            except _DAMAGE as error:
                notes.append(f"{PREDICTIONS_FILE} of {c.label}, {trial.uid}, is damaged: {error}")
    palette = comparison.palette
    if not found or not palette:
        if found:
            notes.append("There are predictions, but no result names a colour for every class.")
        return Grid((), (), False, tuple(notes))
    rows, has_ignored = [], False
    for name, (image, label, _) in list(found[0][1].items())[:_MOST_IMAGES]:
        counted = label < len(palette)
        has_ignored |= bool((~counted).any())
        pictures = {
            title: _picture(samples[name][2], label, palette)
            for title, samples in found
            if name in samples and samples[name][2].shape == label.shape
        }
        truth = _encode(colourize(label, palette))
        rows.append(Row(name, _encode(fit(image)), truth, pictures))
    titles = tuple(title for title, _ in found)
    return Grid(tuple(rows), titles, has_ignored, tuple(notes))


Sample = tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]


def read_predictions(path: Path) -> dict[str, Sample]:
    """Returns {id: (image, label, prediction)}."""
    # Opened here, since numpy leaves a damaged archive open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        names = [_text(name) for name in arrays["id"]]
        return {name: _sample(arrays, place) for place, name in enumerate(names)}


def _sample(arrays: Mapping[str, np.ndarray], place: int) -> Sample:
    image, label, prediction = (arrays[f"{k}_{place}"] for k in ("image", "label", "prediction"))
    if label.ndim != 2 or image.shape != (*label.shape, 3) or prediction.shape != label.shape:
        raise ValueError(
            f"image {image.shape}, label {label.shape} and prediction {prediction.shape} at place "
            f"{place} do not match."
        )
    if {image.dtype, label.dtype, prediction.dtype} != {np.dtype(np.uint8)}:
        raise ValueError(f"an array at place {place} is not uint8.")
    return image, label, prediction


def _text(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _picture(
    prediction: UInt8[np.ndarray, "h w"],
    label: UInt8[np.ndarray, "h w"],
    palette: Palette,
) -> Picture:
    counted = label < len(palette)
    wrong = counted & (prediction != label)
    shown = colourize(prediction, palette)
    alpha = fit(np.where(wrong, 255, 0).astype(np.uint8), nearest=True)
    errors = np.dstack([shown, alpha])
    total = int(counted.sum())
    return Picture(
        prediction=_encode(shown),
        errors=_encode(errors),
        correct=1 - int(wrong.sum()) / total if total else None,
    )


def colourize(ids: UInt8[np.ndarray, "h w"], palette: Palette) -> UInt8[np.ndarray, "H W 3"]:
    """Paints class ids in their colours, at a size fit for a page, with unknown ids striped."""
    large = fit(ids, nearest=True)
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = np.array(palette, np.uint8)
    return np.where((large < len(palette))[..., None], table[large], _stripes(large.shape))


def _stripes(shape: tuple[int, ...]) -> UInt8[np.ndarray, "h w 1"]:
    y, x = np.indices(shape[:2])
    light: Bool[np.ndarray, "h w"] = (x + y) // _STRIPE % 2 == 0
    return np.where(light, 235, 40).astype(np.uint8)[..., None]


def fit(
    array: UInt8[np.ndarray, "h w *c"], *, nearest: bool = False
) -> UInt8[np.ndarray, "H W *c"]:
    """Scales to a size fit for a page: small images by a whole factor, so pixels stay square.

    Args:
        array: an image, or class ids.
        nearest: do not mix values, as for class ids; enlarging never does.
    """
    height, width = array.shape[:2]
    factor = max(1, -(-_SMALLEST_SIDE // max(height, width)))
    if factor > 1:
        return array.repeat(factor, axis=0).repeat(factor, axis=1)
    if max(height, width) <= _LARGEST_SIDE:
        return array
    scale = _LARGEST_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_AREA
    return cv2.resize(array, size, interpolation=how)


def _encode(image: UInt8[np.ndarray, "h w c"]) -> bytes:
    """Encodes RGB or RGBA as PNG."""
    order = cv2.COLOR_RGBA2BGRA if image.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    ok, data = cv2.imencode(".png", cv2.cvtColor(image, order), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not ok:
        raise ValueError(f"OpenCV could not write a PNG of shape {image.shape}.")
    return data.tobytes()
