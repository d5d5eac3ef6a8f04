"""Evaluates a trained trial again, for instance on another split, and prints its scores."""

import argparse
import json
from collections.abc import Sequence

from seg_jax.commands import options as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    parser.add_argument(
        "--config", help="default: the config.json in --workdir, with --config.field=value changed"
    )
    shared.add_workdir(parser, help="folder of the trial")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; writes `eval.json` beside the trial's result, which stays as it is."""
    from seg_jax.sweeps.lock import workdir_lock
    from seg_jax.validate import validate

    path = options.config or str(options.workdir / "config.json")
    config = shared.load(path, overrides).config
    validate(config)
    from seg_jax import compilation_cache
    from seg_jax.files import write_json
    from seg_jax.trial import evaluate_again

    compilation_cache.enable()
    with workdir_lock(options.workdir):
        result = evaluate_again(config, options.workdir)
        write_json(options.workdir / "eval.json", result)
    print(json.dumps(result["metrics"], indent=1))
    return 0
