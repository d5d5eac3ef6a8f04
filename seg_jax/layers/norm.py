"""Normalisation factories: what a network calls to build each of its norm layers."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

Norm = Callable[..., nn.Module]
"""Called with `name=`, returns a module that maps [b, h, w, c] to the same shape.

It already knows whether this is a training pass, so no layer takes a `train` argument.
"""


class BatchNorm(nn.BatchNorm):
    """Batch normalisation in float32 whose result has the dtype of its input."""

    def __call__(self, x: Float[Array, "*b c"], **options: Any) -> Float[Array, "*b c"]:
        """Normalises every channel of `x`."""
        return super().__call__(x.astype(jnp.float32), **options).astype(x.dtype)


def batch_norm(
    train: bool, *, axis: str | None = None, momentum: float = 0.9, epsilon: float = 1e-5
) -> Norm:
    """Returns the factory of batch normalisation layers (Ioffe and Szegedy, arXiv:1502.03167).

    Statistics are those of the whole batch, on however many devices. Small per-device batches
    need that: DeepLabv3 loses 6 points of mIoU from 16 to 8 images (arXiv:1706.05587, table 9).

    Args:
        train: uses and records the statistics of the batch; otherwise the recorded ones are used.
        axis: name of the mapped device axis over which statistics are averaged.
        momentum: share of the recorded statistics kept at a step, one minus PyTorch's.
        epsilon: added to the variance before the square root.
    """
    return partial(
        BatchNorm,
        use_running_average=not train,
        axis_name=axis,
        momentum=momentum,
        epsilon=epsilon,
    )


def per_device_batch_norm(
    train: bool, *, axis: str | None = None, momentum: float = 0.9, epsilon: float = 1e-5
) -> Norm:
    """Returns `batch_norm` with each device's own statistics, as PyTorch's without SyncBatchNorm.

    The network then depends on the number of devices. What is recorded is their average.
    """
    del axis
    return batch_norm(train, momentum=momentum, epsilon=epsilon)


def frozen_batch_norm(
    train: bool, *, axis: str | None = None, momentum: float = 0.9, epsilon: float = 1e-5
) -> Norm:
    """Returns `batch_norm` that uses the recorded statistics in training, too, and keeps them.

    For weights whose statistics are known and batches too small to estimate others, as in
    DeepLab v1 and v2. Scale and offset stay trained unless config.optimizer.lr_multipliers
    freezes them.
    """
    del train, axis
    return batch_norm(False, momentum=momentum, epsilon=epsilon)


class GroupNorm(nn.Module):
    """Group normalisation in float32 whose result has the dtype of its input.

    Attributes:
        groups: groups of channels with statistics of their own; where they do not divide the
            channels, the greatest common divisor is taken.
        epsilon: added to the variance before the square root.
    """

    groups: int
    epsilon: float

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Normalises every group of channels of every image of `x`."""
        norm = nn.GroupNorm(math.gcd(self.groups, x.shape[-1]), epsilon=self.epsilon)
        nn.share_scope(self, norm)  # its scale and bias are this module's
        return norm(x.astype(jnp.float32)).astype(x.dtype)


def group_norm(
    train: bool, *, axis: str | None = None, groups: int = 32, epsilon: float = 1e-5
) -> Norm:
    """Returns the factory of group normalisation layers (Wu and He, arXiv:1803.08494).

    An image's result depends on that image alone, whatever the batch.

    Args:
        train: plays no part, as there is nothing to record.
        axis: plays no part.
        groups: see GroupNorm; 32 in the paper.
        epsilon: added to the variance before the square root.
    """
    del train, axis
    return partial(GroupNorm, groups=groups, epsilon=epsilon)


NORMS = {
    "batch": batch_norm,
    "batch_per_device": per_device_batch_norm,
    "batch_frozen": frozen_batch_norm,
    "group": group_norm,
}
"""What config.model.norm.name may be; "batch" is the default."""


class Identity(nn.Module):
    """Returns its input; stands where a network without normalisation has a norm layer."""

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Returns `x` unchanged."""
        return x


def identity_norm(*, name: str | None = None) -> nn.Module:
    """The `Norm` of networks without normalisation; their convolutions need `use_bias=True`."""
    return Identity(name=name)
