"""Scalars and pictures for TensorBoard, whose files a run leaves behind without TensorFlow.

TensorBoard drops what a killed process wrote after the step that its successor starts from: it
hides every event at or after the step of a later file's `SessionLog.START` (tensorboard,
backend/event_processing/event_accumulator.py). So rows are neither doubled nor lost by a resume.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seg_jax.logs.writer import Picture


class TensorBoardWriter:
    """Writes event files; what `write` and `draw` were given is on the disk when they return."""

    def __init__(self, folder: Path, *, resume_at: int):
        """Begins a file, which hides the events after step `resume_at` in the others.

        Args:
            folder: of the event files; made if absent.
            resume_at: number of steps taken so far.
        """
        # Only where it is asked for: half a second.
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2
        from tensorboardX.summary import image, scalar

        folder.mkdir(parents=True, exist_ok=True)
        # Names hold seconds, and files are read in the order of their names.
        number = len(list(folder.glob("events.out.tfevents.*")))
        # Not SummaryWriter: it writes from a thread of its own, and its `flush` leaves behind
        # what is still queued, which a kill would lose for good.
        self._file = EventsWriter(str(folder / "events"), f".{number:04d}")
        # Protocol buffers make their classes when they are imported: no checker sees them.
        session: Any = getattr(event_pb2, "SessionLog")  # noqa: B009
        self._event: Any = getattr(event_pb2, "Event")  # noqa: B009
        self._scalar, self._image = scalar, image
        self._add(resume_at + 1, session_log=session(status=session.START))

    def write(self, step: int, row: Mapping[str, float]) -> None:
        """Adds every number of a row under its name."""
        for name, value in row.items():
            self._add(step, summary=self._scalar(name, value))
        self._file.flush()

    def draw(self, step: int, pictures: Mapping[str, Picture]) -> None:
        """Adds pictures under their names."""
        for name, picture in pictures.items():
            self._add(step, summary=self._image(name, picture, dataformats="HWC"))
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _add(self, step: int, **what) -> None:
        self._file.write_event(self._event(wall_time=time.time(), step=step, **what))
