"""One process of tests/train/test_hosts.py, run as a script; prints a JSON object a line.

Arguments: what to do ("train", "stop", "mismatch"), the port of the coordinator, this process,
the number of processes, the devices of each and the backend.
"""

import json
import signal
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from seg_jax.losses.objective import make_objective
from seg_jax.preprocess import IMAGENET, normalise
from seg_jax.train import hosts
from seg_jax.train.parallel import make_layout
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step
from seg_jax.typing import Outputs


class Network(nn.Module):
    """Convolutions with batch normalisation between; enough to notice a row in another place."""

    axis: str | None

    @nn.compact
    def __call__(self, image, *, train):
        """Returns logits of four classes."""
        x = nn.Conv(8, (3, 3), name="backbone")(image)
        x = nn.BatchNorm(use_running_average=not train, axis_name=self.axis, name="norm")(x)
        return Outputs(nn.Conv(4, (3, 3), name="classifier")(nn.relu(x)))


def rows_of_step(step: int) -> dict[str, np.ndarray]:
    """Returns this process's rows of a global batch of 8."""
    random = np.random.RandomState(step)
    label = random.randint(0, 4, (8, 64, 2)).astype(np.uint8)
    label[: 1 + step] = 255  # no two processes count equally many pixels
    batch = {"image": random.randint(0, 256, (8, 64, 2, 3)).astype(np.uint8), "label": label}
    count = 8 // jax.process_count()
    first = jax.process_index() * count
    return {name: x[first : first + count] for name, x in batch.items()}


def train(backend: str) -> None:
    """Takes three steps and evaluates."""
    shards = 2 if backend == "mesh" else 1
    layout = make_layout(backend, height_shards=shards)
    model = Network(layout.axis)
    tx = optax.sgd(0.1, momentum=0.9)
    variables = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)), train=False)
    objective = make_objective(
        {"cross_entropy": {}}, num_classes=4, aux_weight=0.0, presence_weight=0.0
    )
    step = make_train_step(
        model,
        tx,
        optax.constant_schedule(0.1),
        objective,
        IMAGENET,
        axis=layout.axis,
        jitter=0.2,
    )
    step = layout.map_train_step(step)
    state = layout.put_state(create_state(variables, tx, seed=3))
    losses = []
    with jax.transfer_guard("disallow"):
        for number in range(3):
            state, scalars = step(state, layout.put_batch(rows_of_step(number)))
            losses.append(float(jax.device_get(scalars["loss"])))
            assert not hosts.any_host(False)

    def count(variables, batch):
        logits = model.apply(variables, normalise(batch["image"], IMAGENET), train=False).logits
        hits = jnp.argmax(logits, axis=-1).astype(jnp.uint8) == batch["label"]
        return {"hits": hits.sum(axis=(1, 2)), "map": hits, "first": batch["image"][:, 0, 0, 0]}

    images = layout.map_eval_step(count)(state.variables, rows_of_step(9))
    rows = layout.get_rows(images)
    large = np.int64(2**40) * (1 + jax.process_index())
    # Here, more rows the later the process.
    ragged = np.full((1 + jax.process_index(), 2), jax.process_index() + 0.1)
    say(
        losses=losses,
        params={
            jax.tree_util.keystr(path): np.asarray(jax.device_get(leaf)).ravel().tolist()
            for path, leaf in jax.tree_util.tree_leaves_with_path(state.variables)
        },
        hits=hosts.gather(rows["hits"]).tolist(),
        map=hosts.gather(rows["map"]).sum(axis=(1, 2)).tolist(),
        first=rows["first"].tolist(),
        total=int(hosts.gather(rows["hits"]).sum()),
        large=int(hosts.gather(np.asarray(large)[None]).sum()),
        ragged=hosts.gather(ragged).tolist(),
        main=hosts.is_main(),
    )


def stop(asked: list[bool]) -> None:
    """Steps until a process is asked to stop; process 1 is, by the test, once it says so."""
    step = 0
    say(ready=True)
    while not hosts.any_host(bool(asked)):
        step += 1
    say(stopped_at=step, asked=bool(asked))


def mismatch() -> None:
    """Compares texts that are the same, and texts that are not."""
    hosts.check_same("text", what="the config")
    try:
        hosts.check_same(f"text {jax.process_index()}", what="the config")
    except ValueError as error:
        say(error=str(error))
    try:
        make_layout("pmap")
    except ValueError as error:
        say(error=str(error))


def say(**values) -> None:
    """Prints a line for the test."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Joins the others and does what is asked."""
    what, port, process, processes, devices, backend = sys.argv[1:]
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", int(devices))
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    asked: list[bool] = []
    # Before the processes meet, after which it must still be heard.
    signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    if int(processes) > 1:
        hosts.initialise(
            f"127.0.0.1:{port}",
            num_processes=int(processes),
            process_id=int(process),
            timeout_s=60,
        )
    if what == "train":
        train(backend)
    elif what == "stop":
        stop(asked)
    else:
        mismatch()
    hosts.any_host(False)  # nobody leaves before the others are done


if __name__ == "__main__":
    main()
