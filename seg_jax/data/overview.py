"""The page of all datasets, made from their specs: what `launch.py list --datasets` prints."""

from seg_jax.data import DATASETS
from seg_jax.data.catalogue import spec_of
from seg_jax.data.preparation.disk import megabytes
from seg_jax.data.spec import DatasetSpec, Derived, Fold, Trimap, Union

_MADE_HERE = ("scenes",)
_OWN = "folder"

_HEAD = """\
# Datasets

Made by `python launch.py list --datasets` from the specs in `seg_jax/data`; a test compares.

`python launch.py prepare --dataset=NAME` downloads a set, where its publisher allows that
without an account, or takes the files from `--manual_dir=FOLDER`, laid out as published; checks
every example; and writes it once, as a TFDS dataset in `array_record`, into
`~/.cache/seg_jax/datasets`, `$SEG_JAX_DATA` or `--data_dir`. Images are the publisher's bytes.
Labels are PNGs of class ids 0..k-1, with 255 where a pixel does not count. `python launch.py
doctor --dataset=NAME` says what is in it, and what is wrong. Your own pictures: see
[own_data.md](own_data.md).

Sizes are those of the prepared set, roughly; most are estimates from the size of what is
published. A split in brackets has no published labels: every pixel of it is ignored. One without
a number has a size that nobody states. Only `camvid`, `isbi2012` and a sample of `coco/voc21` were
read from real files by our tests; the others from small trees in the publisher's layout.
"""


def overview() -> str:
    """Returns the page in Markdown: a table of all datasets, then each with its details."""
    specs = [spec_of(name) for name in DATASETS if name != _OWN]
    rows = [
        "| dataset | classes | splits | how to get it | size |",
        "|---|---:|---|---|---:|",
        *map(_row, specs),
    ]
    return "\n".join([_HEAD, *rows, "", *(_details(spec) for spec in specs)])


def _row(spec: DatasetSpec) -> str:
    size = megabytes(spec.prepared_bytes) if spec.prepared_bytes else "-"
    probes = {probe.split(level) for probe in spec.probes for level in probe.levels}
    splits = ", ".join(
        f"({text})" if split in spec.unlabelled else text
        for split, count in spec.splits.items()
        if split not in probes
        for text in [f"{split} {count:,}" if count else split]
    )
    if probes:
        splits += f", {len(probes)} probes"
    return f"| `{spec.name}` | {spec.num_classes} | {splits} | {_how(spec)} | {size} |"


def _how(spec: DatasetSpec) -> str:
    if spec.name in _MADE_HERE:
        return "made on demand"
    return "download" if spec.archives else "by hand (account)"


def _details(spec: DatasetSpec) -> str:
    lines = [f"## {spec.name}", "", f"Classes: {', '.join(spec.classes)}.", ""]
    for names, what in _views(spec):
        lines.append(f"Views: {names}: {what}.")
    if spec.homepage:
        lines.append(f"Source: <{spec.homepage}>.")
    lines += [f"Licence: {spec.licence}", f"Citation: {spec.citation}", ""]
    return "\n".join(lines)


def _views(spec: DatasetSpec) -> list[tuple[str, str]]:
    """Returns the derived splits, those of one kind and source together, and what they are."""
    kinds: dict[str, list[str]] = {}
    for name, derived in spec.derived.items():
        kinds.setdefault(_meaning(derived), []).append(f"`{name}`")
    return [(", ".join(names), meaning) for meaning, names in kinds.items()]


def _meaning(derived: Derived) -> str:
    match derived:
        case Union():
            return " + ".join(derived.of)
        case Fold():
            return f"{derived.count}-fold cross-validation over {derived.of[0]}"
        case Trimap():
            return f"{derived.of[0]} within that many pixels of its void pixels"
