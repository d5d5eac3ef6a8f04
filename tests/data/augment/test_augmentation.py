"""Painting the label into the image shows that the two are treated alike."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.assemble import data
from seg_jax.config import base_config
from seg_jax.data.augment import PAD_COLOR, Augmentation
from seg_jax.labels import IGNORE_LABEL
from seg_jax.validate import validate


def blocks(height: int, width: int, seed: int) -> np.ndarray:
    """A label of 8 x 8 blocks of the values 0, 80, 160 and 240."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (height // 8 + 1, width // 8 + 1), np.uint8) * 80
    return np.kron(coarse, np.ones((8, 8), np.uint8))[:height, :width].copy()


def paint(label: np.ndarray) -> np.ndarray:
    return np.stack([label] * 3, -1)


def assert_border_lies_on(image, label, border):
    """A border that equals the image is interpolated as that is, which rounds; 0 outside."""
    inside = label != IGNORE_LABEL
    assert border.dtype == np.float32
    assert not border[~inside].any()
    np.testing.assert_allclose(border[inside], image[inside][:, 0], atol=0.76)


@settings(max_examples=60, deadline=None, database=None)
@given(
    source=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    crop=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    scale=st.floats(0.4, 2.5),
    seed=st.integers(0, 1000),
    axis=st.sampled_from([0, 1]),
)
def test_image_and_label_stay_on_each_other(source, crop, scale, seed, axis):
    # On a ramp of 4 a pixel, bilinear and nearest differ by half a pixel, 2, and rounding.
    label = (np.indices(source)[axis] * 4).astype(np.uint8)
    augmentation = Augmentation(crop, (scale, scale), flip=True)
    image, out, border = augmentation(
        paint(label), label, np.random.default_rng(seed), label.astype(np.float32)
    )
    assert image.shape == (*crop, 3)
    assert_border_lies_on(image, out, border)
    assert out.shape == crop
    assert set(np.unique(out)) <= set(np.unique(label)) | {IGNORE_LABEL}
    padded = out == IGNORE_LABEL
    assert (image[padded] == PAD_COLOR).all()
    height, width = (min(c, max(1, round(s * scale))) for c, s in zip(crop, source, strict=True))
    assert not padded[:height, :width].any()
    assert (~padded).sum() == height * width
    assert np.abs(image[..., 0].astype(int) - out)[~padded].max() <= 3


def test_without_scaling_the_crop_is_an_exact_window():
    label = blocks(40, 50, 0)
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    augmentation = Augmentation((16, 24), flip=False)
    corners = set()
    for seed in range(200):
        out, out_label, _ = augmentation(image, label, np.random.default_rng(seed))
        (y,), (x,) = (
            np.unique(axis)
            for axis in np.nonzero(
                (np.lib.stride_tricks.sliding_window_view(image, (16, 24, 3))[:, :, 0] == out).all(
                    (2, 3, 4)
                )
            )
        )
        np.testing.assert_array_equal(out_label, label[y : y + 16, x : x + 24])
        corners.add((int(y), int(x)))
    ys, xs = zip(*corners, strict=True)
    assert (min(ys), max(ys)) == (0, 24)
    assert (min(xs), max(xs)) == (0, 26)


def test_flips_half_of_the_time_and_only_left_and_right():
    label = np.zeros((8, 8), np.uint8)
    label[0, 0] = 7
    outcomes = [
        Augmentation((8, 8))(paint(label), label, np.random.default_rng(s))[1] for s in range(200)
    ]
    flipped = [bool(out[0, 7] == 7) for out in outcomes]
    assert all((out[0, 7] == 7) != (out[0, 0] == 7) for out in outcomes)
    assert 70 < sum(flipped) < 130


def test_turning_the_flip_off_does_not_move_the_crop():
    label = blocks(40, 40, 1)
    for seed in range(20):
        plain, mirrored = (
            Augmentation((16, 16), (0.5, 2.0), flip=flip)(
                paint(label), label, np.random.default_rng(seed)
            )[1]
            for flip in (False, True)
        )
        assert np.array_equal(plain, mirrored) or np.array_equal(
            np.sort(plain, 1), np.sort(mirrored, 1)
        )


def test_scale_enlarges_by_the_factor():
    label = np.zeros((40, 40), np.uint8)
    label[::10] = label[:, ::10] = 9  # a grid whose pitch shows the scale
    _, out, _ = Augmentation((40, 40), (2.0, 2.0), flip=False)(
        paint(label), label, np.random.default_rng(0)
    )
    for axis in (0, 1):
        lines = np.flatnonzero((out == 9).all(axis))
        starts = lines[np.diff(lines, prepend=-9) > 1]
        assert len(starts) >= 2
        assert set(np.diff(starts)) <= {19, 20}  # 10 pixels of the source


