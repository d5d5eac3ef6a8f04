"""Every form of a convolution computes what XLA's convolution computes, gradients too."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.layers import lowering
from seg_jax.layers.lowering import conv_lax, convolve, use_lowering


def assert_same_function(form, reference, x, kernel):
    """Compares values and both gradients, relative to the largest magnitude."""

    @jax.jit
    def run(x, kernel):
        results = []
        for function in (form, reference):
            y, pullback = jax.vjp(function, x, kernel)
            weights = np.random.RandomState(2).randn(*y.shape).astype(np.float32)
            results.append([y, *pullback(jnp.asarray(weights))])
        return results

    for actual, expected in zip(*run(x, kernel), strict=True):
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, atol=2e-6 * float(jnp.abs(expected).max()))


def symmetric(size, rate=1):
    """Padding that keeps the size of what a kernel of side `size` reads."""
    pad = rate * (size - 1) // 2
    return ((pad, pad), (pad, pad))


def draw(*shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).randn(*shape).astype(np.float32))


@pytest.mark.parametrize(("stride", "size"), [(1, (7, 10)), (2, (7, 10)), (3, (1, 5))])
def test_dot_is_a_1x1_convolution(stride, size):
    assert_same_function(
        partial(lowering.conv_dot, stride=stride),
        partial(conv_lax, stride=stride, rate=1, groups=1, pads=symmetric(1)),
        draw(2, *size, 6),
        draw(1, 1, 6, 5, seed=1),
    )


@pytest.mark.parametrize(
    ("stride", "rate", "size", "kernel_size", "pads"),
    [
        (1, 1, (8, 8), 3, None),
        (1, 2, (7, 10), 5, None),
        (1, 12, (7, 10), 3, None),
        (2, 1, (7, 10), 3, None),
        (2, 1, (8, 9), 5, None),
        (2, 2, (1, 5), 3, None),
        (3, 4, (7, 10), 3, None),
        (2, 1, (8, 9), 3, ((0, 1), (1, 1))),
        (1, 1, (8, 9), 3, ((0, 0), (0, 0))),
    ],
)
def test_shift_is_a_depthwise_convolution(stride, rate, size, kernel_size, pads):
    pads = pads or symmetric(kernel_size, rate)
    assert_same_function(
        partial(lowering.conv_shift, stride=stride, rate=rate, pads=pads),
        partial(conv_lax, stride=stride, rate=rate, groups=6, pads=pads),
        draw(2, *size, 6),
        draw(kernel_size, kernel_size, 1, 6, seed=1),
    )


@pytest.mark.parametrize(
    ("rate", "size", "kernel_size"),
    [
        (1, (7, 10), 3),
        (3, (7, 10), 5),
        (6, (7, 10), 3),
        (7, (7, 10), 3),
        (8, (8, 8), 3),
        (6, (1, 5), 3),
        (30, (7, 10), 3),
    ],
)
def test_taps_are_an_atrous_convolution(rate, size, kernel_size):
    pads = symmetric(kernel_size, rate)
    assert_same_function(
        partial(lowering.conv_taps, rate=rate, pads=pads),
        partial(conv_lax, stride=1, rate=rate, groups=1, pads=pads),
        draw(2, *size, 6),
        draw(kernel_size, kernel_size, 6, 5, seed=1),
    )


def test_taps_in_the_padding_cost_nothing():
    x, kernel = draw(1, 8, 8, 6), draw(3, 3, 6, 5)
    for rate, products in ((7, 9), (8, 1)):
        taps = partial(lowering.conv_taps, rate=rate, pads=symmetric(3, rate))
        text = str(jax.make_jaxpr(taps)(x, kernel))
        assert text.count("dot_general") == products


@pytest.mark.parametrize(
    ("kernel_size", "options"),
    [
        (1, {"stride": 2, "rate": 1, "groups": 1}),
        (3, {"stride": 2, "rate": 1, "groups": 6}),
        (3, {"stride": 1, "rate": 6, "groups": 1}),
    ],
)
def test_lowering_switches_the_form_and_not_the_function(kernel_size, options):
    x, kernel = draw(2, 9, 7, 6), draw(kernel_size, kernel_size, 6 // options["groups"], 6)
    run = jax.jit(partial(convolve, **options, pads=symmetric(kernel_size, options["rate"])))
    outputs = {}
    for mode in ("lax", "fast"):
        with use_lowering(mode):
            outputs[mode] = run(x, kernel)
            # The same jitted function: its cache must know under which lowering it was traced.
            uses_conv = "conv_general_dilated" in str(jax.make_jaxpr(run)(x, kernel))
        assert uses_conv == (mode == "lax")
    np.testing.assert_allclose(outputs["fast"], outputs["lax"], atol=1e-5)


@pytest.mark.parametrize(
    ("kernel_size", "options"),
    [
        (3, {"stride": 1, "rate": 1, "groups": 1}),
        (3, {"stride": 1, "rate": 2, "groups": 1}),
        (3, {"stride": 2, "rate": 6, "groups": 1}),
        (3, {"stride": 1, "rate": 1, "groups": 2}),
        (3, {"stride": 1, "rate": 6, "groups": 1, "pads": ((5, 5), (6, 6))}),
        (1, {"stride": 1, "rate": 1, "groups": 1, "pads": ((1, 1), (1, 1))}),
    ],
)
def test_other_shapes_stay_with_xla(kernel_size, options):
    x, kernel = draw(2, 9, 7, 6), draw(kernel_size, kernel_size, 6 // options["groups"], 6)
    options = {"pads": symmetric(kernel_size, options["rate"]), **options}
    with use_lowering("fast"):
        text = str(jax.make_jaxpr(partial(convolve, **options))(x, kernel))
    assert text.count("conv_general_dilated") == 1


def test_auto_follows_the_backend(monkeypatch):
    trace = partial(
        jax.make_jaxpr, partial(convolve, stride=1, rate=1, groups=1, pads=symmetric(1))
    )
    x, kernel = draw(1, 4, 4, 6), draw(1, 1, 6, 6)
    assert "dot_general" in str(trace()(x, kernel))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    jax.clear_caches()
    assert "conv_general_dilated" in str(trace()(x, kernel))


def test_use_lowering_ends_with_its_block():
    trace = jax.make_jaxpr(partial(convolve, stride=1, rate=1, groups=1, pads=symmetric(1)))
    x, kernel = draw(1, 4, 4, 6), draw(1, 1, 6, 6)
    with pytest.raises(RuntimeError), use_lowering("lax"):
        raise RuntimeError
    assert "dot_general" in str(trace(x, kernel))


def test_unknown_lowering_is_refused():
    with pytest.raises(Exception, match="lowering"), use_lowering("fastest"):
        pass
