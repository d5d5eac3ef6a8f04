"""The table against the publisher's own."""

import pytest

from seg_jax.data.datasets.cityscapes_labels import (
    CLASSES,
    LABEL_ID_TO_CLASS,
    LABEL_IDS,
    PALETTE,
    TRAIN_ID_TO_CLASS,
)


@pytest.fixture
def published():
    reason = "cityscapesscripts is missing; install requirements-dev.txt."
    return pytest.importorskip("cityscapesscripts.helpers.labels", reason=reason).labels


def test_classes_ids_and_colours_are_those_of_cityscapes_scripts(published):
    counted = sorted((x for x in published if not x.ignoreInEval), key=lambda x: x.trainId)
    assert [x.name for x in counted] == list(CLASSES)
    assert [x.color for x in counted] == list(PALETTE)
    assert [x.id for x in counted] == list(LABEL_IDS)


def test_every_label_id_has_the_train_id_of_cityscapes_scripts(published):
    # A license plate, -1, is 255 where a picture of 8 bit holds it.
    expected = {x.id % 256: x.trainId % 256 for x in published}
    assert expected == LABEL_ID_TO_CLASS
    assert set(expected.values()) == set(TRAIN_ID_TO_CLASS)


def test_some_ids_known_by_heart():
    known = {0: 255, 7: 0, 11: 2, 13: 4, 14: 255, 24: 11, 26: 13, 29: 255, 31: 16, 33: 18, 255: 255}
    assert {value: LABEL_ID_TO_CLASS[value] for value in known} == known
    assert {**{i: i for i in range(19)}, 255: 255} == TRAIN_ID_TO_CLASS
