"""Sizes, skips and channels of U-Net's halves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.heads.unet import UNetDecoder, UNetEncoder
from seg_jax.layers.norm import identity_norm


def make_decoder(upsampling="transposed", padded=True):
    return UNetDecoder(
        base_features=2,
        upsampling=upsampling,
        align_corners=True,
        padded=padded,
        use_bias=False,
        norm=identity_norm,
    )


def maps(shapes):
    return {stride: jax.ShapeDtypeStruct(shape, jnp.float32) for stride, shape in shapes.items()}


def sizes_of(encoder, height, width):
    x = jax.ShapeDtypeStruct((1, height, width, 3), jnp.float32)
    features, _ = jax.eval_shape(encoder.init_with_output, jax.random.key(0), x)
    return {stride: value.shape[1:] for stride, value in features.items()}


def test_the_encoder_pools_down_and_drops_odd_rows():
    encoder = UNetEncoder((2, 4, 8), padded=True, use_bias=True, norm=identity_norm)
    assert sizes_of(encoder, 13, 10) == {1: (13, 10, 2), 2: (6, 5, 4), 4: (3, 2, 8)}


def test_the_unpadded_halves_have_the_sizes_of_the_papers_figure(draw_params):
    encoder = UNetEncoder((1, 2, 4, 8, 16), padded=False, use_bias=True, norm=identity_norm)
    sizes = sizes_of(encoder, 572, 572)
    assert [size[0] for size in sizes.values()] == [568, 280, 136, 64, 28]
    features = maps({stride: (1, *size) for stride, size in sizes.items()})
    decoder = make_decoder(padded=False)
    params = draw_params(decoder, features, size=(388, 388))
    out = jax.eval_shape(
        lambda features: decoder.apply({"params": params}, features, (388, 388))[1], features
    )
    assert out.shape == (1, 388, 388, 2)


def test_skips_come_first_and_missing_ones_are_left_out(image, draw_params, run):
    features = {4: jnp.asarray(image((1, 3, 4, 5))), 8: jnp.asarray(image((1, 2, 2, 6)))}
    decoder = make_decoder()
    params = draw_params(decoder, features, size=(11, 13))
    kernels = {name: params[name]["conv1"]["kernel"].shape for name in params if "_up" not in name}
    assert kernels == {"stage3": (3, 3, 13, 8), "stage2": (3, 3, 4, 4), "stage1": (3, 3, 2, 2)}
    # The first channel of the skip meets the first row of the kernel, as in the peers.
    other = {4: features[4].at[..., 0].add(1.0), 8: features[8]}
    out = run(decoder, params, features, size=(11, 13))[1]
    assert out.shape == (1, 11, 13, 2)
    assert np.abs(run(decoder, params, other, size=(11, 13))[1] - out).max() > 1e-3
    kernel = params["stage3"]["conv1"]["kernel"]
    params["stage3"]["conv1"]["kernel"] = kernel.at[:, :, 0].set(0.0)
    np.testing.assert_array_equal(
        run(decoder, params, other, size=(11, 13))[1],
        run(decoder, params, features, size=(11, 13))[1],
    )


def test_a_doubled_map_is_cropped_or_padded_at_the_end(image, draw_params, run):
    decoder = make_decoder()
    deep, skip = image((1, 2, 2, 3)), np.zeros((1, 3, 5, 1), np.float32)
    features = {1: jnp.asarray(skip), 2: jnp.asarray(deep)}
    params = draw_params(decoder, features, size=(3, 5))
    # Identity convolutions show the upsampled map itself.
    for conv, channels in (("conv1", 3), ("conv2", 2)):
        kernel = np.zeros((3, 3, channels, 2), np.float32)
        kernel[1, 1, channels - 2 :] = np.eye(2)
        params["stage1"][conv]["kernel"] = jnp.asarray(kernel)
    params["stage1_up"]["kernel"] = jnp.abs(params["stage1_up"]["kernel"])
    params["stage1_up"]["bias"] = jnp.ones(2)
    features[2] = jnp.abs(features[2])
    out = np.asarray(run(decoder, params, features, size=(3, 5))[1])
    assert (out[:, :, :4] >= 1).all()
    assert (out[:, :, 4] == 0).all()


@pytest.mark.parametrize(
    ("upsampling", "has_layer", "joined", "narrow"),
    [
        ("transposed", True, 8, 4),
        ("bilinear", False, 12, 2),
        ("bilinear_conv", True, 8, 4),
        ("nearest", False, 12, 4),
    ],
)
def test_where_the_channels_are_halved(upsampling, has_layer, joined, narrow, draw_params):
    features = maps({1: (1, 8, 8, 2), 2: (1, 4, 4, 4), 4: (1, 2, 2, 8)})
    params = draw_params(make_decoder(upsampling), features, size=(8, 8))
    assert ("stage2_up" in params) == has_layer
    assert params["stage2"]["conv1"]["kernel"].shape == (3, 3, joined, 4)
    assert params["stage2"]["conv2"]["kernel"].shape == (3, 3, 4, narrow)
    assert params["stage1"]["conv2"]["kernel"].shape == (3, 3, 2, 2)


def test_every_stage_is_returned(draw_params):
    features = maps({1: (1, 7, 9, 2), 2: (1, 4, 5, 4), 4: (1, 2, 3, 8)})
    decoder = make_decoder("nearest")
    params = draw_params(decoder, features, size=(7, 9))
    out = jax.eval_shape(
        lambda features: decoder.apply({"params": params}, features, (7, 9)), features
    )
    assert {stride: each.shape for stride, each in out.items()} == {
        2: (1, 4, 5, 4),
        1: (1, 7, 9, 2),
    }
