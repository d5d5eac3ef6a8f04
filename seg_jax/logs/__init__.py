"""Where the rows and pictures of a training run are written; knows files, not networks."""

from seg_jax.logs.metrics_log import MetricsLog, read_metrics
from seg_jax.logs.writer import Writer, Writers

__all__ = ["MetricsLog", "Writer", "Writers", "read_metrics"]
