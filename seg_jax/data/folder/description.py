"""What `config.dataset.folder` says about the user's pictures, parsed and checked.

Nothing here touches a file, so that a config can be checked on a machine without the data.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from seg_jax.data.folder.classes import BACKGROUND, ClassTable, parse_classes
from seg_jax.data.folder.fields import FIELD, as_names, as_text, fault
from seg_jax.data.folder.pattern import Pattern
from seg_jax.data.folder.rules import Splits, parse_splits
from seg_jax.registry import unknown_name

PICTURE_FORMS = ("index", "rgb")
"""One label picture an image, whose values or colours are the classes."""

NAME_FORMS = ("per_class", "labelme", "supervisely", "coco", "cvat")
"""Masks or shapes that carry the name of a class; they may overlap, and leave pixels out."""

FORMS = PICTURE_FORMS + NAME_FORMS

ONE_FILE_FORMS = ("coco", "cvat")
"""One file holds the labels of many images."""

REQUIRED = ("path", "images", "labels", "classes")
OF_NAMES = ("background", "skip", "overlap")
FIELDS = (*REQUIRED, "form", "ignore", "splits", *OF_NAMES)

DEFAULT_SPLITS = {"train": 0.8, "val": 0.2}
OVERLAPS = ("later", "ignore")

ANY = "*"
"""In `skip`: every name that no class has."""


@dataclasses.dataclass(frozen=True)
class Description:
    """A checked section.

    Attributes:
        path: the folder that everything else is relative to, as given.
        images: patterns of the images.
        labels: pattern of the labels, or the file of a form that has one.
        form: one of `FORMS`.
        classes: classes and what stands for them.
        splits: who belongs to which split.
        skip: names whose masks or shapes are not drawn; "*" stands for all that no class has.
        overlap: what holds where shapes overlap: the "later" one, or "ignore".
    """

    path: str
    images: tuple[str, ...]
    labels: str
    form: str
    classes: ClassTable
    splits: Splits
    skip: tuple[str, ...] = ()
    overlap: str = OVERLAPS[0]

    @property
    def short_hash(self) -> str:
        """Ten hex digits that differ between descriptions."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def image_patterns(self) -> tuple[Pattern, ...]:
        """Returns the patterns of the images."""
        return tuple(Pattern(text, split=self.splits.names) for text in self.images)

    def label_pattern(self) -> Pattern:
        """Returns the pattern of the labels."""
        table = self.classes
        known = {*table.names, *map(str, table.by_value), *self.skip}
        anything = ANY in self.skip
        return Pattern(
            self.labels, split=self.splits.names, class_=() if anything else sorted(known)
        )


def parse_description(section: Mapping[str, Any]) -> Description:
    """Checks `config.dataset.folder`.

    Raises:
        ValueError: a field is missing, unknown, or holds what it must not; the message names
            the field and what it allows.
    """
    for field in section:
        if field not in FIELDS:
            raise unknown_name(field, FIELDS, kind="field", field=f"the fields of {FIELD}")
    missing = [field for field in REQUIRED if field not in section]
    if missing:
        raise ValueError(
            f"{FIELD} has no {' and no '.join(missing)}: the dataset 'folder' is described by "
            f"{', '.join(REQUIRED)} and, where the defaults do not fit, "
            f"{', '.join(FIELDS[len(REQUIRED) :])}. docs/own_data.md shows each form."
        )
    form = section.get("form", FORMS[0])
    if form not in FORMS:
        raise unknown_name(str(form), FORMS, kind="form of labels", field=f"{FIELD}.form")
    for field in OF_NAMES:
        if form in PICTURE_FORMS and field in section:
            raise fault(
                field,
                f"has no meaning for form={form!r}, in which every pixel has its value: it is "
                f"for {', '.join(NAME_FORMS)}. Leave it out.",
            )
    overlap = section.get("overlap", OVERLAPS[0])
    if overlap not in OVERLAPS:
        raise fault("overlap", f"is {overlap!r}; allowed are {', '.join(map(repr, OVERLAPS))}.")
    given = section["images"]
    images = given if isinstance(given, list | tuple) else (given,)
    description = Description(
        path=as_text("path", section["path"]),
        images=tuple(as_text("images", text) for text in images),
        labels=as_text("labels", section["labels"]),
        form=form,
        classes=parse_classes(
            section["classes"],
            form=form,
            named=form in NAME_FORMS,
            ignore=section.get("ignore", ()),
            background=section.get("background", BACKGROUND),
        ),
        splits=parse_splits(section.get("splits", DEFAULT_SPLITS)),
        skip=as_names("skip", section.get("skip", ())),
        overlap=overlap,
    )
    _check_patterns(description)
    return description


def _check_patterns(description: Description) -> None:
    """Refuses patterns from which no pairs can come."""
    if not description.images:
        raise fault("images", "is empty. Set it to a pattern such as 'images/*.jpg'.")
    label, rules = description.label_pattern(), description.splits
    for pattern in description.image_patterns():
        _check_pattern("images", pattern, rules, one_file=False)
    _check_pattern("labels", label, rules, one_file=description.form in ONE_FILE_FORMS)
    for split, text in [*rules.patterns.items(), *rules.lists.items()]:
        Pattern(text).check(f"{FIELD}.splits[{split!r}]")
    if ("{class}" in label.text) != (description.form == "per_class"):
        raise fault(
            "labels",
            f"is {label.text!r}: form='per_class', and it alone, has {{class}} where the names "
            "of classes stand, such as 'masks/{class}/{id}.png'.",
        )


def _check_pattern(field: str, pattern: Pattern, rules: Splits, *, one_file: bool) -> None:
    """Refuses a pattern of too many or too few files, or without the splits it has to name."""
    pattern.check(f"{FIELD}.{field}")
    if one_file and pattern.several:
        raise fault(
            field,
            f"is {pattern.text!r}, but one file has the labels of all images in this form "
            f"({' and '.join(ONE_FILE_FORMS)}): name that file, without * and {{id}}.",
        )
    if not one_file and not pattern.several:
        raise fault(
            field,
            f"is {pattern.text!r}, which names one file: put * or {{id}} where the names "
            "differ, such as 'images/*.jpg' for images, 'masks/*.png' for labels.",
        )
    named = "{split}" in pattern.text
    if named and not rules.by_folder:
        raise fault(
            field,
            "holds {split}: list the names that it stands for, such as "
            f"{FIELD}.splits = ('train', 'val').",
        )
    if rules.by_folder and not named and not one_file:
        raise fault(
            "splits",
            f"lists only names, so that {FIELD}.{field}={pattern.text!r} has to say by {{split}} "
            "where those stand; or map each name to a share, a pattern or a .txt.",
        )
