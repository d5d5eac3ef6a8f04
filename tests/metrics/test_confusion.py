"""Confusion matrices and scores against plain loops, for any split of the data."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_jax.labels import IGNORE_LABEL
from seg_jax.metrics.confusion import confusion_matrix, scores


def draw(seed, batch=5, k=4):
    random = np.random.RandomState(seed)
    labels = random.randint(0, k, (batch, 6, 7)).astype(np.uint8)
    labels[random.rand(*labels.shape) < 0.2] = IGNORE_LABEL
    return random.randint(0, k, labels.shape).astype(np.uint8), labels


def test_counts_equal_a_loop_over_pixels():
    predictions, labels = draw(0)
    expected = np.zeros((5, 4, 4), int)
    for index in np.ndindex(labels.shape):
        if labels[index] != IGNORE_LABEL:
            expected[index[0], labels[index], predictions[index]] += 1
    actual = confusion_matrix(jnp.asarray(predictions), jnp.asarray(labels), 4)
    np.testing.assert_array_equal(actual, expected)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(1, 4))
def test_any_split_into_batches_gives_the_same_counts(seed, cut):
    predictions, labels = (jnp.asarray(x) for x in draw(seed))
    whole = confusion_matrix(predictions, labels, 4).sum(axis=0)
    parts = [
        confusion_matrix(predictions[part], labels[part], 4).sum(axis=0)
        for part in (slice(None, cut), slice(cut, None))
    ]
    np.testing.assert_array_equal(whole, parts[0] + parts[1])


def test_scores_equal_their_definitions_over_sets_of_pixels():
    predictions, labels = draw(1)
    predictions[labels == 3] = 0
    predictions[predictions == 3] = 1
    labels[labels == 3] = IGNORE_LABEL  # class 3 occurs nowhere
    matrix = confusion_matrix(jnp.asarray(predictions), jnp.asarray(labels), 4)
    result = scores(np.asarray(matrix).sum(axis=0))
    counted = labels != IGNORE_LABEL
    iou, accuracy, share = [], [], []
    for k in range(3):
        truth, guess = (labels == k) & counted, (predictions == k) & counted
        iou.append((truth & guess).sum() / (truth | guess).sum())
        accuracy.append((truth & guess).sum() / truth.sum())
        share.append(truth.sum() / counted.sum())
    np.testing.assert_allclose(result.iou[:3], iou)
    assert np.isnan(result.iou[3])
    assert result.miou == pytest.approx(np.mean(iou))
    assert result.mean_accuracy == pytest.approx(np.mean(accuracy))
    assert result.frequency_weighted_iou == pytest.approx(np.dot(share, iou))
    assert result.pixel_accuracy == pytest.approx((predictions == labels)[counted].mean())


def test_the_mean_of_per_image_iou_is_another_number():
    """What this metric must never be (google-metrax averages batches, for instance)."""
    confusion = np.array([[[9, 1], [0, 0]], [[0, 0], [5, 5]]])
    mean_of_images = np.mean([scores(image).miou for image in confusion])
    assert scores(confusion.sum(axis=0)).miou != pytest.approx(mean_of_images)


def test_nothing_counted_is_nan_without_a_warning():
    assert np.isnan(scores(np.zeros((3, 3), int)).miou)


def test_dice_precision_and_recall_equal_their_definitions_over_sets_of_pixels():
    predictions, labels = draw(2)
    labels[labels == 2] = 0  # class 2 is predicted only
    predictions[predictions == 3] = 1  # class 3 is labelled only
    matrix = confusion_matrix(jnp.asarray(predictions), jnp.asarray(labels), 5)
    result = scores(np.asarray(matrix).sum(axis=0))
    counted = labels != IGNORE_LABEL
    dice = []
    for k in range(4):
        truth, guess = (labels == k) & counted, (predictions == k) & counted
        both = (truth & guess).sum()
        dice.append(2 * both / (truth.sum() + guess.sum()))
        assert result.dice[k] == pytest.approx(dice[-1])
        if k != 3:
            assert result.precision[k] == pytest.approx(both / guess.sum())
        if k != 2:
            assert result.recall[k] == pytest.approx(both / truth.sum())
    assert result.mean_dice == pytest.approx(np.mean(dice))
    assert dice[2] == dice[3] == result.precision[2] == result.recall[3] == 0
    assert np.isnan([result.dice[4], result.precision[3], result.recall[2]]).all()


def test_dice_is_a_function_of_iou():
    predictions, labels = draw(3)
    matrix = confusion_matrix(jnp.asarray(predictions), jnp.asarray(labels), 4)
    result = scores(np.asarray(matrix).sum(axis=0))
    np.testing.assert_allclose(result.dice, 2 * result.iou / (1 + result.iou))
