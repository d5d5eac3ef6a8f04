import pytest

from seg_jax.sweeps import slots
from seg_jax.sweeps.slots import SlotsError, make_slots


def environments(num_slots, platform, devices):
    return [dict(s.environment) for s in make_slots(num_slots, platform=platform, devices=devices)]


@pytest.mark.parametrize(
    ("cores", "num_slots", "shares"),
    [
        ((0, 1, 2, 3), 2, [(0, 1), (2, 3)]),
        ((0, 1, 4, 5, 6), 2, [(0, 1), (4, 5, 6)]),
        ((0, 1), 2, [(0,), (1,)]),
        ((3, 7), 3, [(3,), (7,), (3,)]),
        ((0, 1, 2), 1, [(0, 1, 2)]),
        ((), 2, [(), ()]),
    ],
)
def test_cpu_slots_share_the_cores(monkeypatch, cores, num_slots, shares):
    monkeypatch.setattr(slots, "usable_cores", lambda: cores)
    made = make_slots(num_slots, platform="cpu", devices=[])
    assert [slot.cores for slot in made] == shares
    assert all(not slot.environment for slot in made)


def test_gpus_are_dealt_out():
    assert environments(2, "gpu", ["0", "1", "2", "3"]) == [
        {"CUDA_VISIBLE_DEVICES": "0,2"},
        {"CUDA_VISIBLE_DEVICES": "1,3"},
    ]


def test_shared_gpus_share_their_memory():
    made = environments(3, "gpu", ["4", "5"])
    assert [slot["CUDA_VISIBLE_DEVICES"] for slot in made] == ["4", "5", "4"]
    assert {slot["XLA_PYTHON_CLIENT_MEM_FRACTION"] for slot in made} == {"0.45"}


def test_tpu_chips_serve_one_trial_each():
    first, second = environments(2, "tpu", ["0", "1", "2", "3"])
    assert (first["TPU_VISIBLE_CHIPS"], second["TPU_VISIBLE_CHIPS"]) == ("0", "1")
    assert first["TPU_PROCESS_BOUNDS"] == "1,1,1"
    assert environments(1, "tpu", ["0", "1"]) == [{"TPU_VISIBLE_CHIPS": "0,1"}]
    with pytest.raises(SlotsError, match="3 trials at a time need as many TPU chips"):
        make_slots(3, platform="tpu", devices=["0", "1"])


def test_no_slots_and_no_devices_are_refused():
    with pytest.raises(SlotsError, match="ask for 1 or more"):
        make_slots(0, platform="cpu", devices=[])
    with pytest.raises(SlotsError, match="No gpu device"):
        make_slots(1, platform="gpu", devices=[])
