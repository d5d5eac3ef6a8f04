"""Records come back as they went in, small, or say in one sentence that they are damaged."""

import numpy as np
import pytest

from seg_jax.evaluate.records import Records, RecordsError, read_records, write_records


def make_confusion(rng, n, k, shown, pixels):
    """Matrices of images that show some of k classes, as those of a data set do."""
    confusion = np.zeros((n, k, k), np.int64)
    for matrix in confusion:
        classes = rng.choice(k, shown, replace=False)
        mistakes = rng.gamma(0.3, pixels / shown**2, (shown, shown))
        matrix[np.ix_(classes, classes)] = mistakes.astype(np.int64)
        matrix[classes, classes] += rng.integers(0, pixels // shown, shown)
    return confusion


def names(n):
    return tuple(f"street/{place:06d}_leftImg8bit" for place in range(n))


@pytest.mark.parametrize(
    ("n", "k", "shown", "pixels", "limit"),
    [(101, 11, 8, 172_800, 20_000), (200, 150, 12, 250_000, 90_000)],
    ids=["camvid", "ade20k"],
)
def test_confusion_matrices_come_back_from_a_small_file(tmp_path, n, k, shown, pixels, limit):
    confusion = make_confusion(np.random.default_rng(0), n, k, shown, pixels)
    path = tmp_path / "per_image.npz"
    write_records(path, names(n), {"confusion": confusion})
    ids, counters = read_records(path)
    assert ids == names(n)
    assert list(counters) == ["confusion"]
    np.testing.assert_array_equal(counters["confusion"], confusion, strict=True)
    assert path.stat().st_size < limit  # dense: 98 kB and 36 MB
    assert [file.name for file in tmp_path.iterdir()] == ["per_image.npz"]


COUNTERS = {
    "confusion": np.arange(12).reshape(3, 2, 2) % 5,
    "empty": np.zeros((3, 4), np.int32),
    "scalar": np.array([2**62 + 1, 0, -7], np.int64),
    "large": np.array([70_000, 2**40, 3], np.int64),
    "negative": np.array([-7, 3, 0], np.int32),
    "unsigned": np.array([[0], [255], [3]], np.uint8),
    "narrow": np.array([[0.1, 0.0], [0.0, np.nan], [1e-30, -2.0]], np.float32),
    "wide": np.array([[[1 / 3]], [[0.0]], [[np.inf]]]),
    "none": np.zeros((3, 0), np.int64),
}


def test_any_counter_comes_back_in_its_type(tmp_path):
    path = tmp_path / "r.npz"
    write_records(path, ["b", "a", "\N{GREEK SMALL LETTER ALPHA}"], COUNTERS)
    records = read_records(path)
    assert records.ids == ("b", "a", "\N{GREEK SMALL LETTER ALPHA}")
    assert list(records.counters) == list(COUNTERS)
    for name, values in COUNTERS.items():
        np.testing.assert_array_equal(records.counters[name], values, strict=True)


def test_no_images_are_records_too(tmp_path):
    write_records(tmp_path / "r.npz", (), {"confusion": np.zeros((0, 2, 2), np.int64)})
    records = read_records(tmp_path / "r.npz")
    assert records.ids == ()
    assert records.counters["confusion"].shape == (0, 2, 2)


def same(a: Records, b: Records) -> bool:
    return (
        a.ids == b.ids
        and list(a.counters) == list(b.counters)
        and all(np.array_equal(a.counters[name], b.counters[name]) for name in a.counters)
        and all(a.counters[name].dtype == b.counters[name].dtype for name in a.counters)
    )


def test_no_flipped_bit_changes_a_number_unseen(tmp_path):
    path, damaged = tmp_path / "r.npz", tmp_path / "d.npz"
    confusion = make_confusion(np.random.default_rng(1), 6, 5, 3, 1000)
    write_records(path, names(6), {"confusion": confusion})
    whole, content = read_records(path), path.read_bytes()
    refused = 0
    for bit in range(0, 8 * len(content), 37):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(flipped)
        try:
            assert same(read_records(damaged), whole)  # as in a time stamp
        except RecordsError:
            refused += 1
    assert refused > 100


def test_a_bit_that_claims_encryption_is_one_sentence(tmp_path):
    path = tmp_path / "r.npz"
    write_records(path, names(3), {"confusion": np.ones((3, 2, 2), np.int64)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] ^= 1  # flags of the first member
    path.write_bytes(content)
    with pytest.raises(RecordsError, match="RuntimeError"):
        read_records(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_one_sentence(tmp_path, share):
    path = tmp_path / "r.npz"
    write_records(path, names(3), {"confusion": np.ones((3, 2, 2), np.int64)})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RecordsError, match=r"r\.npz is damaged or holds no records") as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_or_something_else_is_one_sentence(tmp_path):
    with pytest.raises(RecordsError, match=r"r\.npz does not exist"):
        read_records(tmp_path / "r.npz")
    np.savez(tmp_path / "r.npz", image=np.zeros(3))
    with pytest.raises(RecordsError, match="holds no records of images"):
        read_records(tmp_path / "r.npz")
    np.savez(tmp_path / "r.npz", ids=np.array(["a"], object), names=np.array([], str))
    with pytest.raises(RecordsError, match="allow_pickle=False"):
        read_records(tmp_path / "r.npz")
    write_records(tmp_path / "r.npz", names(2), {"x": np.ones((2, 3))})
    with np.load(tmp_path / "r.npz") as file:
        arrays = dict(file)
    for damage in ({"shape_0": np.array([2, 1])}, {"shape_0": np.array([], int)}):
        np.savez(tmp_path / "r.npz", **(arrays | damage))
        with pytest.raises(RecordsError, match="IndexError"):
            read_records(tmp_path / "r.npz")
    with (tmp_path / "r.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(RecordsError, match="TypeError"):
        read_records(tmp_path / "r.npz")
    np.savez(tmp_path / "r.npz", **(arrays | {"ids": arrays["ids"][:1]}))
    with pytest.raises(RecordsError, match="counter 'x' is not of 1 images"):
        read_records(tmp_path / "r.npz")


def test_a_killed_writer_leaves_the_old_records(tmp_path, monkeypatch):
    path = tmp_path / "r.npz"
    write_records(path, names(2), {"x": np.ones((2, 3))})
    content = path.read_bytes()

    def cut(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", cut)
    with pytest.raises(KeyboardInterrupt):
        write_records(path, names(2), {"x": np.zeros((2, 3))})
    assert path.read_bytes() == content


def test_counters_and_names_must_fit(tmp_path):
    with pytest.raises(ValueError, match="Image 'a' was evaluated twice"):
        write_records(tmp_path / "r.npz", ["b", "a", "a"], {})
    with pytest.raises(ValueError, match=r"Counter 'x' is of 3 images, but .* takes 2"):
        write_records(tmp_path / "r.npz", ["b", "a"], {"x": np.zeros((3, 1))})
    assert not list(tmp_path.iterdir())
