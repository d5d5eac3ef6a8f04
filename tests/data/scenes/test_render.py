"""What the probes promise, checked on the pixels."""

import dataclasses
import hashlib

import numpy as np
import pytest

from seg_jax.data.scenes import render as scenes_render
from seg_jax.data.scenes.canvas import Canvas, Dice, grown_mask, shape_mask
from seg_jax.data.scenes.render import MARKER_SIZE, render
from seg_jax.data.scenes.spec import CLASSES, PROBES, SHAPES, SPEC, SceneKnobs, knobs_of, stream_of
from seg_jax.labels import IGNORE_LABEL

SIDES = [CLASSES.index(name) for name in ("port", "starboard")]
LAMPS = [CLASSES.index(name) for name in ("red_lamp", "green_lamp")]


def scenes(split: str, count: int = 12):
    for index in range(count):
        yield render(0, stream_of(split), index, knobs_of(split))


@pytest.mark.parametrize(
    ("split", "golden"),
    [
        ("train", "a46eb31d924f68a6"),
        ("val", "ba7fce21fe1fa7f6"),
        ("size_6", "20d91afbb4e1f9ea"),
        ("distance_32", "04a8b2f999a9f764"),
    ],
)
def test_every_machine_draws_the_same_bytes(split, golden):
    digest = hashlib.sha256()
    for image, label in scenes(split, 20):
        digest.update(image.tobytes() + label.tobytes())
    assert digest.hexdigest()[:16] == golden


def test_a_scene_depends_on_seed_stream_and_index_alone():
    image, label = render(3, "train", 5, SceneKnobs())
    again, again_label = render(3, "train", 5, SceneKnobs())
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(label, again_label)
    for other in ((4, "train", 5), (3, "val", 5), (3, "train", 6)):
        assert (render(*other, SceneKnobs())[0] != image).mean() > 0.5


def test_labels_are_class_ids_and_every_class_is_common():
    counts = np.zeros(256, np.int64)
    for _, label in scenes("train", 100):
        counts += np.bincount(label.ravel(), minlength=256)
    share = counts / counts.sum()
    assert counts.sum() == counts[: len(CLASSES)].sum() + counts[IGNORE_LABEL]
    assert share[: len(CLASSES)].min() > 0.01
    assert 0.02 < share[IGNORE_LABEL] < 0.1


def boxes(label, class_id):
    """Bounding boxes (y, x, height, width) of the connected parts of a class."""
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats((label == class_id).astype(np.uint8))
    return [(int(y), int(x), int(h), int(w)) for x, y, w, h, _ in stats[1:count]]


@pytest.mark.parametrize("level", [6, 12, 24, 40])
def test_size_probe_holds_whole_objects_of_that_size(level):
    seen = set()
    for _, label in scenes(f"size_{level}", 40):
        for shape in SHAPES:
            for y, x, height, width in boxes(label, CLASSES.index(shape)):
                assert height == level
                assert width in (level, level - 1)  # the foot of an odd triangle
                window = label[y : y + height, x : x + level] == CLASSES.index(shape)
                np.testing.assert_array_equal(
                    window, shape_mask(shape, level)[:, : window.shape[1]]
                )
                seen.add(shape)
    assert seen == set(SHAPES)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_width_probe_holds_wires_of_that_width(level, monkeypatch):
    # Nothing drawn over the wires, to see them whole.
    monkeypatch.setattr(scenes_render, "NUM_OBJECTS", 0)
    monkeypatch.setattr(scenes_render, "NUM_MARKERS", 0)
    monkeypatch.setattr(scenes_render, "NUM_WIRES", 1)
    for _, label in scenes(f"width_{level}", 20):
        wire = label == CLASSES.index("wire")
        across, down = wire.sum(1).max(), wire.sum(0)
        if wire.any(0).all():  # from edge to edge: thickness along columns
            assert set(down) == {level}
        else:
            assert across == level


@pytest.mark.parametrize("level", [4, 8, 16, 32])
def test_distance_probe_keeps_the_cue_exactly_so_far(level):
    for _, label in scenes(f"distance_{level}", 20):
        for lamp, side in zip(LAMPS, SIDES, strict=True):
            for y, x, height, width in boxes(label, side):
                assert (height, width) == MARKER_SIZE
                above = label[y - level, x : x + width]
                assert (above == lamp).all()
                assert not np.isin(label[y - level + 1 : y, x : x + width], LAMPS).any()


