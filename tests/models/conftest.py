"""A backbone of one block per stage, so that whole networks compile in seconds."""

from functools import partial

import pytest

from seg_jax.backbones import BACKBONES, resnet


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch):
    """Makes "tiny" a backbone name: a ResNet of one basic block per stage."""
    tiny = partial(resnet.ResNet, stage_sizes=(1, 1, 1, 1), bottleneck=False)
    monkeypatch.setattr(resnet, "tiny", tiny, raising=False)
    monkeypatch.setitem(BACKBONES, "tiny", "seg_jax.backbones.resnet:tiny")
