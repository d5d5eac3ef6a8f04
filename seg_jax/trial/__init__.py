"""One trial from its config to its `result.json`: train, evaluate, probe."""

from seg_jax.trial.run import Events, evaluate_again, run_trial

__all__ = ["Events", "evaluate_again", "run_trial"]
