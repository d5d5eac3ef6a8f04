"""Images of several sizes, a network that sees all of its input, and a loop that is plain."""

import cv2
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from seg_jax.data.augment.resize_rule import ResizeRule
from seg_jax.data.pipeline.evaluate import eval_batches
from seg_jax.data.pipeline.frames import Framing
from seg_jax.evaluate.protocol import Protocol
from seg_jax.evaluate.step import EvalStep
from seg_jax.labels import IGNORE_LABEL
from seg_jax.preprocess import Preprocessing
from seg_jax.typing import Outputs

NUM_CLASSES = 4
WHOLE = Protocol()
STATISTICS = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))
MEAN_COLOR = (128, 102, 76)
RANDOM = np.random.RandomState(0)
SIZES = [(20, 26), (17, 17), (20, 26)]


class Pictures:
    """A source of smooth pictures of the sizes of SIZES, with objects."""

    checksum = "of pictures"

    def __init__(self, sizes=SIZES):
        self._sizes = sizes
        self._examples = [self._example(i, size) for i, size in enumerate(sizes)]

    def _example(self, index, size):
        random = np.random.RandomState(index)
        image = cv2.GaussianBlur(random.randint(0, 256, (*size, 3)).astype(np.uint8), (5, 5), 0)
        image = cv2.normalize(image, image.copy(), 0, 255, cv2.NORM_MINMAX)
        coarse = random.randint(0, NUM_CLASSES, (4, 4)).astype(np.uint8)
        label = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_NEAREST)
        label[random.rand(*size) < 0.1] = IGNORE_LABEL
        return {"image": image, "label": label, "id": f"picture{index}"}

    def __len__(self):
        return len(self._sizes)

    def __getitem__(self, index):
        return self._examples[index]

    def size(self, index):
        return self._sizes[index]

    def instances(self, index):
        return self._examples[index]["label"].astype(np.uint16) * 1000


class Context(nn.Module):
    """A 3 x 3 convolution, and the mean over the image, which padding changes."""

    @nn.compact
    def __call__(self, image, *, train):
        x = jnp.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
        kernel = self.param("kernel", nn.initializers.normal(1.0), (3, 3, 3, NUM_CLASSES))
        height, width = image.shape[1:3]
        logits = sum(
            x[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3)
        )
        mean = image.mean(axis=(1, 2), keepdims=True)
        return Outputs(logits + mean @ self.param("all", nn.initializers.normal(9.0), (3, 4)))


VARIABLES = {
    "params": {
        "kernel": RANDOM.normal(0, 1, (3, 3, 3, NUM_CLASSES)).astype(np.float32),
        "all": RANDOM.normal(0, 9, (3, NUM_CLASSES)).astype(np.float32),
    }
}


def see(image):
    """Returns what `Context` says of an image, by NumPy."""
    x = (image / 255.0 - STATISTICS.mean) / STATISTICS.std
    kernel, height, width = VARIABLES["params"]["kernel"].astype(float), *x.shape[:2]
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    logits = sum(
        padded[i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3)
    )
    return logits + x.mean(axis=(0, 1)) @ VARIABLES["params"]["all"].astype(float)


def symmetries(protocol):
    """Yields functions and their inverses."""
    for quarters in range(4 if protocol.rotations else 1):
        for mirror in (False, True) if protocol.flip or protocol.rotations else (False,):
            yield (
                lambda x, q=quarters, m=mirror: np.rot90(x[:, ::-1] if m else x, q),
                lambda x, q=quarters, m=mirror: np.rot90(x, -q)[:, ::-1] if m else np.rot90(x, -q),
            )


def resize(x, size, how=cv2.INTER_LINEAR):
    return x if x.shape[:2] == tuple(size) else cv2.resize(x, size[::-1], interpolation=how)


def pad(image, size):
    out = np.full((*size, 3), MEAN_COLOR, np.uint8)
    out[: image.shape[0], : image.shape[1]] = image
    return out


