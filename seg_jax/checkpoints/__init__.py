"""Checkpoints that are whole or not there, and what is kept of them."""

from seg_jax.checkpoints.checkpointer import Checkpointer
from seg_jax.checkpoints.errors import CheckpointError
from seg_jax.checkpoints.manifest import MANIFEST

__all__ = ["MANIFEST", "CheckpointError", "Checkpointer"]
