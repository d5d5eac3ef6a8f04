"""The data border: what an encoded example has to be, and what is said when it is not.

Every example passes `check_example` once, when its dataset is prepared; decoding checks
the cheap part again at every read. TFDS by itself lets truncated images, masks of another
size and labels out of range through without a word.
"""

import dataclasses

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from seg_jax.data.image_header import MAX_PIXELS, read_size
from seg_jax.labels import IGNORE_LABEL

_SHOWN = 8
"""Wrong values named in a message."""


class DataError(ValueError):
    """An example that cannot be used; the message names it, the fault and the remedy."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where an example comes from, for messages.

    Attributes:
        dataset: name of the dataset.
        split: name of the split.
        id: name of the example within the split.
        image_path: file of the image, empty once the example lies in a prepared dataset.
        label_path: file of the label, likewise.
    """

    dataset: str
    split: str
    id: str
    image_path: str = ""
    label_path: str = ""

    def fault(self, part: str, message: str) -> DataError:
        """Returns the error for the "image" or "label" of this example.

        Args:
            part: "image" or "label".
            message: the fault and the remedy, completing "<the file> ...".
        """
        path = {"image": self.image_path, "label": self.label_path}[part]
        where = f" ({path})" if path else ""
        return DataError(
            f"The {part} of example {self.id!r} of {self.dataset}, split {self.split!r}{where} "
            f"{message}"
        )

    def remedy(self) -> str:
        """Returns what to do about a damaged file: replace the source, or prepare again."""
        if self.image_path:
            return "Fetch or unpack this file again."
        return "Delete the prepared dataset and run `python launch.py prepare` again."


def decode_image(data: bytes, origin: Origin) -> UInt8[np.ndarray, "h w 3"]:
    """Decodes an encoded image to RGB as stored, without turning it by its EXIF tag.

    Raises:
        DataError: the bytes are not a whole image, or one of too many pixels.
    """
    # A label has no EXIF tag: turning the image alone would part the two.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    return decode_pixels(data, flags, "image", origin)


def decode_label(data: bytes, origin: Origin) -> UInt8[np.ndarray, "h w"]:
    """Decodes an encoded label picture, whose grey levels are class ids.

    Raises:
        DataError: the bytes are not a whole image, or not one of one 8-bit channel, or too large.
    """
    label = decode_pixels(data, cv2.IMREAD_UNCHANGED, "label", origin)
    if label.ndim != 2:
        raise origin.fault(
            "label",
            f"has {label.shape[2]} channels, but a label picture has one, whose grey levels are "
            "class ids. Convert colours to class ids first.",
        )
    if label.dtype != np.uint8:
        raise origin.fault(
            "label", f"holds {label.dtype} values, but class ids are 8 bit. Convert it first."
        )
    return label


def decode_instances(data: bytes, origin: Origin) -> UInt16[np.ndarray, "h w"]:
    """Decodes a stored map of objects, a PNG of one 16-bit channel.

    Raises:
        DataError: the bytes are not a whole picture of that kind.
    """
    instances = decode_pixels(data, cv2.IMREAD_UNCHANGED, "label", origin)
    if instances.ndim != 2 or instances.dtype != np.uint16:
        raise origin.fault("label", f"has a map of objects that is damaged. {origin.remedy()}")
    return instances


def check_example(image: bytes, label: bytes, num_classes: int, origin: Origin) -> None:
    """Checks everything the rest of the code takes for granted about an encoded example.

    Raises:
        DataError: one of the two does not decode, or `check_parts` refuses them.
    """
    check_parts(decode_image(image, origin), decode_label(label, origin), num_classes, origin)


def check_parts(
    image: UInt8[np.ndarray, "h w 3"],
    label: UInt8[np.ndarray, "h2 w2"],
    num_classes: int,
    origin: Origin,
) -> None:
    """Checks a decoded image and its class ids against each other and the dataset.

    Args:
        image: the image.
        label: class ids after any mapping.
        num_classes: class ids are 0..num_classes - 1 and IGNORE_LABEL.
        origin: where the two come from.

    Raises:
        DataError: their sizes differ, or a label value is not a class id.
    """
    if image.shape[:2] != label.shape:
        raise origin.fault(
            "label",
            f"is {_size(label)} px but its image is {_size(image)} px (height x width). "
            "Give image and label the same size; labels are resized by nearest neighbour.",
        )
    counts = np.bincount(label.ravel(), minlength=256)
    wrong = [v for v in np.flatnonzero(counts).tolist() if num_classes <= v != IGNORE_LABEL]
    if wrong:
        raise origin.fault(
            "label",
            f"holds the values {_some(wrong)} in {counts[wrong].sum()} pixels, but "
            f"allowed are 0..{num_classes - 1} and {IGNORE_LABEL} (not counted). Map them to "
            "class ids, or correct the number of classes in the dataset's spec.",
        )


def encode_png(pixels: np.ndarray) -> bytes:
    """Encodes a grey [h, w] uint8 or uint16 or RGB [h, w, 3] uint8 picture without loss."""
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels)[1].tobytes()


def decode_pixels(data: bytes, flags: int, part: str, origin: Origin) -> np.ndarray:
    """Decodes a picture of any kind, of a bounded size.

    Args:
        data: the encoded picture.
        flags: those of `cv2.imdecode`.
        part: what it is of the example, "image" or "label", for messages.
        origin: the example.

    Raises:
        DataError: the bytes are not a whole picture, or one of too many pixels.
    """
    check_claimed_size(data, part, origin)
    try:
        # OpenCV raises for an empty buffer and for its own limit on sizes; None says the rest.
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise origin.fault(part, f"cannot be decoded ({error.err}). {origin.remedy()}") from error
    if pixels is None:
        raise origin.fault(
            part,
            f"cannot be decoded: its {len(data)} bytes are not a whole image. {origin.remedy()}",
        )
    return pixels


def check_claimed_size(data: bytes, part: str, origin: Origin) -> None:
    """Checks the size that a PNG or JPEG claims, before its pixels fill the memory.

    Raises:
        DataError: it has more than MAX_PIXELS.
    """
    height, width = read_size(data) or (0, 0)
    if height * width > MAX_PIXELS:
        raise origin.fault(
            part,
            f"claims {height} x {width} px (height x width), more than the {MAX_PIXELS:,} pixels "
            "that are decoded. Cut it into tiles or make it smaller, its partner with it.",
        )


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"


def _some(values: list[int]) -> str:
    more = len(values) - _SHOWN
    return str(values) if more <= 0 else f"{str(values[:_SHOWN])[:-1]}, and {more} more]"
