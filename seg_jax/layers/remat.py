"""What the backward pass keeps of the forward pass, and what it computes again.

Chen et al. 2016, "Training deep nets with sublinear memory cost" (arXiv:1604.06174). Layers name
what is worth keeping; a policy picks the names. Everything between is recomputed, which gives
the same numbers.
"""

from typing import Literal

import jax
from jax import Array
from jax.ad_checkpoint import checkpoint_name

POLICIES = {
    "convs": jax.checkpoint_policies.save_only_these_names("conv"),
    "blocks": jax.checkpoint_policies.save_only_these_names("block"),
}
"""config.train.remat -> policy. "convs" keeps the results of convolutions: norms and activations,
which cost little, come again. "blocks" keeps what a residual block, a stage of VGG or a level of
U-Net ends in: about one forward pass more. How much memory that saves is the compiler's to say:
XLA on CPUs orders operations so that nothing is saved."""


def kept(x: Array, name: Literal["conv", "block"]) -> Array:
    """Returns `x`, which the policy of that name keeps."""
    return checkpoint_name(x, name)
