"""Turns a validated config into the objects that run it; configs stop here.

Everything below this package takes plain arguments.
"""

from seg_jax.assemble.task import Task, assemble, describe_task

__all__ = ["Task", "assemble", "describe_task"]
