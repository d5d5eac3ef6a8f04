"""PASCAL VOC 2012 segmentation, with SBD's labels: the splits of FCN and of DeepLab.

Everingham et al., "The Pascal Visual Object Classes Challenge: A Retrospective" (IJCV 111, 2015);
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/. Void pixels outline every object.

- `train` (1,464) and `val` (1,449) are VOC's; `trainval` is both.
- `trainaug` (10,582) is DeepLab's training set: VOC's `train` and all of SBD, without VOC's
  `val`. Images of VOC's `train` keep VOC's own labels with their void outlines, as in
  mmsegmentation; the others have SBD's, which know no void.
- `sbdd_train` (8,498) and `seg11valid` (736) are what FCN was trained and scored on
  (arXiv:1605.06211; shelhamer/fcn.berkeleyvision.org, data/pascal). The first is
  SBD's `train` with SBD's labels; it holds images of VOC's `val`, so that a network trained on
  it must not be scored there. The second is the part of VOC 2011's `val` that SBD's `train`
  does not hold. Its images are all in VOC 2012 and are read from there.
- `val_trimap_1` to `val_trimap_40` count only pixels within that distance of void ones
  (DeepLab, arXiv:1412.7062, figure 5, and arXiv:1606.00915, section 4.1; DeepLabv3+,
  arXiv:1802.02611, figure 5). The papers plot widths up to 40 pixels without a table.

VOC's `test` has no published labels and is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.datasets.id_list import read_ids
from seg_jax.data.datasets.layout import find
from seg_jax.data.datasets.sbd import SBD, decode_sbd_label, find_sbd
from seg_jax.data.datasets.voc_labels import decode_voc_label
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.palettes import VOC_CLASSES, voc_palette
from seg_jax.data.spec import Archive, DatasetSpec, Trimap, Union
from seg_jax.data.validate import Origin

HOMEPAGE = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"

TRIMAP_WIDTHS = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40)
"""Pixels; a selection that spans the axis of DeepLab's figures."""

FCN_LIST = "seg11valid.txt"
_VOC_2011 = "VOC2011/ImageSets/Segmentation/val.txt"

SPEC = DatasetSpec(
    name="voc",
    classes=VOC_CLASSES,
    palette=voc_palette(len(VOC_CLASSES)),
    licence="Photographs from Flickr under its terms of use; for research.",
    citation=(
        "Everingham, Eslami, Van Gool, Williams, Winn, Zisserman. International Journal of "
        "Computer Vision 111:98-136, 2015. SBD: Hariharan, Arbelaez, Bourdev, Maji, Malik. ICCV "
        "2011."
    ),
    splits={"train": 1464, "val": 1449, "trainaug": 10582, "sbdd_train": 8498, "seg11valid": 736},
    derived={
        "trainval": Union(("train", "val")),
        **{f"val_trimap_{width}": Trimap(("val",), width) for width in TRIMAP_WIDTHS},
    },
    homepage=HOMEPAGE,
    archives=(
        Archive(
            f"{HOMEPAGE}VOCtrainval_11-May-2012.tar",
            "VOCtrainval_11-May-2012.tar",
            bytes=1_999_639_040,
            sha256="e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
            md5="6cd6e144f989b92b3379bac3b3de84fd",
        ),
        Archive(
            "http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/"
            "semantic_contours/benchmark.tgz",
            "sbd_benchmark.tgz",
            md5="82b4d87ceb2ed10f6038a1cba92111cb",
        ),
        Archive(
            "https://raw.githubusercontent.com/shelhamer/fcn.berkeleyvision.org/"
            f"1305c7378a9f0ab44b2c936f4d60e4687e3d8743/data/pascal/{FCN_LIST}",
            FCN_LIST,
            bytes=8832,
            sha256="4ca991bd72c251fd2485eaa9e29536502ea3800d1b1c17c151fd6a04bcfbc2cc",
        ),
    ),
    prepared_bytes=2_500_000_000,
)


