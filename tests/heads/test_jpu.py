"""Joint Pyramid Upsampling against loops over stages, rates and channels."""

import jax
import jax.numpy as jnp
import numpy as np

from seg_jax.heads.jpu import JointPyramidUpsampling
from seg_jax.layers.norm import identity_norm


def relu(x):
    return np.maximum(x, 0)


def test_it_reads_the_joined_stages_at_four_rates(image, convolve, interpolate, draw_params, run):
    maps = {8: (2, 9, 10, 3), 16: (2, 5, 5, 4), 32: (2, 3, 3, 5)}
    maps = {stride: image(shape, stride) for stride, shape in maps.items()}
    features = jax.tree.map(jnp.asarray, maps)
    jpu = JointPyramidUpsampling(2, align_corners=True, norm=identity_norm)
    params = draw_params(jpu, features)
    stages = [
        interpolate(relu(convolve(maps[stride], params[name]["conv"]["kernel"])), (9, 10))
        for stride, name in ((32, "conv5"), (16, "conv4"), (8, "conv3"))
    ]
    joined = np.concatenate(stages, -1)
    branches = []
    for i, rate in enumerate((1, 2, 4, 8), start=1):
        depthwise = params[f"branch{i}"]["depthwise"]["conv"]["kernel"]
        x = np.concatenate(
            [
                convolve(joined[..., c : c + 1], depthwise[..., c : c + 1], rate)
                for c in range(joined.shape[-1])
            ],
            -1,
        )
        branches.append(relu(convolve(x, params[f"branch{i}"]["pointwise"]["conv"]["kernel"])))
    actual = run(jpu, params, features)
    assert actual.shape == (2, 9, 10, 8)
    np.testing.assert_allclose(actual, np.concatenate(branches, -1), rtol=1e-5, atol=1e-3)
