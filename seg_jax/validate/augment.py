"""The rules of the section `augment`."""

from math import isclose

from seg_jax.config import Config
from seg_jax.validate.rules import known, number, pair, require, resize_rule

MIXES = ("cutmix", "classmix")


def validate_augment(config: Config) -> None:
    """The rules of the section `augment`; `seg_jax.data.augment` says what its fields do."""
    pair(config, "augment.crop_size", optional=False)
    resize_rule(config, "augment")
    for field, example in (("scale_range", "(0.5, 2.0)"), ("blur_sigma", "(0.1, 2.0)")):
        require(
            config,
            f"augment.{field}",
            lambda value: len(value) == 2 and 0 < value[0] <= value[1],
            "(lowest, highest) with 0 < lowest <= highest",
            f"a range such as {example}",
        )
    low, high = config.augment.scale_range
    require(
        config,
        "augment.scale_step",
        lambda value: (
            value >= 0 and (not value or isclose((high - low) / value, round((high - low) / value)))
        ),
        f"0 or a step that divides config.augment.scale_range={(low, high)} evenly",
        "0 for any scale of the range",
    )
    require(
        config,
        "augment.pad_color",
        lambda value: len(value) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in value),
        "three whole numbers from 0 to 255 (RGB)",
        "a colour such as (124, 116, 104)",
    )
    if config.augment.mix != "":
        known(config, "augment.mix", MIXES, "mix")
    number(config, "augment.max_class_ratio", above=0.0, at_most=1.0)
    number(config, "augment.rotation", at_least=0.0, at_most=180.0)
    number(config, "augment.elastic", at_least=0.0)
    number(config, "augment.blur_probability", at_least=0.0, at_most=1.0)
    number(config, "augment.mix_probability", at_least=0.0, at_most=1.0)
    number(config, "augment.color_jitter", at_least=0.0, below=1.0)
