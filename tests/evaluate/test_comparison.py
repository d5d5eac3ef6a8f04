"""Sides are read, matched by image, refused where they do not compare, and tested in pairs."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from seg_jax.evaluate.comparison import (
    ComparisonError,
    Pair,
    compare,
    find_difference,
    read_side,
)
from seg_jax.evaluate.records import write_records
from seg_jax.metrics.class_counts import class_scores
from seg_jax.metrics.confidence import PairedTest, bootstrap, paired_test
from seg_jax.metrics.confusion import scores

IDS = tuple(f"image {place}" for place in range(30))


def make_confusion(seed, skill):
    rng = np.random.default_rng(seed)
    hits = rng.binomial(100, skill, (len(IDS), 3))
    confusion = hits[:, :, None] * np.eye(3, dtype=np.int64)
    confusion[:, [0, 1, 2], [1, 2, 0]] += 100 - hits
    return confusion


@pytest.fixture
def evaluation(tmp_path):
    """Returns a function that writes one evaluation and returns its row and its records."""

    def write(name, skill=0.7, *, seed=0, ids=IDS, sha256="abc", **row):
        path = tmp_path / f"{name}.npz"
        confusion = make_confusion(seed, skill)
        order = [IDS.index(i) for i in ids if i in IDS]
        write_records(path, ids, {"confusion": confusion[order]})
        answer = {
            "dataset": "scenes",
            "split": "val",
            "metrics": {"iou_per_class": dict.fromkeys("abc", 0.5)},
            "protocol": {"resize": "native", "flip": False},
            "data": {"eval": {"sha256": sha256}},
        }
        return {**answer, **row}, path

    return write


def test_a_side_is_its_seeds_matched_by_image(evaluation):
    shuffled = tuple(np.random.default_rng(0).permutation(IDS).tolist())
    side = read_side("U-Net", [evaluation("x", seed=1), evaluation("y", seed=2, ids=shuffled)])
    both = [make_confusion(seed, 0.7) for seed in (1, 2)]
    mious = [scores(confusion.sum(axis=0)).miou for confusion in both]
    assert side.label == "U-Net"
    assert side.mious == pytest.approx(mious)
    assert side.std == pytest.approx(abs(mious[0] - mious[1]) / np.sqrt(2))
    assert side.miou == pytest.approx(scores(both[0].sum(axis=0) + both[1].sum(axis=0)).miou)
    place = side.ids.index("image 7")
    expected = np.diagonal(both[0][7] + both[1][7]) / 2
    np.testing.assert_allclose(side.counts["hits"][place], expected)
    assert side.interval(50) == bootstrap(side.counts, class_scores, resamples=50)["miou"]


def test_one_seed_has_no_scatter(evaluation):
    a = read_side("A", [evaluation("x")])
    b = read_side("B", [evaluation("y", seed=1), evaluation("z", seed=2)])
    assert a.std is None
    assert Pair(a, b, TEST, 0.5).scatter is None
    assert Pair(b, b, TEST, 0.5).scatter == pytest.approx(np.sqrt(2) * b.std)


TEST = PairedTest(0.1, (0.0, 0.2), 0.04, False, 30)


def test_told_apart_is_a_matter_of_the_corrected_p_value(evaluation):
    side = read_side("A", [evaluation("x")])
    assert Pair(side, side, TEST, 0.049).told_apart
    assert not Pair(side, side, TEST, 0.05).told_apart


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"dataset": "camvid"}, "dataset is 'scenes' for one and 'camvid' for the other"),
        ({"split": "test"}, "split is 'val' for one and 'test' for the other"),
        ({"sha256": "abd"}, "sha256 is 'abc' for one and 'abd' for the other"),
        (
            {"metrics": {"iou_per_class": dict.fromkeys("abd", 0.5)}},
            "knows 3 classes and the other 3, or other names",
        ),
        ({"ids": IDS[:-1]}, "1 images were seen by one of them alone, such as 'image 29'"),
        (
            {"protocol": {"resize": "native", "flip": True}},
            "flip of their protocols is False for one and True for the other (--any_protocol",
        ),
        ({"protocol": {"flip": False}}, "resize of their protocols is 'native' for one and None"),
    ],
)
def test_what_does_not_compare_is_named(evaluation, changed, sentence):
    a, other = read_side("A", [evaluation("x")]), evaluation("y", 0.6, **changed)
    b = read_side("B", [other])
    assert sentence in find_difference(a, b)
    with pytest.raises(ComparisonError, match="A and B do not compare: "):
        compare([a, b], resamples=10)
    with pytest.raises(ComparisonError, match=r"seeds of A do not compare.*x\.npz and .*y\.npz"):
        read_side("A", [evaluation("x"), other])
    assert (find_difference(a, b, any_protocol=True) == "") == ("protocol" in changed)
    assert find_difference(a, a) == ""


def test_another_protocol_may_be_allowed(evaluation):
    a = read_side("A", [evaluation("x")])
    b = read_side("B", [evaluation("y", 0.5, protocol={})])
    (pair,), apart = compare([a, b], resamples=10, any_protocol=True)
    assert (pair.better.label, apart) == ("A", [])


def test_every_pair_is_tested_and_corrected(evaluation):
    skills = {"low": 0.70, "high": 0.75, "same": 0.705}
    sides = [
        read_side(label, [evaluation(label, skill, seed=place)])
        for place, (label, skill) in enumerate(skills.items())
    ]
    pairs, apart = compare(sides, resamples=999)
    assert apart == []
    assert {frozenset((p.better.label, p.worse.label)) for p in pairs} == {
        frozenset(("low", "high")),
        frozenset(("low", "same")),
        frozenset(("high", "same")),
    }
    raw = []
    for pair in pairs:
        assert pair.better.miou >= pair.worse.miou
        test = paired_test(pair.better.counts, pair.worse.counts, class_scores, resamples=999)
        assert pair.test == test["miou"]
        assert pair.test.difference == pytest.approx(pair.better.miou - pair.worse.miou)
        raw.append(pair.test.p_value)
    assert min(p.p_value for p in pairs) == pytest.approx(3 * min(raw))
    assert [p.told_apart for p in pairs] == [True, False, True]


def test_groups_are_tested_apart(evaluation):
    sides = [
        read_side(label, [evaluation(f"{label}", 0.7, seed=seed, split=split)])
        for seed, (label, split) in enumerate(
            [("A", "val"), ("B", "test"), ("C", "val"), ("D", "test"), ("E", "train")]
        )
    ]
    pairs, apart = compare(sides, resamples=20)
    assert [{p.better.label, p.worse.label} for p in pairs] == [{"A", "C"}, {"B", "D"}]
    assert [sentence[:23] for sentence in apart] == [
        "A and B do not compare:",
        "A and E do not compare:",
    ]


def test_a_difference_that_is_undefined_proves_nothing(evaluation):
    row, path = evaluation("x")
    write_records(path, IDS, {"confusion": np.zeros((len(IDS), 3, 3), np.int64)})
    side = read_side("A", [(row, path)])
    (pair,), _ = compare([side, dataclasses.replace(side, label="B")], resamples=10)
    assert (pair.test.p_value, pair.p_value) == (None, 1)


def test_too_little_to_compare(evaluation, tmp_path):
    side = read_side("A", [evaluation("x")])
    with pytest.raises(ComparisonError, match="It takes two configurations"):
        compare([side], resamples=10)
    write_records(tmp_path / "z.npz", IDS, {"bands": np.zeros((len(IDS), 1))})
    with pytest.raises(ComparisonError, match=r"z\.npz holds no confusion matrices"):
        read_side("A", [(evaluation("x")[0], tmp_path / "z.npz")])


def test_it_does_without_jax(python_env):
    modules = "seg_jax.evaluate.comparison, seg_jax.evaluate.rows"
    code = f"import sys, {modules}; print('jax' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], env=python_env, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
