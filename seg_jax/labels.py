"""What a label of no class is. Apart from `typing`, so that the data layer imports no jax."""

IGNORE_LABEL = 255
"""Label of a pixel that counts neither in a loss nor in a metric."""
