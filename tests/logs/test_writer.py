"""Several writers as one."""

import numpy as np

from seg_jax.logs import Writer, Writers


class Recorder:
    def __init__(self):
        self.calls = []

    def write(self, step, row):
        self.calls.append(("write", step, dict(row)))

    def draw(self, step, pictures):
        self.calls.append(("draw", step, list(pictures)))

    def close(self):
        self.calls.append("close")


def test_everything_goes_to_everyone():
    one, two = Recorder(), Recorder()
    both = Writers([one, two])
    assert isinstance(both, Writer)
    both.write(3, {"loss": 1.0})
    both.draw(3, {"a": np.zeros((1, 1, 3), np.uint8)})
    both.close()
    assert one.calls == two.calls == [("write", 3, {"loss": 1.0}), ("draw", 3, ["a"]), "close"]
