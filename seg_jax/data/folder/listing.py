"""Lists the examples of a described folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seg_jax.data.folder.description import FIELD, ONE_FILE_FORMS, Description
from seg_jax.data.folder.files import Found, Named
from seg_jax.data.folder.pairing import Key, check_pairs, deal, images_by_key, labels_by_key
from seg_jax.data.formats import cvat
from seg_jax.data.formats.coco_json import coco_items
from seg_jax.data.items import Item


def list_items(description: Description, found: Found, root: Path) -> dict[str, list[Item]]:
    """Returns the items of every split.

    Raises:
        ValueError: images and labels do not pair, or a split is empty.
        DataError: a file of many labels cannot be read.
    """
    images = images_by_key(found)
    members = deal(description, images, root)
    one_file = description.form in ONE_FILE_FORMS
    labels: Mapping[Key, Any]
    if one_file:
        labels = _from_files(description, found, images, root)
    else:
        labels = labels_by_key(found, several=description.form == "per_class")
    used = [key for keys in members.values() for key in keys]
    check_pairs(used, images, labels, description)
    return {
        split: [
            _item(description, key[1], root / images[key].name, labels[key], root) for key in keys
        ]
        for split, keys in members.items()
    }


def _item(description: Description, id: str, image: Path, label: Any, root: Path) -> Item:
    if description.form in ONE_FILE_FORMS:
        name, annotation = label
        return Item(id, image, root / name, annotation)
    if description.form == "per_class":
        return Item(id, image, None, tuple((f.match.class_, root / f.name) for f in label))
    return Item(id, image, root / label[0].name)


def _from_files(
    description: Description, found: Found, images: Mapping[Key, Named], root: Path
) -> dict[Key, tuple[str, Any]]:
    """Returns (file, annotation) of every image that the files of labels list.

    An image that a file lists but that is not there is kept under its name, so that it shows
    as a label without an image.
    """
    labels: dict[Key, tuple[str, Any]] = {}
    for file in found.labels:
        split = _split_of(file.name, description)
        index = _Index({key: i.name for key, i in images.items() if not split or key[0] == split})
        for name, annotation in _entries(description.form, root / file.name):
            key = index.find(name) or (split, name)
            if key in labels:
                raise ValueError(
                    f"{file.name} and {labels[key][0]} both label the image {name!r}, or one does "
                    f"so twice. Leave one file in {FIELD}.labels, or export them again."
                )
            labels[key] = file.name, annotation
    return labels


def _split_of(name: str, description: Description) -> str:
    """Returns the split that {split} in the name of a file of labels stands for, or ""."""
    if "{split}" not in description.labels:
        return ""
    found = [
        s for s in description.splits.names if description.labels.replace("{split}", s) == name
    ]
    return found[0]


def _entries(form: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Yields the file name and the annotation of every image in a file of labels."""
    if form == "cvat":
        yield from ((image.name, image) for image in cvat.read_images(path))
        return
    categories, items = coco_items(path, Path())
    for item in items:
        used = {thing.category for thing in item.annotation.objects}
        names = {category: categories[category] for category in used}
        yield item.image.as_posix(), (names, item.annotation)


class _Index:
    """Finds images by the end of their path: a tool knows them under a folder of its own."""

    def __init__(self, names: Mapping[Key, str]):
        self._by_last: dict[str, list[tuple[str, Key]]] = {}
        for key, name in names.items():
            self._by_last.setdefault(name.rpartition("/")[2], []).append((f"/{name}", key))

    def find(self, name: str) -> Key | None:
        """Returns the key of the image of that name, None where there is none.

        Raises:
            ValueError: several images end in that name.
        """
        last = name.rpartition("/")[2]
        found = [
            (path, key) for path, key in self._by_last.get(last, ()) if path.endswith(f"/{name}")
        ]
        if len(found) > 1:
            raise ValueError(
                f"{FIELD}.labels lists the image {name!r}, which may be {found[0][0][1:]} or "
                f"{found[1][0][1:]}. Narrow {FIELD}.images, or export with folders."
            )
        return found[0][1] if found else None
