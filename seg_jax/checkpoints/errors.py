"""The one error of this package."""


class CheckpointError(RuntimeError):
    """A checkpoint that could not be written or read; the message says what to do."""
