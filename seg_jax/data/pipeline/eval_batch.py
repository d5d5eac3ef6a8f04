"""What evaluation is handed: the inputs of some images, and how their logits become one map each.

Arrays whose first axis counts rows are split over the devices; whatever belongs to a row of one
of them lies on the device that has the same row of the others.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8, UInt16

from seg_jax.data.pipeline.frames import Framing, Plan


class Tiles(TypedDict):
    """Which tiles one pass of the network takes, a tile a row.

    Attributes:
        slot: row of the batch whose image a tile is of; always on the same device.
        origin: where it begins, vertically and horizontally, see `View.rows`.
        used: whether there is a tile in the row.
        row: the row itself, counted over all processes.
    """

    slot: Int32[np.ndarray, "b"]
    origin: Int32[np.ndarray, "b 2"]
    used: Bool[np.ndarray, "b"]
    row: Int32[np.ndarray, "b"]


class ViewBatch(TypedDict):
    """One view of every image of a batch.

    Attributes:
        image: inputs of the network, or what its tiles are cut from.
        tiles: the passes; empty where the images are inputs as they are.
        rows_shared: for every row of the canvas, 1 over the number of windows that cover it.
        columns_shared: the same for columns.
        row_pair: for every row of the label, the two rows of the canvas around it; absent where
            logits lie where the labels are.
        row_part: how far it is from the first of them to the second.
        column_pair: the same for columns.
        column_part: the same for columns.
    """

    image: UInt8[np.ndarray, "b h w 3"]
    tiles: list[Tiles]
    rows_shared: Float32[np.ndarray, "b hc"]
    columns_shared: Float32[np.ndarray, "b wc"]
    row_pair: NotRequired[Int32[np.ndarray, "b hl 2"]]
    row_part: NotRequired[Float32[np.ndarray, "b hl"]]
    column_pair: NotRequired[Int32[np.ndarray, "b wl 2"]]
    column_part: NotRequired[Float32[np.ndarray, "b wl"]]


class EvalBatch(TypedDict):
    """Images that are counted once each; lists have an entry for every image of this process.

    Attributes:
        positions: where the images are in the source.
        ids: their names.
        rows: in which row of the arrays each is; rows of none are ignored throughout.
        sizes: (height, width) of their labels, which lie at the top left.
        label: class ids, IGNORE_LABEL where the pixel does not count.
        views: inputs, one a scale.
        shown: by position, the picture to be shown beside the label.
        instances: number of the object at each pixel; empty unless asked for.
    """

    positions: list[int]
    ids: list[str]
    rows: list[int]
    sizes: list[tuple[int, int]]
    label: UInt8[np.ndarray, "b h w"]
    views: list[ViewBatch]
    shown: dict[int, UInt8[np.ndarray, "_ _ 3"]]
    instances: list[UInt16[np.ndarray, "_ _"]]


class Rows:
    """Which examples of a group are in which rows, here and on the other processes.

    Attributes:
        count: rows of a batch in this process.
        members: numbers, within the group, of the examples of this process.
        local: their rows among those of this process.
        shapes: a plan of the batch; their arrays are equally large.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        num_rows: int,
        num_devices: int,
        process_index: int,
        process_count: int,
    ):
        self._plans = plans
        self.shapes = plans[0]
        self._per_device = num_rows // num_devices
        self._num_devices = num_devices
        self.count = num_rows // process_count
        self._first = process_index * self.count
        self._own = own = slice(self._first, self._first + self.count)
        row_of = [self._row(member) for member in range(len(plans))]
        self.members = [i for i, row in enumerate(row_of) if own.start <= row < own.stop]
        self.local = [row_of[member] - self._first for member in self.members]

    def _row(self, member: int) -> int:
        """Deals examples out to the devices in turn."""
        return member % self._num_devices * self._per_device + member // self._num_devices

    def passes(self, view: int) -> list[Tiles]:
        """Packs the tiles of a view: those of a device's images into rows of that device.

        All processes come to equally many passes, since they know the size of every image.
        """
        queues: list[list[tuple[int, int, int]]] = [[] for _ in range(self._num_devices)]
        for member, plan in enumerate(self._plans):
            row = self._row(member)
            queues[row // self._per_device] += [(row, y, x) for y, x in plan.views[view].origins]
        number = -(-max(map(len, queues)) // self._per_device)
        num_rows = self._per_device * self._num_devices
        row = np.arange(num_rows, dtype=np.int32)
        # Unused rows repeat what is there, since a row of its own device has to be named.
        tiles = np.zeros((number, num_rows, 3), np.int32)
        tiles[:, :, 0] = row
        used = np.zeros((number, num_rows), bool)
        for device, queue in enumerate(queues):
            for place, tile in enumerate(queue):
                index = place // self._per_device, device * self._per_device
                index = index[0], index[1] + place % self._per_device
                tiles[index], used[index] = tile, True
        own = self._own
        return [
            {"slot": t[own, 0], "origin": t[own, 1:], "used": u[own], "row": row[own]}
            for t, u in zip(tiles, used, strict=True)
        ]


def make_view(
    framing: Framing, index: int, rows: Rows, plans: Sequence[Plan], images: Sequence[np.ndarray]
) -> ViewBatch:
    """Makes the arrays of a view of this process's images.

    Args:
        framing: how an image enters the network.
        index: number of the view.
        rows: of the batch.
        plans: what the images of this process go through.
        images: as the source has them.
    """
    shapes = rows.shapes
    shape = shapes.views[index]
    batch: ViewBatch = {
        "image": np.zeros((rows.count, *shape.image, 3), np.uint8),
        "tiles": rows.passes(index),
        "rows_shared": np.ones((rows.count, shape.canvas[0]), np.float32),
        "columns_shared": np.ones((rows.count, shape.canvas[1]), np.float32),
    }
    if not shapes.direct:
        for side, name in ((0, "row"), (1, "column")):
            batch[f"{name}_pair"] = np.zeros((rows.count, shapes.frame[side], 2), np.int32)
            batch[f"{name}_part"] = np.zeros((rows.count, shapes.frame[side]), np.float32)
    for row, plan, image in zip(rows.local, plans, images, strict=True):
        view = plan.views[index]
        batch["image"][row] = framing.draw(image, plan, view)
        if framing.window == "sliding":
            for name, side in (("rows_shared", 0), ("columns_shared", 1)):
                begins = (view.rows, view.columns)[side]
                batch[name][row] = _shared(begins, framing.window_size[side], view.canvas[side])
        if not plan.direct:
            for side, name in ((0, "row"), (1, "column")):
                pair, part = between(view.content[side], plan.label[side])
                batch[f"{name}_pair"][row, : plan.label[side]] = pair
                batch[f"{name}_part"][row, : plan.label[side]] = part
    return batch


def between(
    before: int, after: int
) -> tuple[Int32[np.ndarray, "{after} 2"], Float32[np.ndarray, "{after}"]]:
    """Returns the cells around each cell of a line resampled from `before` to `after` cells.

    Bilinear with the outer edges of both lines on each other and the border repeated, as in
    OpenCV: the convention of the images, which are resized by it.

    Returns:
        The two cells of every new one, and how far it is from the first to the second.
    """
    source = np.clip((np.arange(after) + 0.5) * (before / after) - 0.5, 0, before - 1)
    left = np.floor(source).astype(np.int32)
    right = np.minimum(left + 1, before - 1)
    return np.stack([left, right], axis=-1), (source - left).astype(np.float32)


def _shared(begins: Sequence[int], window: int, length: int) -> Float32[np.ndarray, "{length}"]:
    covered = np.zeros(length, np.float32)
    for begin in begins:
        covered[begin : begin + window] += 1
    return 1 / np.maximum(covered, 1)
