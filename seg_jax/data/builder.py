"""The base of our TFDS builders: segmentation examples, checked, without TensorFlow.

TFDS's own datasets and its default `tfrecord` format need TensorFlow, and its `parquet`
writer loses rows without saying so. A builder here writes `array_record`, is given encoded
bytes, and unpacks archives by `seg_jax.data.archive`; nothing then imports TensorFlow.
"""

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from seg_jax.data.convert import Conversion
from seg_jax.data.fetch import fetch, manual_folder
from seg_jax.data.items import Item, RawExample, Reader
from seg_jax.data.source import Source
from seg_jax.data.spec import DatasetSpec

FILE_FORMAT = "array_record"


class SegmentationBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Stores the examples of `_split_generators` in their order, not shuffled.

    Position i of a split is therefore the same example on every machine.

    Attributes:
        SPEC: what the dataset is; its name is the builder's, "family/form" a TFDS config.
        INSTANCES: whether examples carry a map of objects beside the class ids.
    """

    SPEC: ClassVar[DatasetSpec]
    INSTANCES: ClassVar[bool] = False
    VERSION = tfds.core.Version("1.1.0")
    # TFDS would look for a file of checksums beside the subclass, for which it needs
    # `importlib_resources`, a package that it does not declare.
    url_infos: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        # Not in TFDS's registry, where the names of its own datasets are taken.
        if "SPEC" in cls.__dict__:
            cls.name, _, form = cls.SPEC.name.partition("/")
            if form:
                cls.BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=form, version=cls.VERSION)]
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

    def _generate_examples(
        self, examples: Iterable[RawExample]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for position, example in enumerate(examples):
            yield position, self._features(example)

    def _features(self, example: RawExample) -> dict[str, Any]:
        features = {"image": example.image, "label": example.label, "id": example.id}
        if self.INSTANCES:
            features["instances"] = example.instances
        return features

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
            "id": tfds.features.Text(),
        }
        if self.INSTANCES:
            features["instances"] = tfds.features.Image(
                shape=(None, None, 1), dtype=np.uint16, encoding_format="png"
            )
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.SPEC.name}. Licence: {self.SPEC.licence}",
            citation=self.SPEC.citation,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(classes=list(self.SPEC.classes)),
        )


class FilesBuilder(SegmentationBuilder):
    """Builds from the publisher's files: lists them, then reads, checks and writes each.

    Listing is cheap and tells what there is before anything is written. Reading runs in
    worker processes where `prepare` says so, and can resume.

    Attributes:
        MANUAL_DOWNLOAD_INSTRUCTIONS: what --manual_dir has to hold.
        conversion: how items are read and checked; `prepare` puts one that resumes.
    """

    def __init__(self, *, data_dir: str | Path, file_format: str = FILE_FORMAT):
        self.conversion = Conversion()
        super().__init__(data_dir=data_dir, file_format=file_format)

    @abc.abstractmethod
    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the items of every split found under `root`, in the order to store them.

        A split that is not there is left out. Members and their order come from the
        publisher's lists where there are any, else from sorted file names.

        Raises:
            FileNotFoundError: no split is there; the message says what belongs where.
        """

    @abc.abstractmethod
    def reader(self, root: Path) -> Reader:
        """Returns what reads an item of this dataset, see `items.Reader`."""

    def find_root(self, dl_manager: tfds.download.DownloadManager) -> Path:
        """Returns the folder with the publisher's files: the user's, or downloaded."""
        return manual_folder(dl_manager) or fetch(self.SPEC, Path(dl_manager.download_dir))

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        root = self.find_root(dl_manager)
        items, reader = self.list_items(root), self.reader(root)
        self.conversion.start(items)
        return {
            split: self._generate_examples(self.conversion.run(self.SPEC, split, members, reader))
            for split, members in items.items()
        }
