import io

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from seg_jax.data.datasets.sbd import decode_sbd_label, find_sbd
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("voc", "trainaug", "2008_000002", label_path="cls/2008_000002.mat")
IDS = np.arange(21, dtype=np.uint8).reshape(3, 7)


def mat(**variables):
    out = io.BytesIO()
    scipy.io.savemat(out, variables, do_compression=True)
    return out.getvalue()


def published(ids):
    """A file as SBD has them: the struct GTcls with sparse boundaries beside the classes."""
    boundaries = np.empty((20, 1), object)
    for k in range(20):
        boundaries[k, 0] = scipy.sparse.csc_array(ids == k + 1)
    present = np.unique(ids[ids > 0])[:, None]
    return mat(GTcls={"Segmentation": ids, "Boundaries": boundaries, "CategoriesPresent": present})


def test_a_label_holds_its_class_ids():
    ids = decode_sbd_label(published(IDS), ORIGIN)
    assert ids.dtype == np.uint8
    np.testing.assert_array_equal(ids, IDS)


def test_ids_of_another_type_are_the_same():
    np.testing.assert_array_equal(decode_sbd_label(published(IDS.astype(np.int32)), ORIGIN), IDS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not a file", "MATLAB file"),
        (mat(GTinst={"Segmentation": IDS}), "has no variable GTcls"),
        (mat(GTcls={"Boundaries": IDS}), "GTcls without Segmentation"),
        (mat(GTcls=IDS), "GTcls without Segmentation"),
        (mat(GTcls={"Segmentation": IDS.astype(np.float64)}), "float64 values"),
        (mat(GTcls={"Segmentation": IDS.astype(np.int16) + 255}), r"values in 255\.\.275"),
    ],
)
def test_another_file_is_refused_by_name(data, message):
    with pytest.raises(DataError, match=rf"cls/2008_000002.mat\).*{message}"):
        decode_sbd_label(data, ORIGIN)


@pytest.mark.parametrize(
    "folder",
    [".", "sbd", "benchmark_RELEASE/dataset", "sbd_benchmark/benchmark_RELEASE/dataset",
     "VOCdevkit/VOCaug/dataset"],
)  # fmt: skip
def test_it_is_found_wherever_it_was_unpacked(tmp_path, folder):
    lies = tmp_path / folder
    (lies / "cls").mkdir(parents=True)
    (lies / "train.txt").write_text("b\na\n")
    assert find_sbd(tmp_path) is None  # one list of the two
    (lies / "val.txt").write_text("c\n")
    sbd = find_sbd(tmp_path)
    assert sbd is not None
    assert (sbd.train, sbd.val) == (("b", "a"), ("c",))
    assert sbd.label("a") == lies / "cls" / "a.mat"


def test_none_is_found_where_there_is_none(tmp_path):
    assert find_sbd(tmp_path) is None
