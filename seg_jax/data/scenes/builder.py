"""The embedded procedural dataset: a TFDS builder like every other, and no file needed."""

import functools
import hashlib

from seg_jax.data.builder import SegmentationBuilder
from seg_jax.data.example import Example
from seg_jax.data.items import RawExample
from seg_jax.data.scenes.render import render
from seg_jax.data.scenes.spec import SPEC, knobs_of, stream_of
from seg_jax.data.validate import encode_png

SEED = 0
"""Seed of the dataset; part of its definition, not of a run."""

_HASHED_SCENES = 16


class Scenes(SegmentationBuilder):
    """Writes the scenes that `virtual_source` draws on demand."""

    SPEC = SPEC

    @classmethod
    def virtual_source(cls, split: str) -> "SceneSource":
        """Returns the split, drawn on access; the same examples as the prepared ones."""
        return SceneSource(split, cls.SPEC.splits[split])

    def _split_generators(self, dl_manager):
        return {
            split: self._generate_examples(
                RawExample(
                    example["id"], encode_png(example["image"]), encode_png(example["label"])
                )
                for example in self.virtual_source(split)
            )
            for split in self.SPEC.splits
        }


class SceneSource:
    """The first `count` scenes of a split."""

    def __init__(self, split: str, count: int):
        self._stream, self._knobs = stream_of(split), knobs_of(split)
        self._split, self._count = split, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < self._count:
            raise IndexError(f"Position {index} is not in 0..{self._count - 1}.")
        image, label = render(SEED, self._stream, index, self._knobs)
        return {"image": image, "label": label, "id": f"{self._split}_{index:05d}"}

    def size(self, index: int) -> tuple[int, int]:
        """Returns (height, width), the same for every scene."""
        return (self._knobs.image_size, self._knobs.image_size)

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 over what defines the scenes and, against a change of code, some of them."""
        total = hashlib.sha256(repr((SEED, self._stream, self._knobs, self._count)).encode())
        for index in range(min(self._count, _HASHED_SCENES)):
            image, label = render(SEED, self._stream, index, self._knobs)
            total.update(image.tobytes() + label.tobytes())
        return total.hexdigest()
