"""Checks that a backbone delivers the strides a head reads."""

from collections.abc import Iterable

from seg_jax.typing import Features


def require_strides(features: Features, strides: tuple[int, ...], *, model: str) -> None:
    """Checks that `features` holds every stride of `strides`.

    Raises:
        ValueError: a stride is missing, because the backbone ends at a finer one or starts
            at a coarser one.
    """
    if any(stride not in features for stride in strides):
        raise ValueError(
            f"{model} reads strides {_listing(strides)} of its backbone, which gives "
            f"{_listing(sorted(features))}. Set config.model.backbone.output_stride to at least "
            f"{max(strides)}, or choose another config.model.backbone.name."
        )


def _listing(strides: Iterable[int]) -> str:
    return ", ".join(str(stride) for stride in strides)
