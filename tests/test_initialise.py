"""Initial variables: what each initialiser intends, a function of seed and path alone."""

import hashlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seg_jax.initialise import initialise
from seg_jax.layers.conv import Conv, ConvNormAct
from seg_jax.layers.deconv import UpConv
from seg_jax.layers.init import normal
from seg_jax.layers.norm import batch_norm


class Net(nn.Module):
    """Every kind of parameter that the project initialises."""

    width: int = 64

    @nn.compact
    def __call__(self, image, *, train):
        x = ConvNormAct(self.width, 7, stride=2, norm=batch_norm(train), name="stem")(image)
        x = ConvNormAct(self.width, 3, groups=self.width, norm=batch_norm(train), name="deep")(x)
        x = UpConv(self.width, name="up")(x)
        x = Conv(self.width, 1, kernel_init=normal(0.01), name="small")(x)
        x = nn.Dense(self.width, kernel_init=nn.initializers.lecun_normal(), name="dense")(x)
        return Conv(5, 1, kernel_init=nn.initializers.zeros, name="score")(x)


SHAPE = (1, 16, 16, 3)


@pytest.fixture(scope="module")
def variables():
    return initialise(Net(), SHAPE, seed=0)


@pytest.fixture(scope="module")
def reference():
    return jax.jit(lambda key: Net().init(key, jnp.zeros(SHAPE), train=False))(jax.random.key(1))


def test_structure_is_that_of_init(variables, reference):
    assert jax.tree.structure(variables) == jax.tree.structure(reference)
    for ours, theirs in zip(jax.tree.leaves(variables), jax.tree.leaves(reference), strict=True):
        assert isinstance(ours, np.ndarray)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


def test_statistics_are_those_of_init(variables, reference):
    random = 0
    for (path, ours), theirs in zip(
        jax.tree_util.tree_leaves_with_path(variables), jax.tree.leaves(reference), strict=True
    ):
        if float(theirs.std()) == 0:
            np.testing.assert_array_equal(ours, theirs, err_msg=str(path))
        else:
            random += 1
            # Four standard errors of the difference of two estimated deviations.
            tolerance = 4 * float(theirs.std()) / np.sqrt(ours.size)
            assert abs(ours.std() - float(theirs.std())) < tolerance, path
            assert abs(ours.mean()) < 4 * ours.std() / np.sqrt(ours.size), path
    assert random == 5


def test_layers_of_one_shape_differ(variables):
    small, dense = variables["params"]["small"]["kernel"], variables["params"]["dense"]["kernel"]
    assert abs(np.corrcoef(small.ravel(), dense.ravel())[0, 1]) < 0.1


def test_seed_decides(variables):
    again, other = initialise(Net(), SHAPE, seed=0), initialise(Net(), SHAPE, seed=1)
    jax.tree.map(np.testing.assert_array_equal, variables, again)
    stems = [tree["params"]["stem"]["conv"]["kernel"] for tree in (variables, other)]
    assert np.abs(stems[0] - stems[1]).max() > 0.1


def test_image_size_does_not_matter(variables):
    larger = initialise(Net(), (2, 33, 40, 3), seed=0)
    jax.tree.map(np.testing.assert_array_equal, variables, larger)


def test_accelerator_default_does_not_matter(variables):
    with jax.default_device(jax.devices()[3]):
        elsewhere = initialise(Net(), SHAPE, seed=0)
    jax.tree.map(np.testing.assert_array_equal, variables, elsewhere)


def test_values_are_the_same_on_every_version(variables):
    """Pins the bits: Python, JAX and NumPy versions and machines must not change an experiment."""
    kernels = [variables["params"][name]["conv"]["kernel"] for name in ("stem", "deep")]
    digest = hashlib.sha256(b"".join(kernel.tobytes() for kernel in kernels)).hexdigest()
    assert digest[:16] == "a87518fe931be3d2"
