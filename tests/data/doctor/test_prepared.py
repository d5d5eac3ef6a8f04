"""Prepared sets, views and sets made on demand: from the manifest, or decoded again."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from seg_jax.data.datasets.camvid import CamVid
from seg_jax.data.doctor.derived import members
from seg_jax.data.doctor.files import examine_files
from seg_jax.data.doctor.findings import find
from seg_jax.data.doctor.prepared import examine_prepared, stored_splits
from seg_jax.data.manifest import read_manifest, write_manifest
from seg_jax.data.source import open_source
from seg_jax.data.spec import Fold, Trimap, Union, folds

SPLITS = ("train", "val")


def examine(data_dir, splits=SPLITS, **arguments):
    return examine_prepared("camvid", splits, data_dir=data_dir, **arguments)


def folder(data_dir):
    return next((data_dir / "camvid").iterdir())


def test_the_manifest_says_what_decoding_finds_and_what_the_files_held(prepared, sound_tree):
    at_once, decoded = (examine(prepared, decode=decode) for decode in (False, True))
    builder = CamVid(data_dir=prepared)
    files = examine_files(CamVid.SPEC, builder.list_items(sound_tree), builder.reader(sound_tree))
    for split in SPLITS:
        quick, slow, before = (x[split].facts for x in (at_once, decoded, files))
        assert (quick.decoded, slow.decoded) == (False, True)
        for field in ("count", "published", "sizes", "pixels", "present", "around"):
            assert getattr(quick, field) == getattr(slow, field) == getattr(before, field)
        assert quick.images == slow.images == tuple(image[:16] for image in before.images)
        assert slow.richest == before.richest


def test_what_is_sound_gives_no_finding_and_what_was_not_decoded_is_said(prepared):
    assert find(CamVid.SPEC, examine(prepared)) == []
    (note,) = find(CamVid.SPEC, examine(prepared, decode=False))
    assert (note.severity, note.kind, note.split) == ("note", "not decoded", "train, val")
    assert "--decode=all" in note.remedy


FAULTS = """
import sys
from seg_jax.data.doctor.prepared import examine_prepared
facts = examine_prepared("camvid", ["val"], data_dir=sys.argv[1], decode=True)["val"].facts
faults = [f"{fault.kind} {fault.id} {fault.message}" for fault in facts.faults]
print(facts.count, facts.usable, *faults)
"""


def test_a_flipped_bit_is_a_damaged_record(prepared, python_env):
    (path,) = folder(prepared).glob("*val.array_record*")
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 0xFF
    path.write_bytes(data)
    # In a process of its own: the type checker of the tests reads a record at random.
    found = subprocess.run(
        [sys.executable, "-c", FAULTS, str(prepared)],
        env=python_env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith("3 2 damaged record #0 ")
    assert "launch.py prepare` again" in found.stdout


def test_an_image_that_is_not_the_prepared_one_is_a_damaged_record(prepared):
    manifest = read_manifest(folder(prepared), "val")
    images = ("0" * 16, *manifest.images[1:])
    write_manifest(folder(prepared), "val", dataclasses.replace(manifest, images=images))
    (fault,) = examine(prepared, decode=True)["val"].facts.faults
    assert (fault.kind, fault.id) == ("damaged record", "val_0")
    assert manifest.images[0] in fault.message


def test_a_set_without_manifest_is_refused_with_the_remedy(prepared):
    (folder(prepared) / "manifest.val.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no manifest.*prepare` again"):
        examine(prepared)


@pytest.mark.parametrize(
    "derived",
    [
        Union(("b", "a")),
        Trimap(("a",), 2),
        *(Fold(("a",), index, 3, held_out) for index in range(3) for held_out in (True, False)),
    ],
)
def test_members_are_those_that_the_view_shows(derived, memory_source):
    from seg_jax.data.derive import derive

    counts = {"a": 7, "b": 2}
    sources = {
        split: memory_source([np.full((3, 3), 10 * i + (split == "b"), np.uint8) for i in range(n)])
        for split, n in counts.items()
    }
    view = derive(derived, [sources[split] for split in derived.of])
    expected = [int(view[i]["image"][0, 0, 0]) for i in range(len(view))]
    found = [
        int(sources[split][position]["image"][0, 0, 0])
        for split, position in members(derived, counts)
    ]
    assert found == expected


def test_views_carry_the_hashes_of_what_they_show(prepared, monkeypatch):
    derived = {"trainval": Union(SPLITS), **folds("train", 2)}
    monkeypatch.setattr(CamVid, "SPEC", dataclasses.replace(CamVid.SPEC, derived=derived))
    examined = examine(prepared, ["train", "val", "trainval", "fold0_train", "fold0_val"])
    facts = {split: one.facts for split, one in examined.items()}
    assert facts["trainval"].images == facts["train"].images + facts["val"].images
    assert facts["fold0_val"].images == facts["train"].images[:2]
    assert facts["fold0_train"].images == facts["train"].images[2:]
    assert np.array_equal(
        facts["trainval"].pixels, np.add(facts["train"].pixels, facts["val"].pixels)
    )
    assert find(CamVid.SPEC, examined) == []  # that views show stored splits is no leak
    leaks = find(
        CamVid.SPEC,
        {split: examined[split] for split in ("trainval", "val")},
        training=["trainval"],
    )
    assert [(leak.kind, len(leak.examples)) for leak in leaks] == [("duplicates between", 3)]
    apart = {split: examined[split] for split in ("fold0_train", "fold0_val")}
    kinds = [finding.kind for finding in find(CamVid.SPEC, apart, training=["fold0_train"])]
    assert "duplicates between" not in kinds


def test_what_is_made_on_demand_is_looked_at_without_a_manifest(monkeypatch):
    from seg_jax.data.scenes.builder import Scenes

    small = dataclasses.replace(Scenes.SPEC, splits={**Scenes.SPEC.splits, "train": 9, "val": 5})
    monkeypatch.setattr(Scenes, "SPEC", small)
    assert stored_splits(Scenes) == ["train", "val"]  # the probes have splits of their own
    examined = examine_prepared("scenes", SPLITS, decode=False)
    for split in SPLITS:
        source, facts = open_source("scenes", split), examined[split].facts
        labels = np.stack([source[i]["label"] for i in range(len(source))])
        expected = [(labels == k).sum() for k in [*range(small.num_classes), 255]]
        assert facts.pixels == tuple(expected)
        assert len(set(facts.images)) == len(source)
