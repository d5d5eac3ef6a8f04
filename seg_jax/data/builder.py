"""The base of our TFDS builders: segmentation examples, checked, without TensorFlow.

TFDS's own datasets and its default `tfrecord` format need TensorFlow, and its `parquet`
writer loses rows without saying so. A builder here writes `array_record`, is given encoded
bytes, and unpacks archives by `seg_jax.data.preparation.archive`; nothing then imports TensorFlow.
"""

import abc
import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from seg_jax.data.example import Source
from seg_jax.data.items import Item, RawExample, Reader
from seg_jax.data.preparation import beam
from seg_jax.data.preparation.fetch import fetch, manual_folder, unpack_found
from seg_jax.data.preparation.shards import Shard, make_shards, to_features
from seg_jax.data.preparation.writing import Writing
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

    def __getstate__(self) -> dict[str, Any]:
        # What TFDS hands to `__init__` of a builder that is sent to another process; by itself
        # it would hand over arguments that ours does not take.
        return {"_original_state": {"data_dir": self._data_dir_root}}

    def stale(self) -> str:
        """Returns why what is prepared has to be prepared again, empty where it has not."""
        return ""

    @classmethod
    def virtual_source(cls, split: str) -> Source | None:
        """Returns examples made on demand, or None where they have to be prepared first."""
        return None

    def _generate_examples(
        self, examples: Iterable[RawExample]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for position, example in enumerate(examples):
            yield position, to_features(example)

    def _log_download_bytes(self) -> None:
        """Keeps TFDS from printing "Downloading and preparing dataset Unknown size"."""

    def _log_download_done(self) -> None:
        """Keeps TFDS from printing the path of a scratch folder."""

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

    Listing is cheap and tells what there is before anything is written. Reading and writing
    run shard by shard, in several processes where that pays, and continue where they stopped.

    Attributes:
        MANUAL_DOWNLOAD_INSTRUCTIONS: what --manual_dir has to hold.
        writing: how and where shards are written; `prepare` sets it.
    """

    def __init__(self, *, data_dir: str | Path, file_format: str = FILE_FORMAT):
        super().__init__(data_dir=data_dir, file_format=file_format)
        self.writing = Writing(Path(data_dir) / "incomplete", Path(self.data_dir))

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
        given = manual_folder(dl_manager)
        if given is not None:
            return given
        return fetch(self.SPEC, Path(dl_manager.download_dir), self.writing.progress)

    def _find_items(
        self, dl_manager: tfds.download.DownloadManager
    ) -> tuple[Path, Mapping[str, Sequence[Item]]]:
        root = self.find_root(dl_manager)
        try:
            return root, self.list_items(root)
        except FileNotFoundError as error:
            unpacked = unpack_found(
                self.SPEC, root, self.writing.scratch / "unpacked", self.writing.progress
            )
            if unpacked is None:
                raise
            try:
                return unpacked, self.list_items(unpacked)
            except FileNotFoundError:
                # What the user named, not where its archives were unpacked.
                raise error from None

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> tuple[list[Shard], int]:
        """Returns what generates the splits, shards instead of examples, and their bytes."""
        root, listed = self._find_items(dl_manager)
        unknown = sorted(set(listed) - set(self.SPEC.splits))
        if unknown:
            raise KeyError(f"{type(self).__name__}.list_items gives {unknown}, not in SPEC.splits.")
        items = {split: members for split, members in listed.items() if members}
        if not items:
            raise FileNotFoundError(
                f"No split of {self.SPEC.name!r} in {root} has an example. Put there: "
                f"{self.MANUAL_DOWNLOAD_INSTRUCTIONS}"
            )
        features = self.info.features
        folder = self.writing.shards
        return make_shards(self.SPEC, str(self.version), items, self.reader(root), features, folder)

    def _generate_splits(
        self,
        dl_manager: tfds.download.DownloadManager,
        download_config: tfds.download.DownloadConfig,
    ) -> list[tfds.core.SplitInfo]:
        """Writes every split; replaces TFDS's writers, see `shards` and `beam`."""
        shards, num_bytes = self._split_generators(dl_manager)
        runner, options = download_config.beam_runner, download_config.beam_options
        writer = None
        if runner is not None or options is not None:
            writer = functools.partial(beam.write_shards, runner=runner, options=options)
        written = self.writing.write(shards, num_bytes, writer)
        infos = []
        for split, files in written.items():
            template = self._get_filename_template(split_name=split)
            for index, (file, _) in enumerate(files):
                link(file, template.sharded_filepath(shard_index=index, num_shards=len(files)))
            infos.append(
                tfds.core.SplitInfo(
                    name=split,
                    shard_lengths=[entry.num_examples for _, entry in files],
                    num_bytes=sum(entry.num_bytes for _, entry in files),
                    filename_template=template,
                )
            )
        return infos


def link(source: Path, target: os.PathLike[str]) -> None:
    """Gives a file a second name, so that it stays should its first or second one be removed.

    Where the file system has no such links, the file is moved.
    """
    try:
        os.link(source, target)
    except OSError:
        source.replace(target)
