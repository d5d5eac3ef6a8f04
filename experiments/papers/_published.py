"""A published figure as the fields of `config.paper`."""

from typing import Any

from seg_jax.sweeps.published import SCORES


def published(
    source: str,
    table: str,
    row: str,
    metric: str = "miou",
    *,
    tolerance: float = 1.0,
    params: float = 0.0,
    madds: float = 0.0,
    **figures: float,
) -> dict[str, Any]:
    """Returns overrides that set the published figures beside a row's result.

    Args:
        source: where the figures were read, such as "arXiv:1706.05587".
        table: as the source calls it, such as "Table 3".
        row: what tells the row from others of its table.
        metric: the figure that the row is judged by.
        tolerance: how far a result may lie from it and still match, in the unit of the figures.
        params: million parameters, 0 where the table has none.
        madds: billion multiply-adds of one evaluated image, 0 where the table has none.
        **figures: measure -> figure as printed; means of classes and pixels in percent, what
            else there is (errors of ISBI 2012) as it is.
    """
    scaled = {
        name: round(value / 100, 6) if name in SCORES else value for name, value in figures.items()
    }
    fields = {
        "source": source,
        "table": table,
        "row": row,
        "metric": metric,
        "value": scaled.pop(metric),
        "tolerance": tolerance / 100 if metric in SCORES else tolerance,
        "further": scaled,
        "params_millions": params,
        "madds_billions": madds,
    }
    return {"paper": fields}
