"""Every fault, planted alone into a sound tree, gives its finding and no other."""

import re
import shutil
import struct
import zlib

import cv2
import numpy as np
import pytest

from seg_jax.data.datasets.camvid import CamVid
from seg_jax.data.doctor.diagnose import KINDS, diagnose
from seg_jax.data.doctor.files import strays
from seg_jax.data.items import Item

IMAGE, LABEL = "val/val_1.png", "valannot/val_1.png"


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def write(path, pixels):
    assert cv2.imwrite(str(path), pixels)


def edit(change):
    """Returns a mutation of one label."""

    def mutate(root):
        write(root / LABEL, change(read(root / LABEL)))

    return mutate


def every(split, change):
    """Returns a mutation of every label of a split."""

    def mutate(root):
        for path in (root / f"{split}annot").iterdir():
            write(path, change(read(path)))

    return mutate


def put(value):
    def change(label):
        label[5, 5] = value
        return label

    return change


def truncate(name):
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:60])


def empty(name):
    return lambda root: (root / name).write_bytes(b"")


def bomb(name):
    """Returns a mutation to a PNG that claims 20,000 x 20,000 pixels in 60 bytes."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    return lambda root: (root / name).write_bytes(data)


def remove_pair(root):
    (root / IMAGE).unlink()
    (root / LABEL).unlink()


def add_stray(root):
    shutil.copy(root / LABEL, root / "valannot" / "nobody.png")


def share_an_image(root):
    shutil.copy(root / "train/train_2.png", root / IMAGE)


def repeat_an_image(root):
    shutil.copy(root / "train/train_2.png", root / "train/train_3.png")


def replace(old, new):
    return lambda label: np.where(label == old, new, label).astype(np.uint8)


def only(old, new):
    """Returns a change that leaves class `old` and turns everything else into `new`."""
    return lambda label: np.where(label == old, old, new).astype(np.uint8)


def colourful(label):
    return np.array((*CamVid.SPEC.palette, (0, 0, 0)), np.uint8)[label][..., ::-1]


FAULTS = {
    "missing label": (lambda root: (root / LABEL).unlink(), "val_1.png\\) is missing"),
    "empty image": (empty(IMAGE), "0 bytes are not a whole image"),
    "empty label": (empty(LABEL), "0 bytes are not a whole image"),
    "unreadable image": (truncate(IMAGE), "60 bytes are not a whole image"),
    "unreadable label": (truncate(LABEL), "60 bytes are not a whole image"),
    "huge image": (bomb(IMAGE), "20000 x 20000 px"),
    "huge label": (bomb(LABEL), "20000 x 20000 px"),
    "colour label": (edit(colourful), "has 3 channels"),
    "deep label": (edit(lambda label: label.astype(np.uint16)), "uint16"),
    "sizes differ": (edit(lambda label: label[:-1]), "11 x 16 px but its image is 12 x 16 px"),
    "values": (edit(put(77)), r"holds the values \[77\] in 1 pixels"),
}

ODDITIES = {
    "count": ("fault", "val", remove_pair, "holds 2 examples where its authors state 3"),
    "all ignored": ("fault", "val", every("val", only(99, 11)), "Every pixel of it is ignored"),
    "class not in training": (
        "fault",
        "val",
        every("train", replace(4, 3)),
        r"class pavement \(4\)",
    ),
    "class not in evaluation": ("warning", "val", every("val", replace(4, 3)), r"class pavement"),
    "duplicates between": ("fault", "train, val", share_an_image, "train/train_2 = val/val_1"),
    "duplicates within": ("warning", "train", repeat_an_image, "train/train_2 = train/train_3"),
    "labels without image": ("warning", "val", add_stray, "nobody.png"),
}


def test_a_sound_tree_gives_no_finding(sound_tree, look_at_files):
    examined, findings = look_at_files(sound_tree)
    assert findings == []
    assert {split: one.facts.usable for split, one in examined.items()} == {"train": 4, "val": 3}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_faulty_example_is_sorted_named_and_not_counted(sound_tree, look_at_files, kind):
    mutate, message = FAULTS[kind]
    mutate(sound_tree)
    examined, (finding,) = look_at_files(sound_tree)
    assert (finding.severity, finding.kind, finding.split) == ("fault", kind, "val")
    assert finding.sentence == f"1 of 3 {KINDS[kind]}: val_1."
    assert re.search(message, finding.detail)
    assert finding.remedy
    facts = examined["val"].facts
    assert (facts.count, facts.usable, sum(facts.sizes.values())) == (3, 2, 2)
    assert sum(facts.pixels) == 2 * 12 * 16


def test_all_faults_are_listed_and_not_the_first_alone(sound_tree, look_at_files):
    truncate(IMAGE)(sound_tree)
    truncate("val/val_2.png")(sound_tree)
    empty("trainannot/train_0.png")(sound_tree)
    _, findings = look_at_files(sound_tree)
    found = {(finding.kind, finding.examples) for finding in findings}
    assert found == {
        ("unreadable image", ("val_1", "val_2")),
        ("empty label", ("train_0",)),
    }


@pytest.mark.parametrize("kind", ODDITIES)
def test_an_odd_split_is_remarked_on(sound_tree, look_at_files, kind):
    severity, split, mutate, sentence = ODDITIES[kind]
    mutate(sound_tree)
    _, (finding,) = look_at_files(sound_tree)
    assert (finding.severity, finding.kind, finding.split) == (severity, kind, split)
    assert re.search(sentence, finding.sentence)
    assert finding.remedy


def test_binary_masks_of_0_and_255_are_recognised(sound_tree, look_at_files):
    every("train", only(0, 255))(sound_tree)
    every("val", only(0, 255))(sound_tree)
    _, findings = look_at_files(sound_tree)
    binary = [finding for finding in findings if finding.kind == "binary masks"]
    assert [finding.split for finding in binary] == ["train", "val"]
    assert "Map 255 to class 1" in binary[0].remedy
    assert {finding.kind for finding in findings} == {"binary masks", "absent class"}


def test_a_class_that_occurs_nowhere_is_named(sound_tree, look_at_files):
    for split in ("train", "val"):
        every(split, replace(10, 3))(sound_tree)
    _, (finding,) = look_at_files(sound_tree)
    assert (finding.severity, finding.kind) == ("warning", "absent class")
    assert finding.sentence == "No pixel of class bicyclist (10)."


def test_much_ignored_is_said_with_its_share(sound_tree, look_at_files):
    def change(label):
        label[:9] = 11
        return label

    every("train", change)(sound_tree)
    _, findings = look_at_files(sound_tree)
    (finding,) = [finding for finding in findings if finding.kind == "much ignored"]
    assert finding.sentence == "75% of its pixels are ignored (255)."


def test_the_numbers_are_those_of_a_plain_loop(sound_tree, look_at_files):
    path = sound_tree / "trainannot" / "train_1.png"
    write(path, replace(9, 3)(read(path)))  # so that a class is not in every image
    examined, _ = look_at_files(sound_tree)
    facts = examined["train"].facts
    assert facts.present[9] == 3
    labels = [read(path) for path in sorted((sound_tree / "trainannot").iterdir())]
    for k in range(11):
        counts = [int((label == k).sum()) for label in labels]
        assert facts.pixels[k] == sum(counts)
        assert facts.present[k] == sum(count > 0 for count in counts)
        assert facts.around[k] == sum(
            x.size for x, count in zip(labels, counts, strict=True) if count
        )
        assert counts[facts.richest[k]] == max(counts)
    assert facts.pixels[11] == sum(int((label == 11).sum()) for label in labels)
    assert facts.sizes == {(12, 16): 4}


def test_an_image_that_is_not_there_is_told_from_its_label(tmp_path):
    item = Item("a", tmp_path / "a.png", tmp_path / "label.png")
    fault = diagnose(CamVid.SPEC, "val", item, lambda *_: None, ValueError("gone"))
    assert (fault.kind, fault.message) == ("missing image", "gone")


def test_a_reader_with_a_rule_of_its_own_is_not_second_guessed(sound_tree):
    def refuse(item, origin):
        raise origin.fault("label", "is not to my taste.")

    item = Item("val_1", sound_tree / IMAGE, sound_tree / LABEL)
    for change in (lambda label: label, colourful):  # colours may be just what it expects
        edit(change)(sound_tree)
        fault = diagnose(CamVid.SPEC, "val", item, refuse, ValueError("not to my taste."))
        assert fault.kind == "refused"


def test_other_files_beside_labels_are_common_where_names_differ(tmp_path):
    for folder, name in (("i", "a_left.png"), ("l", "a_ids.png"), ("l", "a_color.png")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()
    assert strays([Item("a", tmp_path / "i" / "a_left.png", tmp_path / "l" / "a_ids.png")]) == []
