"""Semantic segmentation in JAX: architectures, training, evaluation and sweeps."""
