"""Predicts many pictures: results of each, and what to say about it."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from seg_jax.files import write_json
from seg_jax.predict.overlay import UNPAINTED, draw_overlay
from seg_jax.predict.pictures import Picture, PictureError, read_picture
from seg_jax.predict.results import encode_jpeg, encode_mask, write_whole
from seg_jax.weights.native import Labels

SUMMARY = "predictions.json"


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What became of one picture.

    Attributes:
        path: its file.
        size: (height, width) in pixels; (0, 0) where it could not be read.
        shares: classes found -> their share of the picture in 0..1, largest first.
        mask: palette PNG with class ids, inside the output folder.
        overlay: JPEG to look at, inside the output folder.
        error: why there is nothing else; "" where there is.
    """

    path: Path
    size: tuple[int, int] = (0, 0)
    shares: dict[str, float] = dataclasses.field(default_factory=dict)
    mask: str = ""
    overlay: str = ""
    error: str = ""


def predict_pictures(
    pictures: Iterable[Picture],
    predict: Callable[[UInt8[np.ndarray, "h w 3"]], UInt8[np.ndarray, "h w"]],
    labels: Labels,
    out: Path,
    *,
    origin: str,
    on_picture: Callable[[Prediction], None],
) -> list[Prediction]:
    """Writes NAME_mask.png and NAME_overlay.jpg for each picture, and a summary of all.

    Files that are no pictures are passed over and say so in the summary, which is written at the
    end, and also when the work is interrupted.

    Args:
        pictures: what to predict.
        predict: maps an RGB picture to class ids.
        labels: names and colours of the classes.
        out: output folder, made if absent.
        origin: where the weights come from, for the summary.
        on_picture: told what became of each picture.

    Raises:
        OSError: a result cannot be written.
        ValueError: there are more classes than a mask's 8 bits tell apart.
    """
    if len(labels.classes) > 256:
        raise ValueError(
            f"A mask holds up to 256 classes, and this network has {len(labels.classes)}."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"Folder {str(out)!r} cannot be made ({error.strerror}).") from error
    predictions = []
    try:
        for picture in pictures:
            prediction = _predict(picture, predict, labels, out)
            predictions.append(prediction)
            on_picture(prediction)
    except KeyboardInterrupt:
        write_json(out / SUMMARY, _summary(predictions, labels, origin))
        raise
    write_json(out / SUMMARY, _summary(predictions, labels, origin))
    return predictions


def percent(share: float) -> str:
    """Returns a share in 0..1 as text; one that rounds to nothing is still something."""
    return f"{100 * share:.1f} %" if share >= 0.0005 else "<0.1 %"


def _predict(picture: Picture, predict: Callable, labels: Labels, out: Path) -> Prediction:
    try:
        pixels = read_picture(picture.path)
        classes = predict(pixels)
        found = _shares(classes, labels)
        legend = [(index, f"{labels.classes[index]} {percent(share)}") for index, share in found]
        unpainted = labels.classes.index(UNPAINTED) if UNPAINTED in labels.classes else None
        overlay = encode_jpeg(
            draw_overlay(pixels, classes, labels.palette, legend, unpainted=unpainted)
        )
    except PictureError as error:
        return Prediction(picture.path, error=str(error))
    except cv2.error as error:
        return Prediction(picture.path, error=f"OpenCV cannot process it ({error.err})")
    files = [f"{picture.name.as_posix()}_{what}" for what in ("mask.png", "overlay.jpg")]
    write_whole(out / files[0], encode_mask(classes, labels.palette))
    write_whole(out / files[1], overlay)
    shares = {labels.classes[index]: share for index, share in found}
    return Prediction(picture.path, classes.shape, shares, *files)


def _shares(classes: UInt8[np.ndarray, "h w"], labels: Labels) -> list[tuple[int, float]]:
    """Returns (class id, share of the picture) of the classes found, largest first."""
    counts = np.bincount(classes.reshape(-1), minlength=len(labels.classes))
    order = np.argsort(-counts, kind="stable")
    return [(int(index), float(counts[index] / classes.size)) for index in order if counts[index]]


def _summary(predictions: list[Prediction], labels: Labels, origin: str) -> dict:
    pictures = []
    for prediction in predictions:
        facts = {"file": str(prediction.path)}
        if prediction.error:
            pictures.append(facts | {"error": prediction.error})
            continue
        height, width = prediction.size
        facts |= {"size": {"height": height, "width": width}, "classes": prediction.shares}
        pictures.append(facts | {"mask": prediction.mask, "overlay": prediction.overlay})
    return {"weights": origin, "classes": list(labels.classes), "pictures": pictures}
