import errno
import os

import pytest

from seg_jax.data.preparation import disk
from seg_jax.data.preparation.disk import (
    DiskFullError,
    explaining,
    free_bytes,
    megabytes,
    require_space,
)


def test_free_space_is_that_of_the_folder_to_be(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.01)


def test_what_does_not_fit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "free_bytes", lambda _: 20_000_000)
    require_space(20_000_000, tmp_path, "It")
    with pytest.raises(
        DiskFullError, match=r"^It needs about 3.5 GB, but .* has 20 MB free.*data_"
    ):
        require_space(3_500_000_000, tmp_path, "It")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_how_to_go_on(tmp_path, number):
    with (
        pytest.raises(DiskFullError, match=rf"{tmp_path} is full: .* it continues.*--data_dir"),
        explaining(tmp_path),
    ):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, number):
    with (
        pytest.raises(PermissionError, match=rf"^{tmp_path}/a cannot be written .*--data_dir"),
        explaining(tmp_path),
    ):
        raise OSError(number, os.strerror(number), str(tmp_path / "a"))


def test_other_errors_and_other_folders_are_left_as_they_are(tmp_path):
    for error in (
        OSError(errno.EACCES, "denied", "/elsewhere/file"),
        OSError(errno.ENOSPC, "full", "/elsewhere/file"),
        OSError(errno.EIO, "broken", str(tmp_path / "a")),
        DiskFullError("said already"),
    ):
        with pytest.raises(OSError) as raised, explaining(tmp_path):  # noqa: PT011
            raise error
        assert raised.value is error


def test_numbers_are_read_by_people():
    sizes = [420_000, 9_900_000, 42_000_000, 19_340_000_000]
    assert [megabytes(size) for size in sizes] == ["0.4 MB", "9.9 MB", "42 MB", "19.3 GB"]
