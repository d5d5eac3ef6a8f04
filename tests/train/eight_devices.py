"""A network on a 2 x 4 mesh of eight devices and on one; run as a script by test_mesh.py.

Argument: a network of NETWORKS. Prints as JSON the losses of both, and the largest differences
of the parameters after three steps and of the logits in evaluation.
"""

import json
import sys

import jax
import numpy as np
import optax

from seg_jax.initialise import initialise
from seg_jax.losses.objective import make_objective
from seg_jax.models.build import build_model
from seg_jax.preprocess import IMAGENET, normalise
from seg_jax.train.parallel import make_layout
from seg_jax.train.state import create_state
from seg_jax.train.step import make_train_step

NETWORKS = {
    # Batch normalisation, poolings, up-convolutions, skips.
    "unet": ({"name": "unet", "base_features": 4, "depth": 2}, (128, 8)),
    # Four devices cannot share four rows: spread all the same, the gradients come out wrong.
    "unet of few rows": ({"name": "unet", "base_features": 4, "depth": 1}, (4, 8)),
    # Atrous and separable convolutions, whose taps reach beyond the neighbouring device, pooling
    # over the image, interpolation.
    "deeplab": (
        {
            "name": "deeplab_v3plus",
            "atrous_rates": [2, 12],
            "head_features": 8,
            "decoder_convs": 1,
            "low_level_features": 4,
            "backbone": {"name": "resnet18", "width": 4, "output_stride": 16},
        },
        (128, 16),
    ),
}


def batch(size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Returns four images, unlike in brightness; of the first two, less is labelled."""
    random = np.random.RandomState(0)
    image = random.randint(0, 64, (4, *size, 3)) * np.arange(1, 5)[:, None, None, None]
    label = random.randint(0, 4, (4, *size)).astype(np.uint8)
    label[0, : size[0] // 2] = label[1, :3] = 255
    return {"image": image.astype(np.uint8), "label": label}


def run(layout, section, size):
    """Returns losses, parameters after three steps, and logits."""
    model = build_model(section, num_classes=4, axis=layout.axis)
    tx = optax.sgd(0.01, momentum=0.9)
    step = make_train_step(
        model,
        tx,
        optax.constant_schedule(0.01),
        make_objective({"cross_entropy": {}}, num_classes=4, aux_weight=0.0, presence_weight=0.0),
        IMAGENET,
        axis=layout.axis,
    )
    step = layout.map_train_step(step)
    state = layout.put_state(create_state(initialise(model, (1, *size, 3), 0), tx, seed=3))
    losses = []
    with jax.transfer_guard("disallow"):
        for _ in range(3):
            state, scalars = step(state, layout.put_batch(batch(size)))
            losses.append(float(jax.device_get(scalars["loss"])))

    def score(variables, batch):
        image = normalise(batch["image"], IMAGENET)
        return {"logits": model.apply(variables, image, train=False).logits}

    results = layout.map_eval_step(score)(state.variables, {"image": batch(size)["image"]})
    return losses, jax.device_get((state.params, state.batch_stats)), layout.get_rows(results)


def main() -> None:
    """Compares the two."""
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 8)
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    section, size = NETWORKS[sys.argv[1]]
    mesh = make_layout("mesh", height_shards=4)
    alone = make_layout("mesh", devices=jax.devices()[:1])
    many, one = run(mesh, section, size), run(alone, section, size)
    gaps = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), many[1:], one[1:])
    report = {
        "mesh": dict(mesh.mesh.shape),
        "losses": [many[0], one[0]],
        "parameters": max(jax.tree.leaves(gaps[0])),
        "logits": gaps[1]["logits"],
        "largest_logit": float(np.abs(one[2]["logits"]).max()),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
