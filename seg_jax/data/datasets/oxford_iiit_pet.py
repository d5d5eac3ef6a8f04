"""The Oxford-IIIT Pet dataset: 7,349 photographs of cats and dogs with trimaps.

Parkhi, Vedaldi, Zisserman and Jawahar, "Cats and dogs" (CVPR 2012);
https://www.robots.ox.ac.uk/~vgg/data/pets/. A trimap is 1 on the pet, 2 on the background and 3
on the border between them (its README calls it not classified). Here background is class 0, pet
class 1, and the border is ignored, as void is in other sets: two classes, and a pixel of which the
annotators did not decide does not count.

The publisher has the lists `trainval` (3,680) and `test` (3,669) and no validation set. So as not
to choose anything by the test set, every fifth entry of `trainval`, which goes by breed, is held
out here as `val` (736), and the others are `train` (2,944). `trainval` is both.

Some of the files named .jpg are GIFs or PNGs. What is neither JPEG nor PNG is stored as PNG.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.id_list import read_ids
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.layout import find
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import Archive, DatasetSpec, Union
from seg_jax.data.validate import Origin, decode_image, decode_label, encode_png
from seg_jax.labels import IGNORE_LABEL

HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/pets/"

CLASS_OF_VALUE = {1: 1, 2: 0, 3: IGNORE_LABEL}
"""Value of a trimap (pet, background, border) -> class id."""

HELD_OUT = 5
"""One of so many entries of the publisher's trainval is in `val`."""

SPEC = DatasetSpec(
    name="oxford_iiit_pet",
    classes=("background", "pet"),
    palette=((0, 0, 0), (220, 120, 40)),
    licence="CC BY-SA 4.0.",
    citation=(
        "Parkhi, Vedaldi, Zisserman, Jawahar. Computer Vision and Pattern Recognition (CVPR) 2012."
    ),
    splits={"train": 2944, "val": 736, "test": 3669},
    derived={"trainval": Union(("train", "val"))},
    homepage=HOMEPAGE,
    archives=(
        Archive(
            f"{HOMEPAGE}data/images.tar.gz",
            "oxford_iiit_pet_images.tar.gz",
            md5="5c4f3ee8e5d25df40f4fd59a7f44e54c",
        ),
        Archive(
            f"{HOMEPAGE}data/annotations.tar.gz",
            "oxford_iiit_pet_annotations.tar.gz",
            md5="95a8c909bbe2e81eed6a22bccdf3f68f",
        ),
    ),
    prepared_bytes=800_000_000,
)

_STORED_AS_THEY_ARE = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""First bytes of JPEG and PNG."""


class OxfordIIITPet(FilesBuilder):
    """Reads images/*.jpg and annotations/ with trimaps/*.png, trainval.txt and test.txt."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"images/ and annotations/ of images.tar.gz and annotations.tar.gz from {HOMEPAGE}."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose list is there, in the order of the lists."""
        annotations, images = _find(root)

        def items(name: str) -> list[Item]:
            return [
                Item(i, images / f"{i}.jpg", annotations / "trimaps" / f"{i}.png")
                for i in read_ids(annotations / f"{name}.txt")
            ]

        trainval = items("trainval")
        held_out = trainval[HELD_OUT - 1 :: HELD_OUT]
        kept = [item for n, item in enumerate(trainval, start=1) if n % HELD_OUT]
        splits = {"train": kept, "val": held_out, "test": items("test")}
        return {split: members for split, members in splits.items() if members}

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a trimap as class ids, and an image that is neither JPEG nor PNG as PNG."""
    trimap = decode_label(item.label_bytes(), origin)
    ids = map_values(
        trimap,
        CLASS_OF_VALUE,
        origin,
        rule="A trimap has 1 (pet), 2 (background) and 3 (border). Take the publisher's "
        "annotations/trimaps.",
    )
    data = item.image.read_bytes()
    if data.startswith(_STORED_AS_THEY_ARE):
        return Parts(ids)
    return Parts(ids, image=encode_png(decode_image(data, origin)))


def _find(root: Path) -> tuple[Path, Path]:
    """Returns the folders of the annotations and of the images.

    Raises:
        FileNotFoundError: one of them is not there.
    """
    listed, images = find(root, "annotations/trainval.txt"), find(root, "images")
    if listed is None or images is None:
        wanted = "annotations/trainval.txt" if listed is None else "images/"
        raise FileNotFoundError(
            f"{wanted} of the Oxford-IIIT Pet dataset was not found in {root} or in its folders. "
            f"Fetch images.tar.gz and annotations.tar.gz from {HOMEPAGE}, unpack them side by side "
            "and name the folder of both by --manual_dir."
        )
    return listed.parent, images