class VOC(FilesBuilder):
    """Reads VOCdevkit/VOC2012/, and benchmark_RELEASE/ or SegmentationClassAug/ where it is."""

    SPEC = SPEC
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"VOCdevkit/VOC2012 of {HOMEPAGE}; beside it, for the splits trainaug and sbdd_train, "
        "benchmark_RELEASE of SBD (or, for trainaug alone, SegmentationClassAug/ within VOC2012); "
        f"for seg11valid also {FCN_LIST} of github.com/shelhamer/fcn.berkeleyvision.org or "
        "VOCdevkit/VOC2011 with ImageSets/Segmentation/val.txt."
    )

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the splits whose lists are there, each in the order of its ids."""
        voc, sbd = _find_voc(root), find_sbd(root)
        listed = {split: read_ids(_lists(voc) / f"{split}.txt") for split in ("train", "val")}
        items = {split: _voc_items(voc, ids) for split, ids in listed.items()}
        items["trainaug"] = _augmented(voc, sbd, listed["train"], listed["val"])
        if sbd:
            items["sbdd_train"] = [_item(voc, i, sbd.label(i)) for i in sbd.train]
        items["seg11valid"] = _voc_items(voc, _fcn_ids(root, voc, sbd))
        return {split: members for split, members in items.items() if members}

    def reader(self, root: Path) -> Reader:
        """Returns `read`."""
        return read


def read(item: Item, origin: Origin) -> Parts:
    """Reads a label of VOC (PNG) or of SBD (.mat)."""
    is_mat = item.label is not None and item.label.suffix == ".mat"
    decode = decode_sbd_label if is_mat else decode_voc_label
    return Parts(decode(item.label_bytes(), origin))


def _augmented(voc: Path, sbd: SBD | None, train: Iterable[str], val: Iterable[str]) -> list[Item]:
    """Returns DeepLab's training set, empty where no labels are there beyond VOC's own."""
    if sbd:
        extra = {i: sbd.label(i) for i in (*sbd.train, *sbd.val)}
    else:
        # Both forms of this folder that are passed around, with VOC's own images or without.
        extra = {path.stem: path for path in (voc / "SegmentationClassAug").glob("*.png")}
    if not extra:
        return []
    labels = extra | {i: _voc_label(voc, i) for i in train}
    # Without VOC's val, whatever was put into the lists or the folder.
    return [_item(voc, i, labels[i]) for i in sorted(set(labels) - set(val))]


def _fcn_ids(root: Path, voc: Path, sbd: SBD | None) -> list[str]:
    """Returns the ids of FCN's validation set, none where no list of it is there."""
    trained_on = set(sbd.train) if sbd else set()
    listed = _lists(voc) / FCN_LIST
    given = listed if listed.is_file() else find(root, FCN_LIST)
    if given is None and trained_on:
        # As VOC 2011's archive unpacks, and without the folder that it wraps its own in.
        given = find(root, f"TrainVal/VOCdevkit/{_VOC_2011}") or find(root, _VOC_2011)
    return [i for i in read_ids(given) if i not in trained_on] if given else []


def _item(voc: Path, example: str, label: Path) -> Item:
    return Item(example, voc / "JPEGImages" / f"{example}.jpg", label)


def _voc_label(voc: Path, example: str) -> Path:
    return voc / "SegmentationClass" / f"{example}.png"


def _voc_items(voc: Path, ids: Iterable[str]) -> list[Item]:
    return [_item(voc, i, _voc_label(voc, i)) for i in ids]


def _lists(voc: Path) -> Path:
    return voc / "ImageSets" / "Segmentation"


def _find_voc(root: Path) -> Path:
    """Returns the folder of VOC 2012: of that name, or at least not of another year's.

    Raises:
        FileNotFoundError: there is none.
    """
    val = "ImageSets/Segmentation/val.txt"
    found = find(root, f"VOC2012/{val}") or find(root, val)
    voc = found.parents[2] if found else None
    if voc and (voc.name == "VOC2012" or not voc.name.startswith("VOC20")):
        return voc
    other = f" (but {voc})" if voc else ""
    raise FileNotFoundError(
        f"VOC 2012 was not found in {root} or in its folders{other}: there is no VOC2012 with "
        f"{val}. Fetch VOCtrainval_11-May-2012.tar from {HOMEPAGE}, unpack it and "
        "name its folder by --manual_dir."
    )
