"""The base of our TFDS builders: segmentation examples, validated, without TensorFlow.

TFDS's own datasets and its default `tfrecord` format need TensorFlow, and its `parquet`
writer loses rows without saying so. A builder here writes `array_record`, is given encoded
bytes, and unpacks archives by `seg_jax.data.archive`; nothing then imports TensorFlow.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import tensorflow_datasets as tfds

from seg_jax.data.source import Source
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import Origin, check_example

FILE_FORMAT = "array_record"


class RawExample(NamedTuple):
    """One example on its way into a prepared dataset.

    Attributes:
        origin: where it comes from; `origin.id` becomes its id.
        image: encoded image, JPEG or PNG, stored as given.
        label: PNG whose grey levels are class ids.
    """

    origin: Origin
    image: bytes
    label: bytes


class SegmentationBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Writes the examples that a subclass lists in `_split_generators`.

    A subclass sets `SPEC` and returns {split: self._generate_examples(raw examples)}.
    Examples are stored in the order given, not shuffled, so that position i of a split is
    the same example on every machine.

    Attributes:
        SPEC: what the dataset is; its name is the builder's.
    """

    SPEC: ClassVar[DatasetSpec]
    VERSION = tfds.core.Version("1.0.0")
    # TFDS would look for a file of checksums beside the subclass, for which it needs
    # `importlib_resources`, a package that it does not declare.
    url_infos: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        # Not in TFDS's registry, where the names of its own datasets are taken.
        cls.name = cls.SPEC.name
        super().__init_subclass__(skip_registration=True)

    def __init__(self, *, data_dir: str | Path, file_format: str = FILE_FORMAT):
        if file_format != FILE_FORMAT:
            raise ValueError(
                f"file_format={file_format!r} is not supported: only {FILE_FORMAT!r} is written "
                "and read without TensorFlow and without losing rows. Leave file_format out."
            )
        super().__init__(data_dir=data_dir, file_format=file_format)

    @classmethod
    def virtual_source(cls, split: str) -> Source | None:
        """Returns examples made on demand, or None where they have to be prepared first."""
        return None

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.SPEC.name}. Licence: {self.SPEC.licence}",
            citation=self.SPEC.citation,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3)),
                    "label": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
                    "id": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "label"),
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(classes=list(self.SPEC.classes)),
        )

    def _generate_examples(
        self, examples: Iterable[RawExample]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for position, (origin, image, label) in enumerate(examples):
            check_example(image, label, self.SPEC.num_classes, origin)
            yield position, {"image": image, "label": label, "id": origin.id}
