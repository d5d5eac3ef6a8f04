"""Intervals and paired tests against scipy, plain loops, and their own promises on simulations."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from seg_jax.metrics import resampling
from seg_jax.metrics.class_counts import class_counts, class_scores
from seg_jax.metrics.confidence import average, bootstrap, holm, one_by_one, paired_test
from seg_jax.metrics.confusion import scores


def make_labels(rng, n, k=4):
    """Pixels of every class in every image; the last class is in one image of three."""
    labels = rng.integers(20, 200, (n, k))
    labels[rng.random(n) > 1 / 3, -1] = 0
    return labels


def make_confusion(rng, labels, skill):
    """Confusion matrices of a network that is right with `skill`, varying by image."""
    n, k = labels.shape
    share = np.clip(skill + 0.1 * rng.standard_normal((n, k)), 0, 1)
    hits = np.floor(labels * share).astype(np.int64)
    confusion = hits[:, :, None] * np.eye(k, dtype=np.int64)
    for image in range(n):
        for label in range(k):
            confusion[image, label, rng.integers(k - 1)] += (
                labels[image, label] - hits[image, label]
            )
    return confusion


def make_pair(seed, n, skills=(0.75, 0.7)):
    rng = np.random.default_rng(seed)
    labels = make_labels(rng, n)
    return tuple(make_confusion(rng, labels, skill) for skill in skills)


def miou(confusion):
    return scores(confusion.sum(axis=0)).miou


def paired_miou(a, b, **options):
    return paired_test(class_counts(a), class_counts(b), class_scores, **options)["miou"]


def test_the_interval_is_that_of_scipy():
    a, _ = make_pair(0, 25)
    expected = stats.bootstrap(
        (np.arange(25),),
        lambda index: miou(a[index]),
        method="percentile",
        vectorized=False,
        n_resamples=4000,
        confidence_level=0.9,
        rng=np.random.default_rng(1),
    )
    found = bootstrap(class_counts(a), class_scores, resamples=20_000, level=0.9)["miou"]
    low, high = expected.confidence_interval
    assert found == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found[0] < miou(a) < found[1]


def test_every_score_has_an_interval_and_each_its_own():
    a, _ = make_pair(0, 25)
    found = bootstrap(class_counts(a), class_scores, resamples=500)
    whole = scores(a.sum(axis=0))
    for name, (low, high) in found.items():
        assert low < getattr(whole, name) < high
    assert len(set(found.values())) == 4


def test_a_metric_that_knows_one_sum_at_a_time_has_the_same_interval():
    a, _ = make_pair(3, 12)
    score = one_by_one(lambda counters: {"miou": scores(counters["confusion"]).miou})
    found = bootstrap({"confusion": a}, score, resamples=200, seed=5)
    expected = bootstrap(class_counts(a), class_scores, resamples=200, seed=5)
    assert found["miou"] == pytest.approx(expected["miou"])
    assert list(found) == ["miou"]
    other = bootstrap(class_counts(a), class_scores, resamples=200, seed=6)
    assert other["miou"] != expected["miou"]


def test_without_noise_there_is_no_interval():
    a, _ = make_pair(0, 10)
    assert set(bootstrap(class_counts(a[:1]), class_scores, resamples=50).values()) == {None}
    assert set(bootstrap(class_counts(a), class_scores, resamples=0).values()) == {None}
    nothing = class_counts(np.zeros((4, 3, 3), np.int64))
    assert set(bootstrap(nothing, class_scores, resamples=50).values()) == {None}


def test_draws_that_show_no_pixel_are_left_out():
    confusion = np.zeros((3, 2, 2), np.int64)
    confusion[0] = [[3, 1], [1, 3]]  # the others are ignored altogether
    low, high = bootstrap(class_counts(confusion), class_scores, resamples=200)["miou"]
    assert low == high == pytest.approx(0.6)


def test_blocks_change_nothing(monkeypatch):
    a, b = make_pair(4, 10)
    whole = bootstrap(class_counts(a), class_scores, resamples=101)
    exact = paired_miou(a, b, resamples=1024)
    monkeypatch.setattr(resampling, "_BLOCK", 40)
    assert bootstrap(class_counts(a), class_scores, resamples=101) == whole
    assert paired_miou(a, b, resamples=1024) == exact


def test_draws_take_n_images_each_as_likely():
    drawn = np.concatenate(list(resampling.draws((7, 3), 20_000, 0)))
    assert drawn.shape == (20_000, 7)
    np.testing.assert_array_equal(drawn.sum(axis=1), 7)
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(drawn.var(axis=0), 6 / 7, atol=0.05)


def test_exchanges_are_all_or_a_fair_sample():
    every = np.concatenate(list(resampling.exchanges((6, 3), 64, 0)))
    assert len({tuple(row) for row in every}) == len(every) == 64
    some = np.concatenate(list(resampling.exchanges((6, 3), 63, 0)))
    assert len(some) == 63
    many = np.concatenate(list(resampling.exchanges((15, 3), 20_000, 0)))
    np.testing.assert_allclose(many.mean(axis=0), 0.5, atol=0.02)
    assert set(np.unique(many)) == {0, 1}


def test_memory_is_bounded():
    rng = np.random.default_rng(0)
    counters = {"hits": rng.integers(1, 9, (20_000, 2)).astype(float)}
    tracemalloc.start()
    bootstrap(counters, lambda sums: {"sum": sums["hits"].sum(axis=1)}, resamples=1500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6  # all draws at once: 240 MB an array, and several of them


@pytest.mark.parametrize("seed", range(3))
def test_the_exact_p_value_is_that_of_scipy(seed):
    n = 8
    a, b = make_pair(seed, n)
    both = np.concatenate([a, b])
    expected = stats.permutation_test(
        (np.arange(n), np.arange(n) + n),
        lambda first, second: miou(both[first]) - miou(both[second]),
        permutation_type="samples",
        vectorized=False,
        n_resamples=np.inf,
    )
    found = paired_miou(a, b, resamples=256)
    assert found.exact
    assert found.num_images == n
    assert found.difference == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert 0 < found.p_value < 1


def test_the_interval_of_the_difference_is_that_of_scipy():
    a, b = make_pair(5, 20)
    expected = stats.bootstrap(
        (np.arange(20),),
        lambda index: miou(a[index]) - miou(b[index]),
        method="percentile",
        vectorized=False,
        n_resamples=2000,
        rng=np.random.default_rng(1),
    )
    found = paired_miou(a, b, resamples=20_000)
    low, high = expected.confidence_interval
    assert found.interval == pytest.approx((low, high), abs=0.08 * (high - low))


def test_a_sample_of_exchanges_estimates_the_exact_p_value():
    a, b = make_pair(6, 13, skills=(0.72, 0.7))
    exact = paired_miou(a, b, resamples=2**13)
    sampled = paired_miou(a, b, resamples=2**13 - 1)
    assert (exact.exact, sampled.exact) == (True, False)
    assert 0.01 < exact.p_value < 0.9
    assert sampled.p_value == pytest.approx(exact.p_value, abs=4 * 0.5 / 2**6.5)


def test_the_observed_exchange_counts_among_the_sampled():
    a, b = make_pair(7, 60, skills=(0.9, 0.5))
    assert paired_miou(a, b, resamples=99).p_value == 1 / 100


def test_the_order_of_the_two_does_not_matter():
    a, b = make_pair(8, 30)
    there, back = paired_miou(a, b, resamples=500), paired_miou(b, a, resamples=500)
    assert there.difference == -back.difference
    assert there.p_value == back.p_value
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))


def test_a_network_is_no_better_than_itself():
    a, _ = make_pair(9, 30)
    found = paired_miou(a, a, resamples=200)
    assert (found.difference, found.p_value, found.interval) == (0, 1, (0, 0))


def test_one_image_proves_nothing():
    a, b = make_pair(10, 1)
    found = paired_miou(a, b, resamples=200)
    assert (found.p_value, found.interval) == (1, None)
    assert found.difference == pytest.approx(miou(a) - miou(b))


def test_an_undefined_difference_has_no_p_value():
    nothing = np.zeros((3, 2, 2), np.int64)
    found = paired_miou(nothing, nothing, resamples=20)
    assert np.isnan(found.difference)
    assert (found.p_value, found.interval) == (None, None)


def test_exchanges_without_a_score_count_against_the_difference():
    # The score of a is undefined once it has b's first image.
    def score(sums):
        return {"sum": np.where(sums["x"] == 13, np.nan, sums["x"])}

    found = paired_test(
        {"x": np.array([4.0, 10.0])}, {"x": np.array([3.0, 1.0])}, score, resamples=4
    )["sum"]
    # Differences of the four exchanges: 14 - 4, undefined twice, 4 - 14.
    assert (found.difference, found.p_value) == (10, 1)


def test_seeds_are_averaged_image_by_image():
    a, b = make_pair(11, 9)
    c, d = make_pair(12, 9)
    c[:, 0, 3] += 1  # predicted by one seed only
    mean = average([class_counts(x) for x in (a, b, c)])
    np.testing.assert_allclose(mean["hits"], sum(class_counts(x)["hits"] for x in (a, b, c)) / 3)
    found = paired_test(mean, class_counts(d), class_scores, resamples=512)["miou"]
    # Scores are those of shares, so that three times the pixels are the same networks.
    whole = paired_miou(a + b + c, 3 * d, resamples=512)
    assert found.p_value == whole.p_value
    assert found.difference == pytest.approx(whole.difference)
    assert found.interval == pytest.approx(whole.interval)


def test_p_values_are_uniform_where_networks_do_not_differ():
    p_values = np.array(
        [
            paired_miou(*make_pair(seed, 15, skills=(0.7, 0.7)), resamples=99, seed=seed).p_value
            for seed in range(400)
        ]
    )
    for level in (0.05, 0.2, 0.5, 0.8):
        share = np.mean(p_values <= level)
        assert share == pytest.approx(level, abs=3.5 * np.sqrt(level * (1 - level) / 400))


def test_intervals_hold_the_true_difference():
    truth = np.subtract(*map(miou, make_pair(0, 4000)))
    held = 0
    for seed in range(200):
        low, high = paired_miou(*make_pair(1 + seed, 40), resamples=200, seed=seed).interval
        held += low <= truth <= high
    assert 0.88 <= held / 200 <= 0.99


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        # p.adjust(p, "holm") of R
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.2], [0.2]),
        ([0.02, 0.02, 0.9], [0.06, 0.06, 0.9]),
    ],
)
def test_holm(p_values, corrected):
    assert holm(p_values) == pytest.approx(corrected)


def test_what_is_not_paired_is_refused():
    a, b = make_pair(0, 6)
    with pytest.raises(ValueError, match="same counters of the same images"):
        paired_miou(a, b[:5], resamples=10)
    with pytest.raises(ValueError, match="1 resample or more, not resamples=0"):
        paired_miou(a, b, resamples=0)
