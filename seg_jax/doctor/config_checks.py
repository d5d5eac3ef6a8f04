"""Holds a config against the data that it names, before the first step."""

from collections.abc import Iterator, Mapping

from seg_jax.config import Config
from seg_jax.data.augment.resize_rule import ResizeRule
from seg_jax.data.doctor.facts import Size, SplitFacts
from seg_jax.data.doctor.finding import Finding

MANY_SIZES = 16
"""Sizes of images in evaluation from which on compiling a program for each is remarked on."""


def check_config(config: Config, facts: Mapping[str, SplitFacts]) -> Iterator[Finding]:
    """Yields what of a config does not go with its data.

    Args:
        config: validated.
        facts: those of its train and its eval split, by name.
    """
    train, evaluated = config.dataset.train_split, config.dataset.eval_split
    if train == evaluated:
        yield Finding(
            "fault",
            "same split",
            train,
            f"config.dataset.train_split and eval_split are both {train!r}: scores are on images "
            "that were trained on.",
            "Set config.dataset.eval_split to another split.",
        )
    for field, split in {"train_split": train, "eval_split": evaluated}.items():
        if facts[split].unlabelled:
            yield Finding(
                "fault",
                "unlabelled split",
                split,
                f"config.dataset.{field}={split!r}, whose labels are not published: every pixel "
                "is ignored.",
                f"Set config.dataset.{field} to a split with labels.",
            )
    if "num_classes" in config.model:
        yield Finding(
            "fault",
            "classes of the model",
            "",
            f"config.model.num_classes={config.model.num_classes} is set, but the network has the "
            "classes of the dataset.",
            "Remove config.model.num_classes.",
        )
    if facts[train].sizes:
        yield from _size(config, facts[train])
        yield from _crop(config, facts[train])
    yield from _batches(config, facts[train], facts[evaluated])


def _size(config: Config, facts: SplitFacts) -> Iterator[Finding]:
    size, largest = tuple(config.dataset.size), _extent(facts.sizes)
    if size and (size[0] > largest[0] or size[1] > largest[1]):
        yield Finding(
            "warning",
            "size above images",
            facts.name,
            f"config.dataset.size={size} is larger than every image, the largest being "
            f"{largest[0]} x {largest[1]}: all are enlarged, at a cost and without more detail.",
            "Make config.dataset.size smaller, or () for the stored sizes.",
        )


def _crop(config: Config, facts: SplitFacts) -> Iterator[Finding]:
    augment, size = config.augment, tuple(config.dataset.size)
    largest_scale = augment.scale_range[1]
    rule = ResizeRule(augment.resize, tuple(augment.base_size), (largest_scale, largest_scale))
    sizes = [size] if size else list(facts.sizes)
    shown = _extent({rule(one, 0.0): 1 for one in sizes})
    crop = tuple(augment.crop_size)
    if crop[0] > shown[0] or crop[1] > shown[1]:
        yield Finding(
            "warning",
            "crop above images",
            facts.name,
            f"config.augment.crop_size={crop} is larger than every image even at the largest "
            f"scale, {shown[0]} x {shown[1]}: every crop is padded with ignored pixels.",
            "Make config.augment.crop_size smaller, or the scales of config.augment larger.",
        )


def _batches(config: Config, train: SplitFacts, evaluated: SplitFacts) -> Iterator[Finding]:
    if 0 < train.usable < config.train.batch_size:
        yield Finding(
            "warning",
            "batch above split",
            train.name,
            f"config.train.batch_size={config.train.batch_size} is larger than the split of "
            f"{train.usable} images: every batch holds some of them twice.",
            "Make config.train.batch_size smaller.",
        )
    if not config.dataset.size and len(evaluated.sizes) > MANY_SIZES:
        yield Finding(
            "note",
            "many sizes",
            evaluated.name,
            f"Its images have {len(evaluated.sizes)} sizes: evaluation compiles a program for "
            "each, and fills a batch from one size alone.",
            "Set config.dataset.size to one (height, width) for quick runs; published scores are "
            "at the stored sizes.",
        )


def _extent(sizes: Mapping[Size, int]) -> Size:
    """Returns the largest height and the largest width, not necessarily of one image."""
    return max(height for height, _ in sizes), max(width for _, width in sizes)
