"""The plan of strides and rates."""

import pytest

from seg_jax.backbones.strides import plan_stages


@pytest.mark.parametrize(
    ("output_stride", "plan"),
    [
        (32, [(1, 1, 1), (2, 1, 1), (2, 1, 1), (2, 1, 1)]),
        (16, [(1, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 2)]),
        (8, [(1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]),
        (4, [(1, 1, 1), (1, 1, 2), (1, 2, 4), (1, 4, 8)]),
    ],
)
def test_resnet_plans(output_stride, plan):
    stages = plan_stages((1, 2, 2, 2), output_stride, stem_stride=4)
    assert [tuple(stage) for stage in stages] == plan


def test_stages_without_stride_keep_the_rate():
    plan = plan_stages((2, 1, 2, 1), output_stride=4, stem_stride=2)
    assert [tuple(stage) for stage in plan] == [(2, 1, 1), (1, 1, 1), (1, 1, 2), (1, 2, 2)]


@pytest.mark.parametrize("output_stride", [2, 6, 64])
def test_unreachable_strides_are_refused(output_stride):
    with pytest.raises(ValueError, match=rf"output_stride={output_stride}.*\[4, 8, 16, 32\]"):
        plan_stages((1, 2, 2, 2), output_stride, stem_stride=4)
