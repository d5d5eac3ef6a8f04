"""Images shared by devices: the compiler's exchange of rows leaves the numbers as they are."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.parametrize("network", ["unet", "unet of few rows", "deeplab"])
def test_a_mesh_of_two_by_four_trains_and_evaluates_as_one_device(network, python_env):
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("eight_devices.py"), network],
        env=python_env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["mesh"] == {"data": 2, "height": 4}
    many, one = report["losses"]
    np.testing.assert_allclose(many, one, rtol=1e-5)
    assert one[2] < one[0]
    assert report["parameters"] < 1e-5
    assert report["logits"] < 1e-5 * max(report["largest_logit"], 1)