def see_windows(image, turned, protocol):
    """Averages logits over sliding windows, as mmsegmentation's count matrix does."""
    (wh, ww), (sh, sw) = protocol.window_size, protocol.window_stride
    size = max(image.shape[0], wh), max(image.shape[1], ww)
    padded = pad(image, size)
    sums, counts = np.zeros((*size, NUM_CLASSES)), np.zeros((*size, 1))
    for y in range(0, max(size[0] - wh + sh - 1, 0) // sh * sh + 1, sh):
        for x in range(0, max(size[1] - ww + sw - 1, 0) // sw * sw + 1, sw):
            y1, x1 = min(y, size[0] - wh), min(x, size[1] - ww)
            sums[y1 : y1 + wh, x1 : x1 + ww] += turned(padded[y1 : y1 + wh, x1 : x1 + ww])
            counts[y1 : y1 + wh, x1 : x1 + ww] += 1
    assert counts.min() > 0
    return (sums / counts)[: image.shape[0], : image.shape[1]]


def see_tiles(image, turned, protocol):
    """Predicts the centre of each tile from a tile of the mirrored image."""
    height, width = image.shape[:2]
    (th, tw), (sh, sw) = protocol.window_size, protocol.window_stride
    top, left = (th - sh) // 2, (tw - sw) // 2
    far = ((top, 2 * th), (left, 2 * tw), (0, 0))
    mirrored = np.pad(image, far, mode="reflect")
    out = np.zeros((height + sh, width + sw, NUM_CLASSES))
    for y in range(0, height, sh):
        for x in range(0, width, sw):
            logits = turned(mirrored[y : y + th, x : x + tw])
            out[y : y + sh, x : x + sw] = logits[top : top + sh, left : left + sw]
    return out[:height, :width]


def center(x, size, fill):
    out = np.full((*size, *x.shape[2:]), fill, x.dtype)
    y, z = max(0, (x.shape[0] - size[0]) // 2), max(0, (x.shape[1] - size[1]) // 2)
    x = x[y : y + size[0], z : z + size[1]]
    out[: x.shape[0], : x.shape[1]] = x
    return out


def plain(protocol, image, label):
    """Returns one image's label, and its scores at every pixel of that, by plain loops."""

    def scaled(side, scale):
        return int((side - 1) * scale + 1)

    def rule(scale):
        return ResizeRule(protocol.resize, protocol.base_size, (scale, scale))

    size = image.shape[:2]
    if protocol.labels == "resized":
        label = resize(label, rule(1.0)(size, 0.0), cv2.INTER_NEAREST_EXACT)
    if protocol.window == "center_crop":
        image = resize(image, rule(1.0)(size, 0.0))
        image = center(image, protocol.window_size, MEAN_COLOR)
        label = center(label, protocol.window_size, IGNORE_LABEL)
    scores = []
    for scale in protocol.scales:
        frame = tuple(scaled(side, scale) for side in protocol.window_size)
        content = rule(scale)(size, 0.0)
        if protocol.window == "center_crop":
            content = frame
        if protocol.window == "pad":
            content = min(content[0], frame[0]), min(content[1], frame[1])
        resized = resize(image, content)
        for turn, back in symmetries(protocol):
            turned = lambda x, turn=turn, back=back: back(see(turn(x)))  # noqa: E731
            if protocol.window == "sliding":
                logits = see_windows(resized, turned, protocol)
            elif protocol.window == "overlap_tile":
                logits = see_tiles(resized, turned, protocol)
            elif protocol.window == "pad":
                logits = turned(pad(resized, frame))[: content[0], : content[1]]
            else:
                logits = turned(resized)
            scores.append(resize(np.ascontiguousarray(logits, np.float64), label.shape))
    if len(scores) == 1:
        return label, scores[0]
    exps = [np.exp(s - s.max(axis=-1, keepdims=True)) for s in scores]
    return label, np.mean([e / e.sum(axis=-1, keepdims=True) for e in exps], axis=0)


def on_devices(count):
    """Maps a function over the first devices; every transfer is explicit."""

    def map_step(fn):
        mesh = Mesh(np.array(jax.devices()[:count]), ("device",))
        mapped = jax.jit(
            jax.shard_map(
                fn, mesh=mesh, in_specs=(P(), P("device")), out_specs=P("device"), check_vma=False
            )
        )
        replicated, split = NamedSharding(mesh, P()), NamedSharding(mesh, P("device"))

        def call(variables, batch):
            variables, batch = (
                jax.device_put(variables, replicated),
                jax.device_put(batch, split),
            )
            return mapped(variables, batch)

        return call

    return map_step


@pytest.fixture
def pictures():
    """Returns the class of sources."""
    return Pictures


@pytest.fixture
def plain_scores():
    """Returns the plain loop: (protocol, image, label) -> the label that counts, its scores."""
    return plain


@pytest.fixture
def make_step():
    """Returns a function that makes the step of a protocol on some devices."""

    def make(protocol, *, devices=1, map_step=None, **options):
        map_step = map_step or on_devices(devices)
        return EvalStep(
            Context(), STATISTICS, protocol, map_step, num_classes=NUM_CLASSES, **options
        )

    return make


@pytest.fixture
def variables():
    """Returns the network's variables."""
    return VARIABLES


@pytest.fixture
def batches_of():
    """Returns a function that makes the batches of a protocol."""

    def make(source, protocol=WHOLE, *, batch_size=4, **options):
        names = ("resize", "base_size", "labels", "window", "window_size", "window_stride")
        fields = {name: getattr(protocol, name) for name in (*names, "scales")}
        framing = Framing(**fields, pad_color=MEAN_COLOR)
        return eval_batches(source, framing, batch_size=batch_size, num_threads=0, **options)

    return make
