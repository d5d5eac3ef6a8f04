"""Atrous spatial pyramid pooling of DeepLabv3 (arXiv:1706.05587, section 3.3, figure 5)."""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seg_jax.layers.conv import ConvNormAct
from seg_jax.layers.norm import Norm


def check_atrous_rates(rates: tuple[int, ...]) -> None:
    """Checks the field `atrous_rates` of a model.

    Raises:
        ValueError: there is no rate, or one below 1.
    """
    if not rates or min(rates) < 1:
        raise ValueError(
            f"config.model.atrous_rates={rates!r} is not a non-empty tuple of positive integers; "
            f"set it to one such as (6, 12, 18)."
        )


class ASPP(nn.Module):
    """One 1x1 branch, one 3x3 branch per atrous rate, and image pooling, all projected.

    Attributes:
        features: channels of every branch and of the projection.
        atrous_rates: rates of the 3x3 branches in cells of the input; they double when the
            output stride is halved, with the same weights.
        conv: builds a 3x3 branch from (features, rate=, norm=, name=): `ConvNormAct`, or
            `SeparableConv` as in DeepLabv3+ (arXiv:1802.02611, section 3.1).
        norm: normalisation factory.
    """

    features: int
    atrous_rates: tuple[int, ...]
    conv: Callable[..., nn.Module] = ConvNormAct
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w {self.features}"]:
        """Looks at `x` at every scale and projects the concatenated branches."""
        branches = [ConvNormAct(self.features, 1, norm=self.norm, name="point")(x)]
        for i, rate in enumerate(self.atrous_rates, start=1):
            # Named by place, not by rate: stride-16 weights are evaluated at doubled rates.
            branch = self.conv(self.features, rate=rate, norm=self.norm, name=f"atrous{i}")
            branches.append(branch(x))
        pooled = jnp.mean(x, axis=(1, 2), keepdims=True)
        pooled = ConvNormAct(self.features, 1, norm=self.norm, name="pool")(pooled)
        branches.append(jnp.broadcast_to(pooled, branches[0].shape))
        x = jnp.concatenate(branches, axis=-1)
        return ConvNormAct(self.features, 1, norm=self.norm, name="project")(x)
