"""The tables of categories against facts written down from the publishers' pages."""

from seg_jax.data.datasets.coco_classes import PANOPTIC, THINGS
from seg_jax.data.datasets.coco_stuff_classes import FIRST_STUFF_ID, STUFF

NEVER_ANNOTATED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Ids below 91 of the paper's list without annotations (cocostuff, README, "Labels")."""


def test_things():
    ids = [category.id for category in THINGS]
    assert ids == [i for i in range(1, 91) if i not in NEVER_ANNOTATED]
    assert len(ids) == 80
    names = {category.id: category.name for category in THINGS}
    assert (names[1], names[13], names[44], names[72]) == ("person", "stop sign", "bottle", "tv")
    assert (names[90], names[67]) == ("toothbrush", "dining table")


def test_the_panoptic_task():
    ids = [category.id for category in PANOPTIC]
    assert len(ids) == 133
    assert ids == sorted(set(ids))
    assert ids[80] == 92
    assert ids[-1] == 200
    assert len([i for i in ids if i > 183]) == 17
    known = {category.id: (category.name, category.color) for category in PANOPTIC}
    assert known[1] == ("person", (220, 20, 60))
    assert known[149] == ("road", (128, 64, 128))
    assert known[187] == ("sky-other-merged", (70, 130, 180))
    assert known[200] == ("rug-merged", (250, 141, 255))
    assert len({category.color for category in PANOPTIC}) == 133


def test_stuff():
    names = dict(enumerate(STUFF, start=FIRST_STUFF_ID))
    assert len(set(STUFF)) == 91
    assert max(names) == 182
    assert {i: names[i] for i in (92, 110, 157, 169, 182)} == {
        92: "banner",
        110: "desk-stuff",
        157: "sky-other",
        169: "tree",
        182: "wood",
    }
    # What the panoptic task did not merge keeps its id and name.
    shared = {c.id: c.name for c in PANOPTIC if FIRST_STUFF_ID <= c.id <= 182}
    assert len(shared) == 36
    assert shared == {i: names[i] for i in shared}
