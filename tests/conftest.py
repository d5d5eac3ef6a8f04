"""Several CPU devices, strict promotion, checked shapes; where the optional assets lie."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import flax.linen as nn
import jax
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

install_import_hook("seg_jax", "beartype.beartype")

from seg_jax.typing import Outputs  # noqa: E402 - after the hook, so that its shapes are checked

ASSETS = Path(os.environ.get("SEG_JAX_ASSETS", Path(__file__).parents[2] / "shared"))


@pytest.fixture
def asset():
    """Returns a function (relative path -> existing path) that skips where it is absent.

    Data sets and trained weights are licensed for research only and never committed;
    SEG_JAX_ASSETS names the folder that holds them (default: `shared` beside the checkout).
    """

    def find(relative: str) -> Path:
        path = ASSETS / relative
        if not path.exists():
            pytest.skip(f"{path} is absent; set SEG_JAX_ASSETS to the folder that holds it.")
        return path

    return find


class Toy(nn.Module):
    """A network of two convolutions with batch normalisation over `axis`; keeps the image size."""

    num_classes: int = 4
    axis: str | None = None
    aux: bool = False

    @nn.compact
    def __call__(self, image, *, train):
        x = nn.Conv(8, (3, 3), name="backbone")(image)
        x = nn.BatchNorm(use_running_average=not train, axis_name=self.axis, name="norm")(x)
        x = nn.relu(x)
        logits = nn.Conv(self.num_classes, (1, 1), name="classifier")(x)
        if not self.aux:
            return Outputs(logits)
        aux = {"aux": nn.Conv(self.num_classes, (1, 1), name="aux")(x)}
        presence = nn.Dense(self.num_classes, name="presence")(x.mean(axis=(1, 2)))
        return Outputs(logits, aux, presence)


@pytest.fixture
def toy():
    """Returns the toy network's class."""
    return Toy


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Polls a condition, for at most 30 seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "The condition was never met."
            time.sleep(0.02)

    return wait


@pytest.fixture
def python_env() -> dict[str, str]:
    """The environment in which another Python finds this seg_jax."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
