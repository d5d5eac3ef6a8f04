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
        ValueError: a rate is below 1.
    """
    if min(rates, default=1) < 1:
        raise ValueError(
            f"config.model.atrous_rates={rates!r} holds a rate below 1; set it to positive "
            f"integers such as (6, 12, 18)."
        )


class ASPP(nn.Module):
    """One 1x1 branch, one 3x3 branch per atrous rate, and image pooling, all projected.

    Attributes:
        features: channels of every branch and of the projection.
        atrous_rates: rates of the 3x3 branches in cells of the input; they double when the
            output stride is halved, with the same weights. MobileNet releases have none.
        conv: builds a 3x3 branch from (features, rate=, norm=, name=): `ConvNormAct`, or
            `SeparableConv` as in DeepLabv3+ (arXiv:1802.02611, section 3.1).
        image_pooling: adds the branch of the mean over the image.
        project_kernel_size: side of the projection's kernel; mmsegmentation takes 3.
        norm: normalisation factory.
    """

    features: int
    atrous_rates: tuple[int, ...]
    conv: Callable[..., nn.Module] = ConvNormAct
    image_pooling: bool = True
    project_kernel_size: int = 1
    norm: Norm = dataclasses.field(kw_only=True)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w {self.features}"]:
        """Looks at `x` at every scale and projects the concatenated branches."""
        branches = [ConvNormAct(self.features, 1, norm=self.norm, name="point")(x)]
        for i, rate in enumerate(self.atrous_rates, start=1):
            # Named by place, not by rate: stride-16 weights are evaluated at doubled rates.
            branch = self.conv(self.features, rate=rate, norm=self.norm, name=f"atrous{i}")
            branches.append(branch(x))
        if self.image_pooling:
            pooled = jnp.mean(x, axis=(1, 2), keepdims=True)
            pooled = ConvNormAct(self.features, 1, norm=self.norm, name="pool")(pooled)
            branches.append(jnp.broadcast_to(pooled, branches[0].shape))
        x = jnp.concatenate(branches, axis=-1)
        project = ConvNormAct(
            self.features, self.project_kernel_size, norm=self.norm, name="project"
        )
        return project(x)
