import hashlib

import numpy as np
import pytest

from seg_jax.data.datasets.camvid import SPEC
from seg_jax.data.manifest import make_manifest, read_manifest, write_manifest
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.source import open_source
from seg_jax.data.validate import DataError, encode_png
from seg_jax.files import JSONFileError


def record(number: int, shape=(4, 6), label=None) -> dict[str, bytes]:
    rng = np.random.default_rng(number)
    if label is None:
        label = rng.choice(np.uint8([0, 3, 10, 255]), shape)
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    return {"image": encode_png(image), "label": encode_png(label), "id": b"n%d" % number}


RECORDS = [record(0), record(1, (5, 7)), record(2)]


def manifest_of(records):
    return make_manifest(records, SPEC, "train")


def test_it_counts_what_the_records_hold():
    manifest = manifest_of(RECORDS)
    assert manifest.num_examples == 3
    assert manifest.sizes == ((4, 6), (5, 7), (4, 6))
    labels = [
        np.random.default_rng(n).choice(np.uint8([0, 3, 10, 255]), s)
        for n, s in enumerate(manifest.sizes)
    ]
    for position, value in enumerate([*range(11), 255]):
        assert manifest.pixels[position] == sum((x == value).sum() for x in labels)
        assert manifest.present[position] == sum((x == value).any() for x in labels)
        assert manifest.around[position] == sum(x.size for x in labels if (x == value).any())
    assert manifest.images[1] == hashlib.sha256(RECORDS[1]["image"]).hexdigest()[:16]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r[::-1],
        lambda r: r[:-1],
        lambda r: [r[0], r[1] | {"id": b"other"}, r[2]],
        lambda r: [r[0], r[1] | {"image": record(9, (5, 7))["image"]}, r[2]],
        lambda r: [r[0], r[1] | {"label": record(9, (5, 7))["label"]}, r[2]],
        lambda r: [r[0], r[1] | {"instances": b"x"}, r[2]],
    ],
)
def test_the_checksum_sees_every_change(change):
    assert manifest_of(change(RECORDS)).sha256 != manifest_of(RECORDS).sha256
    assert manifest_of(list(RECORDS)).sha256 == manifest_of(RECORDS).sha256


def test_it_comes_back_from_disk_as_it_was(tmp_path):
    manifest = manifest_of(RECORDS)
    write_manifest(tmp_path, "train", manifest)
    assert read_manifest(tmp_path, "train") == manifest
    (tmp_path / "manifest.train.json").write_text("{")
    with pytest.raises(JSONFileError, match=r"manifest\.train\.json is not JSON"):
        read_manifest(tmp_path, "train")


def test_a_label_that_was_written_wrongly_is_named():
    damaged = RECORDS[1] | {"label": RECORDS[1]["label"][:-20]}
    with pytest.raises(DataError, match=r"label of example 'n1' of camvid, split 'train'"):
        manifest_of([RECORDS[0], damaged])


def test_a_prepared_split_knows_its_own(camvid_tree, tmp_path):
    prepare("camvid", data_dir=tmp_path / "data", manual_dir=camvid_tree(train=3, val=1))
    train, val = (
        open_source("camvid", split, data_dir=tmp_path / "data") for split in ("train", "val")
    )
    assert [train.size(i) for i in range(3)] == [example["label"].shape for example in train]
    assert train.checksum == manifest_of([train.record(i) for i in range(3)]).sha256
    assert train.checksum != val.checksum
