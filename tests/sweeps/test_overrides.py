import pytest

from seg_jax.sweeps import product


def test_last_axis_varies_fastest_and_double_underscore_is_a_dot():
    assert list(product(model__name=["fcn8s", "unet"], seed=range(2))) == [
        {"model.name": "fcn8s", "seed": 0},
        {"model.name": "fcn8s", "seed": 1},
        {"model.name": "unet", "seed": 0},
        {"model.name": "unet", "seed": 1},
    ]


def test_linked_fields_change_together():
    linked = [{"label": "a", "model.name": "unet"}, {"label": "b", "model.name": "fcn8s"}]
    assert list(product(linked, seed=[3])) == [
        {"label": "a", "model.name": "unet", "seed": 3},
        {"label": "b", "model.name": "fcn8s", "seed": 3},
    ]


def test_product_of_nothing_is_the_base_config():
    assert list(product()) == [{}]


def test_one_shot_iterators_serve_as_axes():
    assert len(list(product((x for x in [{"a": 1}, {"a": 2}]), seed=iter([0, 1])))) == 4


def test_bare_string_is_refused():
    with pytest.raises(ValueError, match=r"write model__name=\['unet'\]"):
        list(product(model__name="unet"))


def test_two_axes_for_one_field_are_refused():
    with pytest.raises(ValueError, match="Two axes of this product set 'seed'"):
        list(product([{"seed": 1}], seed=[0]))
