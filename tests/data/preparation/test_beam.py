import sys

import cv2
import numpy as np
import pytest

from seg_jax.data.preparation.beam import download_options
from seg_jax.data.preparation.prepare import prepare
from seg_jax.data.validate import DataError


def test_no_runner_means_no_beam():
    assert download_options("", ()) == {}


def test_options_without_a_runner_are_refused():
    with pytest.raises(ValueError, match=r"--beam_option=region=x has no meaning without --beam_r"):
        download_options("", ["region=x"])


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(RuntimeError, match="pip install apache-beam"):
        download_options("DirectRunner", ())


@pytest.fixture
def beam():
    return pytest.importorskip("apache_beam", reason="apache-beam is optional")


# Beam's own code and that of its dependencies warns of what it will change.
@pytest.mark.filterwarnings("ignore")
def test_beam_writes_what_we_write(beam, camvid_tree, tmp_path, monkeypatch):
    monkeypatch.setattr("seg_jax.data.preparation.shards.SHARD_BYTES", 2000)
    root = camvid_tree(train=5, val=2)

    def made(data_dir, **options):
        done = prepare("camvid", data_dir=tmp_path / data_dir, manual_dir=root, **options)
        files = sorted(done.path.glob("*array_record*"))
        return {file.name: file.read_bytes() for file in files}, done.manifests

    with pytest.raises(ValueError, match="--beam_runner=NoRunner is none"):
        made("beam", beam_runner="NoRunner")
    label = root / "trainannot" / "train_3.png"
    good = label.read_bytes()
    cv2.imwrite(str(label), np.full((12, 16), 99, np.uint8))
    with pytest.raises(DataError, match=r"'train_3' of camvid.*\[99\]"):
        made("beam", beam_runner="DirectRunner")
    label.write_bytes(good)
    by_beam = made("beam", beam_runner="DirectRunner", beam_options=["direct_num_workers=1"])
    assert len(by_beam[0]) == 4
    assert by_beam == made("ours")
