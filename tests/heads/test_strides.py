"""A missing stride is named, with what the backbone gives instead."""

import jax.numpy as jnp
import pytest

from seg_jax.heads.strides import require_strides


def test_missing_strides_are_refused():
    features = {stride: jnp.zeros((1, 1, 1, 1)) for stride in (4, 8)}
    require_strides(features, (4, 8), model="fastfcn")
    with pytest.raises(ValueError, match=r"fastfcn reads strides 8, 16 .* which gives 4, 8\."):
        require_strides(features, (8, 16), model="fastfcn")
