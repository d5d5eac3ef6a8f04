"""Memory of devices, which some of them tell."""

import jax
import pytest

from seg_jax.train.progress import DeviceMemory, device_memory


class Device:
    def __init__(self, stats):
        self.stats = stats

    def memory_stats(self):
        return self.stats


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ([None, None], None),
        ([{}], None),
        (
            [
                {"bytes_in_use": 5, "peak_bytes_in_use": 90, "bytes_limit": 100},
                {"bytes_in_use": 7, "peak_bytes_in_use": 80, "bytes_limit": 100},
            ],
            DeviceMemory(7, 80, 100),
        ),
        ([{"bytes_in_use": 7}], DeviceMemory(7, 7, 0)),
    ],
)
def test_the_fullest_device_counts(monkeypatch, stats, expected):
    monkeypatch.setattr(jax, "local_devices", lambda: [Device(one) for one in stats])
    assert device_memory() == expected


def test_cpus_tell_nothing():
    assert device_memory() is None
