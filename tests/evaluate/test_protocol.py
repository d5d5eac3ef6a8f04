"""Protocols say in one line what they are, and refuse what they cannot be."""

import json

import pytest

from seg_jax.evaluate.protocol import Protocol

SLIDING = {"window": "sliding", "window_size": (513, 513), "window_stride": (342, 342)}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "whole image, native size"),
        ({"output_stride": 8}, "whole image, native size, output stride 8"),
        (
            {**SLIDING, "scales": (0.5, 1.0, 1.75), "flip": True},
            "sliding 513x513 windows with stride 342, native size, 3 scales 0.5-1.75, flips",
        ),
        (
            {"resize": "short", "base_size": (520,), "labels": "resized"},
            "whole image, short side 520; labels resized, too",
        ),
        (
            {"resize": "fit", "base_size": (512, 2048), "scales": (0.5,)},
            "whole image, fitted into 512x2048, scale 0.5; labels at native size",
        ),
        (
            {**SLIDING, "window_stride": (342, 100), "resize": "long", "base_size": (520,)},
            "sliding 513x513 windows with stride 342x100, long side 520; labels at native size",
        ),
        (
            {
                "window": "center_crop",
                "window_size": (513, 500),
                "resize": "fixed",
                "base_size": (520, 600),
                "labels": "resized",
            },
            "513x500 centre crop, resized to 520x600; labels resized, too",
        ),
        (
            {
                "window": "overlap_tile",
                "window_size": (388, 388),
                "window_stride": (204, 204),
                "rotations": True,
                "flip": True,
            },
            "overlap-tiles of 388x388 with 204x204 kept, mirrored border, native size, "
            "flips and rotations",
        ),
        ({"window": "pad", "window_size": (513, 513)}, "padded to 513x513, native size"),
    ],
)
def test_a_line_says_what_it_is(fields, text):
    protocol = Protocol(**fields)
    assert protocol.describe() == text
    written = json.loads(json.dumps(protocol.as_dict()))
    for name, value in written.items():
        given = getattr(protocol, name)
        assert value == (list(given) if isinstance(given, tuple) else given)


def test_views_are_scales_times_symmetries():
    assert Protocol().num_views == 1
    assert Protocol(flip=True).symmetries == (0, 1)
    assert Protocol(scales=(0.5, 1.0, 2.0), flip=True).num_views == 6
    # A flip is one of the symmetries already.
    assert Protocol(rotations=True, flip=True).num_views == 8


def test_contradictions_are_refused():
    with pytest.raises(ValueError, match=r"window='slide' is not one of whole, pad, "):
        Protocol(window="slide")
    with pytest.raises(ValueError, match=r"crops image and label alike.* Set .* to 'resized'"):
        Protocol(window="center_crop", window_size=(9, 9), resize="short", base_size=(9,))
