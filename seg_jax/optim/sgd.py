"""Stochastic gradient descent as the segmentation papers use it."""

from collections.abc import Mapping
from typing import Any

import jax
import optax


def sgd(
    schedule: optax.Schedule,
    *,
    momentum: float = 0.9,
    weight_decay: float = 1e-4,
    head_lr_multiplier: float = 1.0,
) -> optax.GradientTransformation:
    """SGD with momentum, weight decay on kernels only, and a faster head.

    Weight decay is the gradient of an L2 penalty and goes through the momentum, as in
    Caffe and PyTorch; decoupled decay would be a different regulariser. Norm scales,
    norm offsets and biases are not decayed (He et al. 2019, arXiv:1812.01187, section 3.1).

    Args:
        schedule: learning rate of the backbone by step.
        momentum: weight of the old velocity.
        weight_decay: weight of the L2 penalty, halved as usual: d/dw (w^2 / 2) = w.
        head_lr_multiplier: factor of the learning rate outside the submodule `backbone`;
            10 in DeepLab v1 and v2. A network without a backbone has no pretrained part
            to protect and trains at `schedule` throughout.
    """
    return optax.chain(
        optax.add_decayed_weights(weight_decay, mask=decay_mask),
        optax.trace(decay=momentum),
        optax.scale_by_learning_rate(schedule),
        optax.masked(optax.scale(head_lr_multiplier), head_mask),
    )


def decay_mask(params: Any) -> Any:
    """Marks the parameters that weight decay applies to: kernels, and nothing else."""
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)


def head_mask(params: Mapping[str, Any]) -> dict[str, Any]:
    """Marks the parameters outside `backbone`; none in a network without a backbone."""
    has_backbone = "backbone" in params
    return {
        name: jax.tree.map(lambda _, head=has_backbone and name != "backbone": head, subtree)
        for name, subtree in params.items()
    }
