"""ADE20K, scene parsing: 22,210 photographs of indoor and outdoor scenes, 150 classes.

Zhou et al., "Scene parsing through ADE20K dataset" (CVPR 2017, arXiv:1608.05442); the set of
the 2016 challenge, as described in https://github.com/CSAILVision/sceneparsing. Its label
pictures hold 1..150 for the classes and 0 for everything else, which does not count: class
ids are one less than what the files hold.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.ade20k_classes import COLORS
from seg_jax.data.datasets.label_map import map_values
from seg_jax.data.datasets.layout import find
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.spec import Archive, DatasetSpec
from seg_jax.data.validate import Origin, decode_label
from seg_jax.labels import IGNORE_LABEL

OTHER = 0
"""Value of the published label pictures for objects of no class."""

_URL = "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip"

_FOLDERS = {"train": "training", "val": "validation"}

_TO_CLASS = {OTHER: IGNORE_LABEL, **{i + 1: i for i in range(len(COLORS))}}

SPEC = DatasetSpec(
    name="ade20k",
    classes=tuple(COLORS),
    palette=tuple(COLORS.values()),
    licence="Images for non-commercial research and teaching; annotations under BSD 3-clause.",
    citation="Zhou et al. CVPR, 2017. arXiv:1608.05442.",
    splits={"train": 20_210, "val": 2000},
    homepage="http://sceneparsing.csail.mit.edu",
    archives=(Archive(_URL, "ADEChallengeData2016.zip", bytes=967_000_000),),
    prepared_bytes=1_000_000_000,
)


class ADE20K(FilesBuilder):
    """Reads images/{training,validation}/ and annotations/{training,validation}/."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder ADEChallengeData2016, as {_URL} unpacks."

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose images and annotations are both there, by file name."""
        splits = {split: _items(root, folder) for split, folder in _FOLDERS.items()}
        found = {split: items for split, items in splits.items() if items}
        if not found:
            raise FileNotFoundError(
                f"ADE20K was not found in {root} or in a folder up to two below it: none holds "
                "images/training/*.jpg with annotations/training (or validation). This is the "
                f"set of the challenge, {_URL}, not the larger ADE20K with its parts; unpack "
                "it and name its folder by --manual_dir."
            )
        return found

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a label whose values are class ids plus one, and 0 where no class is given."""
    rule = (
        "Labels of the challenge hold 0..150 (0: no class). Do not reduce them beforehand, and "
        "do not take them from the larger ADE20K; fetch or unpack this file again."
    )
    values = decode_label(item.label_bytes(), origin)
    return Parts(map_values(values, _TO_CLASS, origin, rule=rule))


def _items(root: Path, folder: str) -> list[Item]:
    """Returns the items of a split, none where its images or annotations are not there."""
    images, labels = find(root, f"images/{folder}"), find(root, f"annotations/{folder}")
    if images is None or labels is None:
        return []
    return [
        Item(file.stem, file, labels / f"{file.stem}.png") for file in sorted(images.glob("*.jpg"))
    ]
