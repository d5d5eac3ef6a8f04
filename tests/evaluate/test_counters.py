"""Images are counted by threads, and their counters keep the order."""

import threading
import time

import numpy as np
import pytest

from seg_jax.evaluate.counters import CounterPool, count_image
from seg_jax.metrics.metric import Prediction


class Slow:
    """Counts early images last."""

    needs_probabilities = needs_instances = False

    def count(self, image):
        time.sleep(0.02 * (3 - int(image.label[0, 0])))
        return {"first": image.label[0], "threads": np.array(threading.get_ident())}

    def score(self, counters):
        return {}


def images(*numbers):
    return [Prediction(np.zeros((1, 2), np.uint8), np.full((1, 2), n, np.uint8)) for n in numbers]


def test_counters_keep_the_order_of_the_images():
    pool = CounterPool({"slow": Slow()})
    pool.submit(images(0, 1))
    pool.submit(images(2, 3))
    counters = pool.result()
    np.testing.assert_array_equal(counters["slow/first"], [[0, 0], [1, 1], [2, 2], [3, 3]])
    assert threading.get_ident() not in counters["slow/threads"]
    pool.close()


def test_names_say_the_metric_and_the_counter():
    assert set(count_image({"a": Slow(), "b": Slow()}, images(3)[0])) == {
        "a/first",
        "a/threads",
        "b/first",
        "b/threads",
    }


def test_a_metric_that_fails_is_not_forgotten():
    class Broken(Slow):
        def count(self, image):
            raise LookupError("no objects")

    pool = CounterPool({"broken": Broken()})
    pool.submit(images(0))
    with pytest.raises(LookupError, match="no objects"):
        pool.submit(images(1))
    pool.close()
