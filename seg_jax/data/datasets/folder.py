"""`folder`: the user's own images and labels, described by `config.dataset.folder`.

docs/own_data.md shows each form of labels. The set is prepared like any other, under a name
that holds a hash of its description, and is refused when its files have changed since.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from seg_jax.data.builder import FilesBuilder
from seg_jax.data.folder import drawings, pictures
from seg_jax.data.folder.classes import colors
from seg_jax.data.folder.description import FIELD, Description, parse_description
from seg_jax.data.folder.files import changed, find_files
from seg_jax.data.folder.listing import list_items
from seg_jax.data.image_header import read_size
from seg_jax.data.items import Item, Parts, Reader
from seg_jax.data.preparation.fetch import manual_folder
from seg_jax.data.spec import DatasetSpec
from seg_jax.data.validate import DataError, Origin, decode_image, encode_png

_FINGERPRINT = "files"
"""Key of the prepared set's metadata: what its files looked like."""

_KEPT = (b"\xff\xd8", b"\x89PNG")
"""First bytes of JPEG and PNG, which are stored as they are."""


class Folder(FilesBuilder):
    """The user's own images and labels; `builder_of` makes the subclass of a description.

    Attributes:
        DESCRIPTION: the checked section of the config.
    """

    DESCRIPTION: ClassVar[Description]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"Nothing: {FIELD}.path says where the files are."

    def __reduce__(self) -> tuple[Any, ...]:
        # The class was made here and is found nowhere by name: it is made again.
        return _builder_in, (self.DESCRIPTION, self._data_dir_root)

    def find_root(self, dl_manager: tfds.download.DownloadManager) -> Path:
        """Returns the folder that the config names.

        Raises:
            ValueError: a folder is given by --manual_dir as well.
            FileNotFoundError: there is no such folder.
        """
        if manual_folder(dl_manager) is not None:
            raise ValueError(
                f"--manual_dir has no meaning for the dataset 'folder'; {FIELD}.path says where "
                "the files are. Leave it out."
            )
        root = root_of(self.DESCRIPTION)
        if not root.is_dir():
            raise FileNotFoundError(
                f"{FIELD}.path={self.DESCRIPTION.path!r} is not a folder (looked for {root}). "
                "Set it to the folder that holds the images and labels."
            )
        return root

    def list_items(self, root: Path) -> Mapping[str, Sequence[Item]]:
        """Returns the pairs of every split, and notes what their files look like."""
        found = find_files(self.DESCRIPTION, root)
        metadata: Any = self.info.metadata
        metadata[_FINGERPRINT] = found.fingerprint()
        return list_items(self.DESCRIPTION, found, root)

    def reader(self, root: Path) -> Reader:
        """Returns the reader of the form."""
        return functools.partial(read, labels=_label_reader(self.DESCRIPTION))

    def stale(self) -> str:
        """Returns why the prepared set is not that of the files any more, else an empty text."""
        then = (self.info.metadata or {}).get(_FINGERPRINT)
        difference = changed(then, self.DESCRIPTION, root_of(self.DESCRIPTION)) if then else ""
        if not difference:
            return ""
        return (
            f"The files of {FIELD}.path={self.DESCRIPTION.path!r} changed after they were prepared "
            f"({difference}). Run `python launch.py prepare --config=EXPERIMENT` again."
        )

    def as_data_source(self, *args: Any, **kwargs: Any) -> Any:
        """Opens the prepared set as TFDS does, unless it is stale.

        Raises:
            DataError: the files changed after they were prepared.
        """
        if reason := self.stale():
            raise DataError(reason)
        return super().as_data_source(*args, **kwargs)


def builder_of(section: Mapping[str, Any]) -> type[Folder]:
    """Returns the builder for a section `config.dataset.folder`; touches no file.

    Raises:
        ValueError: the section is faulty; the message names the field.
    """
    return _builder_of(parse_description(section))


@functools.cache
def _builder_of(description: Description) -> type[Folder]:
    spec = DatasetSpec(
        name=f"folder/{description.short_hash}",
        classes=description.classes.names,
        palette=colors(description.classes),
        licence="The user's own.",
        citation="The user's own pictures; cite their source.",
        splits=dict.fromkeys(description.splits.names, 0),
    )
    members = {"SPEC": spec, "DESCRIPTION": description, "__module__": __name__}
    return type("Folder", (Folder,), members)


def _builder_in(description: Description, data_dir: str) -> Folder:
    return _builder_of(description)(data_dir=data_dir)


def root_of(description: Description) -> Path:
    """Returns the folder that a description names."""
    return Path(description.path).expanduser()


def read(item: Item, origin: Origin, *, labels: Reader) -> Parts:
    """Reads an item, its image as PNG where it is neither that nor JPEG.

    Raises:
        DataError: the label is faulty, or was drawn on an image that was turned.
    """
    parts = labels(item, origin)
    data = item.image.read_bytes()
    size = read_size(data)
    if size and size != parts.ids.shape == size[::-1]:
        raise origin.fault(
            "label",
            f"is {size[1]} x {size[0]} px and its image {size[0]} x {size[1]} px (height x "
            "width): it was drawn on the image turned upright by its EXIF tag, which is not "
            "followed here. Save the images upright, for instance by `mogrify -auto-orient`, "
            "and keep the labels.",
        )
    if data.startswith(_KEPT):
        return parts
    return parts._replace(image=encode_png(decode_image(data, origin)))


def _label_reader(description: Description) -> Reader:
    table, skip, overlap = description.classes, description.skip, description.overlap
    match description.form:
        case "index":
            return functools.partial(pictures.read_index, table=table)
        case "rgb":
            return functools.partial(pictures.read_rgb, table=table)
        case "per_class":
            return functools.partial(pictures.read_per_class, table=table, overlap=overlap)
        case "coco":
            return functools.partial(drawings.read_coco, table=table, skip=skip, overlap=overlap)
    return functools.partial(
        drawings.read_shapes, form=description.form, table=table, skip=skip, overlap=overlap
    )
