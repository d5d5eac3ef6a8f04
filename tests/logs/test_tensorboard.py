"""Event files, read back record by record as TensorBoard reads them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from tensorboardX.crc32c import crc32c
from tensorboardX.proto import event_pb2 as proto

from seg_jax.logs.tensorboard import TensorBoardWriter

# Made when they are imported: no checker sees them.
Event, SessionLog = (getattr(proto, name) for name in ("Event", "SessionLog"))


def records(path):
    """The payloads of a TFRecord file: length, its checksum, payload, its checksum."""
    data = io.BytesIO(path.read_bytes())
    while header := data.read(12):
        length, check = struct.unpack("<QI", header)
        assert check == masked(header[:8])
        payload = data.read(length)
        assert struct.unpack("<I", data.read(4)) == (masked(payload),)
        yield payload


def masked(data):
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def shown(folder):
    """(step, name) -> what TensorBoard shows: later files hide what their start overlaps."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in map(Event.FromString, records(path)):
            if event.session_log.status == SessionLog.START:
                found = {key: one for key, one in found.items() if key[0] < event.step}
            for value in event.summary.value:
                assert (event.step, value.tag) not in found, "shown twice"
                found[event.step, value.tag] = value
    return found


def test_rows_and_pictures_are_there_at_once(tmp_path):
    writer = TensorBoardWriter(tmp_path / "tensorboard", resume_at=0)
    writer.write(20, {"loss": 0.5, "loss/dice": 0.25})
    assert set(shown(tmp_path / "tensorboard")) == {(20, "loss"), (20, "loss/dice")}
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    writer.draw(20, {"predictions/street": picture})
    # Not closed: a kill may come at any time.
    found = shown(tmp_path / "tensorboard")
    writer.close()
    assert found[20, "loss"].simple_value == 0.5
    assert found[20, "loss/dice"].simple_value == 0.25
    encoded = found[20, "predictions/street"].image.encoded_image_string
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), picture)


@pytest.mark.parametrize("resume_at", [0, 4])
def test_a_resumed_run_shows_every_step_once(tmp_path, resume_at):
    killed = TensorBoardWriter(tmp_path, resume_at=0)
    for step in (1, 4, 5, 8):
        killed.write(step, {"loss": 1.0})
    resumed = TensorBoardWriter(tmp_path, resume_at=resume_at)
    for step in (5, 8, 12):
        resumed.write(step, {"loss": 2.0})
    killed.close()
    resumed.close()
    found = {step: value.simple_value for (step, _), value in shown(tmp_path).items()}
    kept = {step: 1.0 for step in (1, 4) if step <= resume_at}
    assert found == {**kept, 5: 2.0, 8: 2.0, 12: 2.0}
