"""The labels of Cityscapes, which BDD100K shares: 19 classes out of 34 label ids.

From the publisher's table, https://github.com/mcordts/cityscapesScripts, helpers/labels.py.
There, the place of a class in the list below is its "train id"; every other label has the
train id 255 and does not count.
"""

from seg_jax.data.spec import Color
from seg_jax.labels import IGNORE_LABEL

_TRAIN_LABELS: tuple[tuple[str, int, Color], ...] = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)

CLASSES = tuple(name for name, _, _ in _TRAIN_LABELS)

PALETTE = tuple(color for _, _, color in _TRAIN_LABELS)

LABEL_IDS = tuple(label_id for _, label_id, _ in _TRAIN_LABELS)
"""Label id of every class, by class id."""

NUM_LABEL_IDS = 34
"""Label ids are 0..33. A license plate has -1: the publisher leaves its pixels to the label
below, and an 8-bit picture made otherwise holds 255 there."""

LABEL_ID_TO_CLASS = {
    **dict.fromkeys((*range(NUM_LABEL_IDS), 255), IGNORE_LABEL),
    **{label_id: class_id for class_id, label_id in enumerate(LABEL_IDS)},
}

TRAIN_ID_TO_CLASS = {**{i: i for i in range(len(CLASSES))}, 255: IGNORE_LABEL}