@pytest.mark.parametrize("level", [4, 8, 16, 32])
def test_no_pixel_nearer_than_the_lamp_tells_the_side(level, monkeypatch):
    """Turning the lamp's colour turns the marker's label, and no pixel but the lamp's."""
    turned = []
    original = Dice.between

    def between(self, low, high):
        value = original(self, low, high)
        return 1 - value if turned and (low, high) == (0, 1) and self in turned else value

    def markers_turned(canvas, dice, knobs, place, draw=scenes_render._draw_marker):
        turned.append(dice)
        return draw(canvas, dice, knobs, place)

    knobs = knobs_of(f"distance_{level}")
    for index in range(6):
        image, label = render(0, "distance", index, knobs)
        with monkeypatch.context() as patch:
            patch.setattr(Dice, "between", between)
            patch.setattr(scenes_render, "_draw_marker", markers_turned)
            other, other_label = render(0, "distance", index, knobs)
        turned.clear()
        marker = np.isin(label, SIDES)
        np.testing.assert_array_equal(other_label[marker], sum(SIDES) - label[marker])
        changed = (image != other).any(-1)
        np.testing.assert_array_equal(changed, np.isin(label, LAMPS))
        # The same column holds the marker's own lamp: it is `level` rows away, not less.
        for side in SIDES:
            for y, x, _, width in boxes(label, side):
                rows = np.flatnonzero(changed[:y, x : x + width].any(1))
                assert y - rows.max() == level


@pytest.mark.parametrize("level", [2, 4, 8, 16])
def test_period_probe_holds_stripes_of_that_period_and_one_mean_colour(level, monkeypatch):
    monkeypatch.setattr(scenes_render, "NUM_OBJECTS", 0)
    monkeypatch.setattr(scenes_render, "NUM_MARKERS", 0)
    monkeypatch.setattr(scenes_render, "NUM_WIRES", 0)
    seen = set()
    for index in range(12):
        knobs = dataclasses.replace(knobs_of(f"period_{level}"), colour_noise=0)
        image, label = render(0, "period", index, knobs)
        for name, axis in (("rows", 0), ("columns", 1)):
            for y, x, height, width in boxes(label, CLASSES.index(name)):
                if width > max(scenes_render.FIELD_SIZES[1]):
                    continue  # two fields that touch
                field = image[y : y + height, x : x + width].astype(int)
                along, across = np.diff(field, axis=1 - axis), np.diff(field, axis=axis)
                assert not along.any()
                edges = np.flatnonzero(across.any(-1).any(1 - axis))
                assert set(np.diff(edges)) <= {level // 2}
                assert len(edges)
                seen.add(name)
    assert seen == {"rows", "columns"}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.factor)
def test_a_probe_varies_one_thing_and_its_scenes_are_not_those_of_training(probe):
    knobs = [dataclasses.asdict(knobs_of(probe.split(level))) for level in probe.levels]
    varied = {key for key in knobs[0] if len({str(k[key]) for k in knobs}) > 1}
    assert len(varied) == 1
    fixed = {key: value for key, value in knobs[0].items() if key not in varied}
    defaults = dataclasses.asdict(SceneKnobs())
    assert fixed == {key: defaults[key] for key in fixed}
    streams = {stream_of(probe.split(level)) for level in probe.levels}
    assert streams == {probe.factor}
    assert not streams & {"train", "val"}


def test_colour_says_nothing_about_shape(monkeypatch):
    """The table of colours is drawn before, and apart from, the shapes."""
    seen = {shape: set() for shape in SHAPES}
    original = Canvas.stamp

    def stamp(self, shape, size, y, x, row, label, band):
        seen[shape].add(row)
        original(self, shape, size, y, x, row, label, band)

    monkeypatch.setattr(Canvas, "stamp", stamp)
    for _ in scenes("train", 60):
        pass
    rows = set(range(scenes_render.OBJECTS, scenes_render.OBJECTS + 8))
    assert all(found == rows for found in seen.values())


@pytest.mark.parametrize("size", [6, 7, 24, 40])
def test_shapes_differ_and_fill_their_square(size):
    masks = [shape_mask(shape, size) for shape in SHAPES]
    for mask in masks:
        assert mask.any(0).sum() >= size - 1
        assert mask.any(1).all()
        np.testing.assert_array_equal(mask, mask[:, ::-1])
    areas = [int(mask.sum()) for mask in masks]
    assert areas[1] > areas[0] > areas[2]
    assert grown_mask("square", size, 1).all()
    assert grown_mask("disk", size, 1).shape == (size + 2, size + 2)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"object_size": (6, 60)}, r"object_size=\(6, 60\)"),
        ({"line_width": (0, 2)}, r"line_width=\(0, 2\)"),
        ({"cue_distance": (9, 4)}, r"cue_distance=\(9, 4\)"),
        ({"stripe_period": (2, 32)}, r"stripe_period=\(2, 32\)"),
        ({"image_size": 64}, "image_size=64 is too small"),
    ],
)
def test_knobs_that_cannot_be_drawn_are_refused(knobs, message):
    with pytest.raises(ValueError, match=message):
        SceneKnobs(**knobs)


@pytest.mark.parametrize("size", [80, 97, 160])
def test_other_sizes_are_drawn_too(size):
    knobs = SceneKnobs(image_size=size)
    for index in range(30):
        image, label = render(0, "train", index, knobs)
        assert image.shape == (size, size, 3)
        assert np.isin(label, [*range(SPEC.num_classes), IGNORE_LABEL]).all()