@settings(max_examples=80, deadline=None, database=None)
@given(
    source=st.tuples(st.integers(20, 60), st.integers(20, 60)),
    scale=st.floats(0.5, 2.0),
    rotation=st.floats(0, 180),
    elastic=st.floats(0, 3),
    seed=st.integers(0, 1000),
    axis=st.sampled_from([0, 1]),
)
def test_turned_and_deformed_image_and_label_stay_on_each_other(
    source, scale, rotation, elastic, seed, axis
):
    label = (np.indices(source)[axis] * 4).astype(np.uint8)
    augmentation = Augmentation(
        (40, 30), (scale, scale), flip_vertical=True, rotation=rotation, elastic=elastic
    )
    image, out, border = augmentation(
        paint(label), label, np.random.default_rng(seed), label.astype(np.float32)
    )
    assert_border_lies_on(image, out, border)
    padded = out == IGNORE_LABEL
    assert set(np.unique(out)) <= set(np.unique(label)) | {IGNORE_LABEL}
    assert (image[padded] == PAD_COLOR).all()
    assert np.abs(image[..., 0].astype(int) - out)[~padded].max(initial=0) <= 3


OPERATIONS = {
    "max_class_ratio": 0.5,
    "flip_vertical": True,
    "rotation": 20.0,
    "elastic": 4.0,
    "blur_probability": 1.0,
    "mix": "cutmix",
}


@pytest.mark.parametrize("field", sorted(OPERATIONS))
def test_an_operation_changes_something_and_draws_nothing_of_the_others(field):
    label = blocks(40, 40, 1)
    plain = Augmentation((16, 24), (0.5, 2.0))
    changed = dataclasses.replace(plain, **{field: OPERATIONS[field]})
    differs = False
    for seed in range(10):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        images = [a(paint(label), label, r)[0] for a, r in ((plain, one), (changed, other))]
        differs |= not np.array_equal(*images)
        assert one.bit_generator.state == other.bit_generator.state
    assert differs == (field != "mix")


@pytest.mark.parametrize("field", [None, *sorted(OPERATIONS)])
def test_a_border_draws_nothing_and_changes_neither_image_nor_label(field, memory_source):
    class Bordered(memory_source):
        def __getitem__(self, index):
            example = super().__getitem__(index)
            border = example["label"].astype(np.float32)
            border.setflags(write=False)
            return {**example, "border": border}

    labels = [blocks(40, 40, i) for i in range(3)]
    plain, bordered = memory_source(labels), Bordered(labels)
    augmentation = Augmentation((16, 24), (0.5, 2.0))
    if field:
        augmentation = dataclasses.replace(augmentation, **{field: OPERATIONS[field]})
    for seed in range(10):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        without = augmentation.sample(plain.__getitem__, seed % 3, 3, one)
        made = augmentation.sample(bordered.__getitem__, seed % 3, 3, other)
        assert one.bit_generator.state == other.bit_generator.state
        assert set(made) - set(without) == {"border"}
        np.testing.assert_array_equal(made["image"], without["image"])
        np.testing.assert_array_equal(made["label"], without["label"])
        assert made["id"] == without["id"] == f"n{seed % 3}"
        if field != "blur_probability":  # of the image alone
            assert_border_lies_on(made["image"], made["label"], made["border"])


def test_the_vertical_flip_is_independent_of_the_other():
    label = np.zeros((8, 8), np.uint8)
    label[0, 0] = 7
    augmentation = Augmentation((8, 8), flip_vertical=True)
    corners = np.zeros((8, 8), int)
    for seed in range(400):
        corners += augmentation(paint(label), label, np.random.default_rng(seed))[1] == 7
    assert corners.sum() == 400
    assert all(70 < corners[y, x] < 130 for y in (0, 7) for x in (0, 7))


def test_padding_stays_below_and_right_of_a_mirrored_image():
    label = np.full((4, 5), 3, np.uint8)
    for rotation in (0.0, 1e-9):
        augmentation = Augmentation((6, 9), flip_vertical=True, rotation=rotation)
        for seed in range(8):
            out = augmentation(paint(label), label, np.random.default_rng(seed))[1]
            assert (out[:4, :5] == 3).all()
            assert (out == IGNORE_LABEL).sum() == 6 * 9 - 4 * 5


def test_angles_cover_the_range_evenly_in_both_directions():
    # A bright spot right of the centre shows the angle.
    label = np.zeros((81, 81), np.uint8)
    label[38:43, 68:73] = 1
    augmentation = Augmentation((81, 81), flip=False, rotation=60.0)
    angles = []
    for seed in range(300):
        _, out, _ = augmentation(paint(label), label, np.random.default_rng(seed))
        y, x = (axis.mean() - 40 for axis in np.nonzero(out == 1))
        angles.append(np.degrees(np.arctan2(y, x)))
        assert np.hypot(y, x) == pytest.approx(30, abs=0.7)
    assert -60.5 < min(angles) < -55
    assert 55 < max(angles) < 60.5
    assert np.histogram(angles, 4, (-60, 60))[0].min() > 50


