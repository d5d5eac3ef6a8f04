"""Pascal Context: every pixel of the 10,103 trainval images of VOC 2010, in 59 classes.

Mottaghi et al., "The role of context for object detection and semantic segmentation in the wild"
(CVPR 2014); https://cs.stanford.edu/~roozbeh/pascal-context/. Train and val (4,998 and 5,105) are
VOC 2010's own lists for its main challenge. The publisher labels 459 classes and scores the 59
most frequent; the rest is background, which counts as a class in `pascal_context/60` and is
ignored in `pascal_context/59`. Scores of the two differ by several points.

Ids follow the numbers of the 459 labels, which are in alphabetical order. That is the order of the
label pictures that mmsegmentation writes by the Detail API; the publisher's own list of the 59 and
FCN's begin with the 20 classes of VOC instead. No score depends on the order. Names are those of
the 459 labels: the publisher's list of the 59 calls three of them diningtable, bedcloth and
clothes. Colours are VOC's colour map by id: of mmsegmentation's, two classes share one.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.id_list import read_ids
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.mat_labels import check_ids, read_mat
from seg_jax.data.datasets.pascal_context_classes import LABEL_NUMBERS, NUM_LABELS
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.palettes import voc_palette
from seg_jax.data.spec import Archive, DatasetSpec
from seg_jax.data.validate import Origin, decode_label
from seg_jax.labels import IGNORE_LABEL

HOMEPAGE = "https://cs.stanford.edu/~roozbeh/pascal-context/"

_COUNT = len(LABEL_NUMBERS)


def _spec(form: str, classes: tuple[str, ...], palette: tuple) -> DatasetSpec:
    return DatasetSpec(
        name=f"pascal_context/{form}",
        classes=classes,
        palette=palette,
        licence="Photographs from Flickr under its terms of use; for research.",
        citation=(
            "Mottaghi, Chen, Liu, Cho, Lee, Fidler, Urtasun, Yuille. Computer Vision and Pattern "
            "Recognition (CVPR) 2014."
        ),
        splits={"train": 4998, "val": 5105},
        homepage=HOMEPAGE,
        archives=(
            Archive(
                "http://host.robots.ox.ac.uk/pascal/VOC/voc2010/VOCtrainval_03-May-2010.tar",
                "VOCtrainval_03-May-2010.tar",
                md5="da459979d0c395079b5c75ee67908abb",
            ),
            Archive(f"{HOMEPAGE}trainval.tar.gz", "pascal_context_trainval.tar.gz"),
        ),
        prepared_bytes=1_200_000_000,
    )


SPEC_59 = _spec("59", tuple(LABEL_NUMBERS), voc_palette(_COUNT + 1)[1:])
SPEC_60 = _spec("60", ("background", *LABEL_NUMBERS), voc_palette(_COUNT + 1))


class PascalContext60(FilesBuilder):
    """Reads VOC2010/ with SegmentationClassContext/*.png, or with the publisher's trainval/*.mat.

    Attributes:
        BACKGROUND: whether what is none of the 59 is a class.
    """

    SPEC = SPEC_60
    BACKGROUND = True
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"VOCdevkit/VOC2010 of VOC 2010 and, beside it, trainval/*.mat of {HOMEPAGE}; or VOC2010 "
        "with SegmentationClassContext/ and ImageSets/SegmentationContext/ as mmsegmentation "
        "writes them."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose lists are there, in the order of the lists."""
        voc, lists = _find_voc(root)
        labels, suffix = _find_labels(root, voc)
        return {
            split: [
                Item(i, voc / "JPEGImages" / f"{i}.jpg", labels / f"{i}{suffix}")
                for i in read_ids(lists / f"{split}.txt")
            ]
            for split in self.SPEC.splits
            if (lists / f"{split}.txt").is_file()
        }

    def reader(self, root: Path) -> Reader:
        """Returns `read` for this form."""
        return functools.partial(read, background=self.BACKGROUND)


class PascalContext59(PascalContext60):
    """The same files with background ignored."""

    SPEC = SPEC_59
    BACKGROUND = False


def read(item: Item, origin: Origin, *, background: bool) -> Parts:
    """Reads a label: a .mat of the 459 labels, or a PNG whose grey levels are 0..59.

    Args:
        item: the example.
        origin: where it comes from, for messages.
        background: whether what is none of the 59 is class 0; else it is ignored and the 59
            classes begin at 0.
    """
    data = item.label_bytes()
    is_mat = item.label is not None and item.label.suffix == ".mat"
    ids = _of_459(data, origin) if is_mat else decode_label(data, origin)
    return Parts(ids if background else _WITHOUT_BACKGROUND[ids])


_CLASS_OF_LABEL = np.zeros(NUM_LABELS + 1, np.uint8)
_CLASS_OF_LABEL[list(LABEL_NUMBERS.values())] = np.arange(1, _COUNT + 1)

# Values that are no class stay what they are, so that the check of labels names them.
_WITHOUT_BACKGROUND = np.arange(256, dtype=np.uint8)
_WITHOUT_BACKGROUND[0] = IGNORE_LABEL
_WITHOUT_BACKGROUND[1 : _COUNT + 1] -= 1


def _of_459(data: bytes, origin: Origin) -> UInt8[np.ndarray, "h w"]:
    return _CLASS_OF_LABEL[check_ids(read_mat(data, "LabelMap", origin), origin, NUM_LABELS)]


def _find_voc(root: Path) -> tuple[Path, Path]:
    """Returns the folder of VOC 2010 and that of its lists.

    Raises:
        FileNotFoundError: there is none.
    """
    context, main = "ImageSets/SegmentationContext/val.txt", "ImageSets/Main/val.txt"
    # The main lists of any other year are other images.
    itself = root / main if root.name == "VOC2010" else None
    found = (
        find(root, context)
        or find(root, f"VOC2010/{context}")
        or find(root, f"VOC2010/{main}")
        or (itself if itself and itself.is_file() else None)
    )
    if found is None:
        raise FileNotFoundError(
            f"VOC 2010, whose images Pascal Context labels, was not found in {root} or in its "
            f"folders: there is neither {context} nor VOC2010/{main}. "
            "Fetch VOCtrainval_03-May-2010.tar from http://host.robots.ox.ac.uk/pascal/VOC/"
            "voc2010/, unpack it beside the labels and name the folder of both by --manual_dir."
        )
    return found.parents[2], found.parent


def _find_labels(root: Path, voc: Path) -> tuple[Path, str]:
    """Returns the folder of the labels and the ending of their files.

    Raises:
        FileNotFoundError: there is none.
    """
    pictures = voc / "SegmentationClassContext"
    if pictures.is_dir():
        return pictures, ".png"
    published = find(root, "trainval")
    if published is None:
        raise FileNotFoundError(
            f"The labels of Pascal Context were not found in {root}: there is neither {pictures} "
            f"nor a folder trainval with .mat files. Fetch trainval.tar.gz from {HOMEPAGE}, unpack "
            "it beside VOC2010 and name the folder of both by --manual_dir."
        )
    return published, ".mat"
