"""The evaluation step: from a batch of images to a class, and counts, for each of their pixels.

Between the averaged probabilities and the choice of the highest lies what sharpens
probabilities by the image, such as a conditional random field: `EvalStep.scores` returns the
former, and the program "count" does the latter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from flax import linen as nn
from jaxtyping import Array

from seg_jax.evaluate.programs import (
    Program,
    make_count,
    make_cut,
    make_merge,
    make_network,
    make_paste,
)
from seg_jax.evaluate.protocol import Protocol
from seg_jax.evaluate.symmetry import TRANSPOSED
from seg_jax.preprocess import Preprocessing

_NOTHING = np.zeros((), np.int8)
"""The variables of a program that has none; `jax.pmap` mistakes an empty tree for an argument."""


class EvalStep:
    """Carries out a protocol on batches of any shapes."""

    def __init__(
        self,
        model: nn.Module,
        preprocessing: Preprocessing,
        protocol: Protocol,
        map_step: Callable[[Program], Callable[[Any, Any], Any]],
        *,
        num_classes: int,
        band_widths: Sequence[int] = (),
        probabilities: bool = False,
    ):
        """Makes the step; nothing is compiled before it is called.

        Args:
            model: maps a normalised image to Outputs.
            preprocessing: input statistics the network was trained with.
            protocol: what happens to the images.
            map_step: maps a function written for one device over the machine and compiles it,
                such as `parallel.map_eval_step`. Arrays that it returned it takes again,
                without moving them.
            num_classes: k, the ignore label not counted.
            band_widths: half-widths in pixels of the boundary bands to count, too.
            probabilities: whether they are returned.
        """
        self._protocol = protocol
        self._network = {
            transposed: map_step(make_network(model, preprocessing, transposed=transposed))
            for transposed in (False, True)
        }
        softmax = probabilities or protocol.num_views > 1
        self._merge = map_step(make_merge(softmax=softmax))
        self._softmax = softmax
        mean_of = protocol.num_views if probabilities else 0
        self._count = map_step(
            make_count(num_classes=num_classes, band_widths=band_widths, mean_of=mean_of)
        )
        if protocol.kept:
            size = protocol.window_size[0], protocol.window_size[1]
            kept = protocol.kept[0], protocol.kept[1]
            self._cut = map_step(make_cut(size))
            self._paste = map_step(make_paste(margin=protocol.margin, kept=kept))

    def __call__(self, variables: Any, batch: Mapping[str, Any]) -> dict[str, Array]:
        """Returns what `make_count` says, with rows as the batch has them.

        Args:
            variables: of the model.
            batch: as `eval_batches` yields it.
        """
        scores = self.scores(variables, batch)
        return self._count(_NOTHING, {"scores": scores, "label": batch["label"]})

    def scores(self, variables: Any, batch: Mapping[str, Any]) -> Array:
        """Returns probabilities [b, h, w, k] summed over views; of a single one, its logits."""
        total: Any = None
        for view in batch["views"]:
            for code in self._protocol.symmetries:
                total = self._add(variables, view, code, total)
        return total

    def _add(self, variables: Any, view: Mapping[str, Any], code: int, total: Any) -> Any:
        codes = np.full(len(view["image"]), code, np.int32)
        network = self._network[code >= TRANSPOSED]
        lengths = {name: view[name] for name in ("rows_shared", "columns_shared")}
        canvas: Any = None
        if not view["tiles"]:
            canvas = network(variables, {"image": view["image"], "code": codes, **lengths})
        for tiles in view["tiles"]:
            inputs = self._cut(_NOTHING, {"image": view["image"], **tiles})
            logits = network(variables, {"image": inputs, "code": codes})
            given = {} if canvas is None else {"canvas": canvas}
            canvas = self._paste(_NOTHING, {"logits": logits, **given, **tiles, **lengths})
        merged = {name: view[name] for name in view if name.startswith(("row_", "column_"))}
        if self._protocol.window == "sliding":
            merged |= lengths
        if not merged and not self._softmax:
            return canvas
        given = {} if total is None else {"total": total}
        return self._merge(_NOTHING, {"canvas": canvas, **given, **merged})
