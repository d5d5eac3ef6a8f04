"""Metrics beyond the confusion matrix; adding one is a file and a line here."""

METRICS = {
    "boundary_f": "seg_jax.metrics.boundary_f:BoundaryF",
    "boundary_iou": "seg_jax.metrics.boundary_iou:BoundaryIoU",
    "calibration": "seg_jax.metrics.calibration:Calibration",
    "iiou": "seg_jax.metrics.iiou:InstanceIoU",
    "isbi": "seg_jax.metrics.isbi.metric:ISBI",
    "trimap": "seg_jax.metrics.trimap:Trimap",
}
"""Config name -> frozen dataclass taking `classes` and options of its own; a `metric.Metric`."""
