"""The rules of a published figure: where it stands, what it measures, how near is near."""

from seg_jax.config import Config, ConfigError
from seg_jax.sweeps.published import SCORES
from seg_jax.validate.rules import number


def validate_paper(config: Config) -> None:
    """Refuses a figure that no result could be set beside."""
    paper = config.paper
    number(config, "paper.value", at_least=0.0)
    number(config, "paper.tolerance", at_least=0.0)
    number(config, "paper.params_millions", at_least=0.0)
    number(config, "paper.madds_billions", at_least=0.0)
    if paper.value and not paper.source:
        raise ConfigError(
            f"config.paper.value={paper.value!r} has no source. Set config.paper.source to where "
            "it was published, such as 'arXiv:1706.05587', or the value to 0."
        )
    for metric in (paper.metric, *paper.further):
        if metric not in SCORES and not config.evaluate.metrics:
            raise ConfigError(
                f"config.paper names the metric {metric!r}, which is none of "
                f"{', '.join(SCORES)}. Set config.evaluate.metrics to what measures it."
            )