def test_elastic_displaces_the_centre_by_its_standard_deviation():
    label = np.zeros((81, 81), np.uint8)
    label[39:42, 39:42] = 1
    augmentation = Augmentation((81, 81), flip=False, elastic=4.0)
    shifts = []
    for seed in range(300):
        _, out, _ = augmentation(paint(label), label, np.random.default_rng(seed))
        shifts.append([axis.mean() - 40 for axis in np.nonzero(out == 1)])
    assert np.mean(shifts) == pytest.approx(0, abs=0.6)
    np.testing.assert_allclose(np.std(shifts, axis=0), 4, rtol=0.2)
    assert abs(np.corrcoef(np.transpose(shifts))[0, 1]) < 0.2


def test_blur_is_a_gaussian_of_the_image_alone_as_often_as_said():
    rng = np.random.default_rng(0)
    image, label = rng.integers(0, 256, (30, 30, 3), np.uint8), blocks(30, 30, 0)
    plain = Augmentation((30, 30))
    blurred = dataclasses.replace(plain, blur_probability=0.3, blur_sigma=(2.0, 2.0))
    often = 0
    for seed in range(300):
        before, label_before, _ = plain(image, label, np.random.default_rng(seed))
        after, label_after, _ = blurred(image, label, np.random.default_rng(seed))
        np.testing.assert_array_equal(label_before, label_after)
        if not np.array_equal(before, after):
            often += 1
            np.testing.assert_array_equal(
                after, cv2.GaussianBlur(np.ascontiguousarray(before), (0, 0), 2.0)
            )
    assert 60 < often < 120


def test_the_width_of_the_blur_covers_its_range():
    image = np.zeros((41, 41, 3), np.uint8)
    image[20, 20] = 255
    label = np.zeros((41, 41), np.uint8)
    augmentation = Augmentation((41, 41), flip=False, blur_probability=1.0, blur_sigma=(0.5, 3.0))
    peaks = [int(augmentation(image, label, np.random.default_rng(s))[0].max()) for s in range(100)]
    assert min(peaks) <= 6  # 255 / (2 pi 3^2) = 4.5
    assert max(peaks) >= 120  # 255 / (2 pi 0.5^2) = 162


@pytest.mark.parametrize("mix", ["cutmix", "classmix"])
def test_a_sample_is_two_augmented_examples_mixed(mix, memory_source):
    images = list(np.random.default_rng(0).integers(0, 256, (5, 12, 16, 3), np.uint8))
    source = memory_source([np.full((12, 16), i, np.uint8) for i in range(5)], images)
    plain = Augmentation((12, 16), (0.5, 2.0))
    mixing = dataclasses.replace(plain, mix=mix, mix_probability=0.5)
    partners = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        image, label, _ = plain(source[2]["image"], source[2]["label"], rng)
        rng.random(2)
        sample = plain.sample(source.__getitem__, 2, 5, np.random.default_rng(seed))
        np.testing.assert_array_equal(sample["image"], image)
        np.testing.assert_array_equal(sample["label"], label)
        read = []
        mixed = mixing.sample(
            lambda i, read=read: read.append(i) or source[i], 2, 5, np.random.default_rng(seed)
        )
        assert mixed["id"] == "n2"
        mixed_image, mixed_label = mixed["image"], mixed["label"]
        assert read[0] == 2
        partners += read[1:]
        other = source[read[-1]]
        other_image, other_label, _ = plain(other["image"], other["label"], rng)
        pasted = mixed_label != label
        if len(read) == 1:
            assert not pasted.any()
        np.testing.assert_array_equal(mixed_label[pasted], other_label[pasted])
        np.testing.assert_array_equal(mixed_image[pasted], other_image[pasted])
        own = ~pasted & (label == 2)
        np.testing.assert_array_equal(mixed_image[own], image[own])
    assert 150 < len(partners) < 250
    assert set(partners) == {0, 1, 3, 4}
    assert min(np.unique(partners, return_counts=True)[1]) > 30


