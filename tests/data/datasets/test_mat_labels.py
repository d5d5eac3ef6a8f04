import io

import numpy as np
import pytest
import scipy.io

from seg_jax.data.datasets.mat_labels import check_ids, read_mat
from seg_jax.data.validate import DataError, Origin

ORIGIN = Origin("voc", "trainaug", "2008_000002", label_path="cls/2008_000002.mat")
IDS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def mat(**variables):
    out = io.BytesIO()
    scipy.io.savemat(out, variables, do_compression=True)
    return out.getvalue()


def test_a_variable_is_read():
    ids = read_mat(mat(LabelMap=IDS, other=np.zeros(3)), "LabelMap", ORIGIN)
    assert ids.dtype == np.uint16
    np.testing.assert_array_equal(ids, IDS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "MATLAB file"),
        (b"\x89PNG" * 100, "MATLAB file"),
        (mat(LabelMap=IDS)[:-8], "MATLAB file"),
        (mat(Other=IDS), "has no variable LabelMap"),
    ],
)
def test_what_cannot_be_read_is_named(data, message):
    with pytest.raises(DataError, match=rf"cls/2008_000002.mat\).*{message}"):
        read_mat(data, "LabelMap", ORIGIN)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (IDS.astype(np.float64), "float64 values"),
        (IDS[None], r"of shape \(1, 3, 4\)"),
        (IDS.astype(np.int16) - 1, r"values in -1\.\.10, but its ids are 0\.\.11"),
        (IDS + 1, r"values in 1\.\.12, but"),
        (np.array(["text"]), r"<U4 values of shape \(1,\)"),
    ],
)
def test_what_are_no_ids_is_named(pixels, message):
    with pytest.raises(DataError, match=rf"cls/2008_000002.mat\).*{message}"):
        check_ids(pixels, ORIGIN, 11)
    check_ids(IDS, ORIGIN, 11)
