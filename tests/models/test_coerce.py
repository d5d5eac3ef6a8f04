"""Values of a config, against annotations of every kind that fields have."""

from typing import Literal

import pytest

from seg_jax.models.coerce import coerce


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (3, int, 3),
        (True, bool, True),
        (1, float, 1.0),
        ("a", Literal["a", "b"], "a"),
        ([1, 2], tuple[int, ...], (1, 2)),
        ((), tuple[int, ...], ()),
        ([1, 0.5], tuple[float, ...], (1.0, 0.5)),
        (None, int | None, None),
        ([1, 2], tuple[int, ...] | None, (1, 2)),
    ],
)
def test_values_that_fit(value, annotation, expected):
    actual = coerce(value, annotation, field="config.model.x")
    assert actual == expected
    assert type(actual) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation", "allowed"),
    [
        (True, int, "an integer"),
        (1.0, int, "an integer"),
        (True, float, "a number"),
        ("0.5", float, "a number"),
        (1, bool, "True or False"),
        ("c", Literal["a", "b"], "one of 'a', 'b'"),
        ([1, "2"], tuple[int, ...], "a tuple whose items are each an integer"),
        ("12", tuple[int, ...], "a tuple whose items are each an integer"),
        (None, tuple[int, ...], "a tuple whose items are each an integer"),
        ("1", int | None, "an integer or None"),
    ],
)
def test_values_that_do_not(value, annotation, allowed):
    with pytest.raises(ValueError, match="is not") as error:
        coerce(value, annotation, field="config.model.x")
    assert str(error.value) == f"config.model.x={value!r} is not {allowed}. Set it to one."
