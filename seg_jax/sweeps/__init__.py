"""Sweeps: an immutable plan of trials, and the executor that runs them. Imports no jax.

An experiment file needs only the two names below; everything else is imported by its module.
"""

from seg_jax.sweeps.overrides import Overrides, product

__all__ = ["Overrides", "product"]
