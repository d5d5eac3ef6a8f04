"""A flipped bit in any file of a checkpoint is never restored."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import optax

from seg_jax.checkpoints import MANIFEST, Checkpointer
from seg_jax.train.state import create_state


def state(step):
    draw = np.random.default_rng(step)
    layers = {
        f"conv{i}": {
            "kernel": jnp.asarray(draw.normal(size=(3, 3, 4, 8)), jnp.float32),
            "bias": jnp.asarray(draw.normal(size=8), jnp.float32),
        }
        for i in range(4)
    }
    variables = {"params": layers, "batch_stats": {"mean": jnp.full(8, step, jnp.float32)}}
    created = create_state(variables, optax.adam(0.1), seed=step, ema=True)
    return created.replace(step=jnp.int32(step))


def flip(path, bit):
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def test_no_flipped_bit_is_restored(tmp_path, flips, caplog, tell):
    folder = tmp_path / "checkpoints"
    with Checkpointer(folder) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, state(step))
    files = sorted(path for path in (folder / "2").rglob("*") if path.is_file())
    draw, hit, silent = np.random.default_rng(0), collections.Counter(), []
    with Checkpointer(folder) as checkpointer:
        for number in range(flips):
            path = files[number % len(files)] if number < len(files) else draw.choice(files)
            name, bit = path.relative_to(folder / "2"), draw.integers(8 * path.stat().st_size)
            flip(path, bit)
            caplog.clear()
            found = checkpointer.restore(state(0))
            if int(found.step) != 1:
                silent.append(f"bit {bit} of {name}")
                flip(path, bit)
                continue
            assert "2 is not used: " in caplog.text
            assert str(name) in caplog.text or path.name == MANIFEST
            jax.tree.map(np.testing.assert_array_equal, found, state(1))
            (folder / "2.damaged-1").rename(folder / "2")
            flip(path, bit)
            hit[path.name if len(path.name) < 32 else "data of arrays"] += 1
        found = checkpointer.restore(state(0))
        jax.tree.map(np.testing.assert_array_equal, found, state(2))
    tell(f"\n{flips} flips, {len(silent)} restored in silence; by file: {dict(hit)}")
    assert not silent
