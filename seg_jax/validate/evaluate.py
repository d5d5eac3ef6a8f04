"""The rules of the section `evaluate`: the protocol, and what is counted."""

from seg_jax.config import Config, ConfigError
from seg_jax.metrics import METRICS
from seg_jax.registry import unknown_name
from seg_jax.validate.rules import is_side, known, require, resize_rule, whole

WINDOWS = {
    "whole": "the whole image",
    "pad": "the size that every image is padded to",
    "center_crop": "the size of the crop",
    "sliding": "the size of the window",
    "overlap_tile": "the size of the tile that the network sees",
}
"""Window -> what config.evaluate.window_size is the size of."""


def validate_evaluate(config: Config) -> None:
    """Refuses a protocol that is no protocol, and a metric that does not exist."""
    evaluate = config.evaluate
    for field, lowest in (("batch_size", 1), ("every", 0), ("num_pictures", 0), ("resamples", 0)):
        whole(config, f"evaluate.{field}", lowest)
    require(
        config,
        "evaluate.boundary_widths",
        lambda value: all(map(is_side, value)),
        "half-widths of 1 pixel or more",
        "a tuple such as (1, 2, 4)",
    )
    for name in evaluate.metrics:
        if name not in METRICS:
            raise unknown_name(name, METRICS, kind="metric", field="config.evaluate.metrics")
    resize_rule(config, "evaluate")
    known(config, "evaluate.labels", ("native", "resized"), "size of labels")
    if evaluate.labels == "resized" and evaluate.resize == "native":
        raise ConfigError(
            "config.evaluate.labels='resized' resizes the labels like the images, but "
            "config.evaluate.resize='native' resizes none. Set it to a rule such as 'short'."
        )
    resized = evaluate.resize != "native"
    if evaluate.window == "center_crop" and resized and evaluate.labels == "native":
        raise ConfigError(
            f"config.evaluate.window='center_crop' crops images and labels alike, and "
            f"config.evaluate.resize={evaluate.resize!r} leaves the labels at their native size. "
            "Set config.evaluate.labels to 'resized'."
        )
    require(
        config,
        "evaluate.scales",
        lambda value: len(value) > 0 and all(scale > 0 for scale in value),
        "one or more factors above 0",
        "a tuple such as (0.75, 1.0, 1.25), or (1.0,) for a single scale",
    )
    require(
        config,
        "evaluate.output_stride",
        lambda value: value in (0, 1, 2, 4, 8, 16, 32),
        "an output stride of 1 to 32, or 0 for that of training",
        "8 to evaluate a network trained at 16 as the papers do",
    )
    _window(config)


def _window(config: Config) -> None:
    evaluate = config.evaluate
    known(config, "evaluate.window", WINDOWS, "window")
    what = WINDOWS[evaluate.window]
    sized = evaluate.window != "whole"
    require(
        config,
        "evaluate.window_size",
        lambda value: len(value) == 2 * sized and all(map(is_side, value)),
        f"(height, width) of {what}" if sized else f"() as {what} needs",
        "a pair such as (513, 513)" if sized else "()",
    )
    strided = evaluate.window in ("sliding", "overlap_tile")
    require(
        config,
        "evaluate.window_stride",
        lambda value: (
            len(value) == 2 * strided
            and all(map(is_side, value))
            and all(s <= w for s, w in zip(value, evaluate.window_size, strict=False))
        ),
        (
            "(height, width) of the step between windows, at most config.evaluate.window_size"
            if strided
            else f"() as config.evaluate.window={evaluate.window!r} needs"
        ),
        "a pair such as (342, 342)" if strided else "()",
    )
