"""A backbone of one convolution per stage, so that whole networks compile in seconds."""

import dataclasses

import jax
import pytest
from flax import linen as nn

from seg_jax.backbones import BACKBONES, resnet
from seg_jax.backbones.strides import plan_stages
from seg_jax.layers.conv import ConvNormAct
from seg_jax.layers.norm import Norm


class Tiny(nn.Module):
    """Five 3x3 convolutions, nominally of stride 2 each."""

    output_stride: int = 32
    width: int = 4
    norm: Norm = dataclasses.field(kw_only=True)

    def __call__(self, image):
        return dict(self.stages(image))

    @nn.compact
    def stages(self, image):
        x, current, stages = image, 1, []
        plan = plan_stages((2,) * 5, self.output_stride, stem_stride=1)
        for i, stage in enumerate(plan, start=1):
            layer = ConvNormAct(
                self.width, 3, stage.stride, stage.entry_rate, norm=self.norm, name=f"stage{i}"
            )
            x, current = layer(x), current * stage.stride
            stages.append((current, x))
        return stages


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    """Makes "tiny" the name of that backbone."""
    monkeypatch.setattr(resnet, "Tiny", Tiny, raising=False)
    monkeypatch.setitem(BACKBONES, "tiny", "seg_jax.backbones.resnet:Tiny")


def _equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda value: hasattr(value, "eqns")
        ):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from _equations(inner)


@pytest.fixture
def equations():
    """Returns a function that yields every operation of a program and of what it calls."""
    return _equations
