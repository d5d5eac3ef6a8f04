"""Brings together what several processes counted, each in its share of the images."""

import dataclasses
import json

import jax
import numpy as np

from seg_jax.evaluate.loop import Evaluation
from seg_jax.train.hosts import gather


def of_all_hosts(found: Evaluation) -> Evaluation:
    """Returns the images of all processes in the order of the split; samples stay this one's."""
    if jax.process_count() == 1:
        return found
    ids = _gather_texts(found.ids)
    positions = gather(np.array(found.positions, np.int64))
    order = np.argsort(positions)
    return dataclasses.replace(
        found,
        ids=tuple(ids[place] for place in order),
        positions=tuple(positions[order].tolist()),
        confusion=gather(found.confusion)[order],
        bands=gather(found.bands)[order],
        counters={name: gather(values)[order] for name, values in _alike(found.counters)},
    )


def _gather_texts(texts: tuple[str, ...]) -> list[str]:
    encoded = [text.encode() for text in texts]
    width = int(gather(np.array([max(map(len, encoded), default=1)])).max())
    return [bytes(row).decode() for row in gather(np.array(encoded, f"S{width}"))]


def _alike(counters: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """Returns the counters by name; a process that had no image takes their shapes from others."""
    forms = {name: [x.dtype.str, list(x.shape[1:])] for name, x in sorted(counters.items())}
    found = [json.loads(text) for text in _gather_texts((json.dumps(forms),))]
    agreed = max(found, key=len)
    return [
        (name, counters[name] if name in counters else np.zeros((0, *shape), dtype))
        for name, (dtype, shape) in agreed.items()
    ]