def test_the_only_example_is_its_own_partner(memory_source):
    source = memory_source([blocks(12, 16, 0)])
    augmentation = Augmentation((12, 16), mix="cutmix")
    made = augmentation.sample(source.__getitem__, 0, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(made["image"][..., 0], made["label"])


def test_read_only_examples_are_left_as_they_are(memory_source):
    source = memory_source([blocks(12, 16, i) for i in range(3)])
    examples = [source[i] for i in range(3)]
    for example in examples:
        example["image"].setflags(write=False)
        example["label"].setflags(write=False)
    augmentation = Augmentation((12, 16), flip=False, mix="classmix", blur_probability=1.0)
    for seed in range(5):
        made = augmentation.sample(examples.__getitem__, 0, 3, np.random.default_rng(seed))
        assert (made["image"] != examples[0]["image"]).any()
    for position, example in enumerate(examples):
        np.testing.assert_array_equal(example["image"], source[position]["image"])
        np.testing.assert_array_equal(example["label"], source[position]["label"])


BAD = {
    "crop_size": [(0, 5)],
    "scale_range": [(2.0, 0.5), (0.0, 0.5)],
    "scale_step": [-0.25, 0.4],
    "resize": ["shorter"],
    "base_size": [(520,), (5, 5)],
    "pad_color": [(0, 0, 256), (-1, 0, 0)],
    "max_class_ratio": [0.0, 1.5],
    "rotation": [-1.0, 181.0],
    "elastic": [-1.0],
    "blur_probability": [-0.1, 1.1],
    "blur_sigma": [(0.0, 1.0), (2.0, 1.0)],
    "mix": ["mixup"],
    "mix_probability": [1.1],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
def test_senseless_fields_are_refused_here_and_in_a_config(field, value):
    fields = {"crop_size": (5, 5), "scale_range": (0.5, 1.25), field: value}
    with pytest.raises(ValueError, match=rf"config\.augment\.{field}"):
        Augmentation(**fields)
    config = base_config()
    config.augment.update(fields)
    with pytest.raises(ValueError, match=rf"config\.augment\.{field}"):
        validate(config)


@pytest.mark.parametrize(
    ("resize", "size"),
    [
        ("native", ()),
        ("short", (520,)),
        ("long", (520,)),
        ("fit", (512, 2048)),
        ("fixed", (360, 480)),
    ],
)
def test_a_resize_rule_takes_a_base_size_of_its_own(resize, size):
    config = base_config()
    config.augment.update({"resize": resize, "base_size": size})
    validate(config)
    Augmentation((5, 5), resize=resize, base_size=size)
    for wrong in {(), (520,), (0,), (512, 2048), (512, 0)} - {size}:
        if len(wrong) == len(size) and min(wrong) > 0:
            continue
        config.augment.base_size = wrong
        with pytest.raises(ValueError, match=r"config\.augment\.base_size"):
            validate(config)
        with pytest.raises(ValueError, match=r"config\.augment\.base_size"):
            Augmentation((5, 5), resize=resize, base_size=wrong)


@pytest.mark.parametrize(
    ("fields", "sizes"),
    [
        ({"resize": "fixed", "base_size": (10, 15)}, {(10, 15)}),
        ({"resize": "short", "base_size": (20,)}, {(20, 25)}),
        ({"resize": "long", "base_size": (20,)}, {(16, 20)}),
        ({"resize": "fit", "base_size": (30, 30)}, {(24, 30)}),
        ({"scale_range": (0.5, 1.0), "scale_step": 0.25}, {(20, 25), (30, 38), (40, 50)}),
    ],
)
def test_the_image_is_resized_by_its_rule(fields, sizes):
    label = np.zeros((40, 50), np.uint8)
    seen = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        out = Augmentation((60, 60), **fields)(paint(label), label, rng)[1]
        seen.add(((out[:, 0] == 0).sum().item(), (out[0] == 0).sum().item()))
    assert seen == sizes


def test_a_config_reaches_the_training_stream_field_by_field(monkeypatch):
    values = {
        "crop_size": (5, 7),
        "pad_color": (1, 2, 3),
        "resize": "fit",
        "base_size": (9, 11),
        "scale_range": (0.5, 1.5),
        "scale_step": 0.5,
        "max_class_ratio": 0.6,
        "flip": False,
        "flip_vertical": True,
        "rotation": 12.0,
        "elastic": 3.0,
        "blur_probability": 0.4,
        "blur_sigma": (0.3, 0.7),
        "mix": "classmix",
        "mix_probability": 0.8,
    }
    assert {field.name for field in dataclasses.fields(Augmentation)} == set(values)
    config = base_config()
    config.augment.update(values)
    built = []

    def record(**fields):
        built.append(fields)
        return Augmentation(**fields)

    monkeypatch.setattr(data, "Augmentation", record)
    data.train_stream(config, data.open_split(config, "train"), start_step=0).close()
    assert built == [values]


def test_the_fields_and_defaults_are_those_of_the_config():
    fields = {field.name: field.default for field in dataclasses.fields(Augmentation)}
    config = base_config().augment.to_dict()
    assert set(config) - set(fields) == {"color_jitter", "photometric_distortion"}
    assert set(fields) <= set(config)
    same = set(fields) - {"crop_size", "scale_range"}
    assert {field: config[field] for field in same} == {field: fields[field] for field in same}
