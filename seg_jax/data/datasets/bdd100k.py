"""BDD100K, semantic segmentation: 10,000 frames of driving, the classes of Cityscapes.

Yu et al., "BDD100K: a diverse driving dataset for heterogeneous multitask learning" (CVPR
2020, arXiv:1805.04687). Layouts and classes are those of the publisher's documentation
(https://github.com/bdd100k/bdd100k, doc/source). Masks hold train ids, 255 where unknown.

The archive of images published before June 2021 has four images of train and two of val
without masks, and masks without images instead (issues 103 and 127 of that repository).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.cityscapes_labels import CLASSES, PALETTE, TRAIN_ID_TO_CLASS
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.unlabelled import ignore_all
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import DataError, Origin, decode_label

IMAGES_MD5 = "08f26aecceda982568063d3d5873378e"
"""Checksum of the current archive of 10k images, as the publisher states it."""

_LAYOUTS = (
    ("images/10k/{split}", "labels/sem_seg/masks/{split}", "{id}.png"),
    ("seg/images/{split}", "seg/labels/{split}", "{id}_train_id.png"),
)
"""Folder of images, folder of masks, name of a mask: since 2020, and before."""

SPEC = DatasetSpec(
    name="bdd100k",
    classes=CLASSES,
    palette=PALETTE,
    licence="Free for education, research and not-for-profit; https://doc.bdd100k.com/license.html.",
    citation="Yu et al. CVPR, 2020. arXiv:1805.04687.",
    splits={"train": 7000, "val": 1000, "test": 2000},
    unlabelled=("test",),
    homepage="https://bdd-data.berkeley.edu",
    prepared_bytes=1_300_000_000,
)


class BDD100K(FilesBuilder):
    """Reads images/10k/ with labels/sem_seg/masks/, or the older seg/images/ and seg/labels/."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"The packages '10K Images' and 'Segmentation' of {SPEC.homepage} (needs an account), "
        "unpacked into one folder."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images (and masks, but for test) are there, by file name.

        Raises:
            DataError: images and masks of a split are not of the same frames.
        """
        splits = {split: _items(root, split) for split in SPEC.splits}
        found = {split: items for split, items in splits.items() if items}
        if not found:
            raise FileNotFoundError(
                f"BDD100K was not found in {root} or in a folder up to two below it: none holds "
                "images/10k/train with labels/sem_seg/masks/train, or seg/images/train with "
                "seg/labels/train (or val, or the images of test). Get the packages '10K "
                f"Images' and 'Segmentation' from {SPEC.homepage}, unpack them into one folder "
                "and name it by --manual_dir."
            )
        return found

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads train ids, which are the class ids."""
    if item.label is None:
        return ignore_all(item, origin)
    rule = (
        "Masks of semantic segmentation hold train ids 0..18, and 255 where unknown. Those of "
        "other tasks (drivable, lane, ins_seg) and colormaps are of no use here."
    )
    values = decode_label(item.label_bytes(), origin)
    return Parts(map_values(values, TRAIN_ID_TO_CLASS, origin, rule=rule))


def _items(root: Path, split: str) -> list[Item]:
    """Returns the items of a split, none where its images or masks are not there."""
    for images_at, masks_at, mask_name in _LAYOUTS:
        images = find(root, images_at.format(split=split))
        if images is None:
            continue
        files = sorted(images.glob("*.jpg"))
        if split in SPEC.unlabelled:
            return [Item(file.stem, file) for file in files]
        masks = find(root, masks_at.format(split=split))
        if masks is not None:
            items = [
                Item(file.stem, file, masks / mask_name.format(id=file.stem)) for file in files
            ]
            _check_pairs(split, items, masks, mask_name.format(id="*"))
            return items
    return []


def _check_pairs(split: str, items: Sequence[Item], masks: Path, pattern: str) -> None:
    wanted = {item.label.name for item in items if item.label}
    present = {file.name for file in masks.glob(pattern)}
    missing, left_over = sorted(wanted - present), sorted(present - wanted)
    if missing or left_over:
        raise DataError(
            f"Split {split!r} of BDD100K has {len(missing)} images without a mask in {masks} "
            f"({_some(missing)}) and {len(left_over)} masks without an image "
            f"({_some(left_over)}). The archive of images from before June 2021 has this fault: "
            f"fetch the current '10K Images' (MD5 {IMAGES_MD5}), or delete those files to go on "
            "with fewer."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "") if names else "none"
