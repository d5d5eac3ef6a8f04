"""The one command: train, compare, report. `python launch.py --help` lists the verbs.

Without arguments it runs experiments/quickstart.py, the default comparison.
"""

import argparse
import importlib
import keyword
import logging
import os
import sys
import traceback
from types import ModuleType

QUICKSTART = ["sweep", "--config=experiments/quickstart.py", "--workdir=runs/quickstart"]

VERBS = {
    "sweep": "run every trial of an experiment, resume what is unfinished, and report",
    "train": "train and evaluate one trial, from where it stopped",
    "eval": "evaluate a trained trial again, for instance on another split",
    "compare": "test which of two networks is better on the same images, with intervals",
    "report": "rebuild the tables, plots and index.html of a sweep",
    "list": "print the trials of an experiment",
    "prepare": "build a dataset from its archive or from local files",
    "find_lr": "find a learning rate: train briefly while it grows, and plot the loss",
    "doctor": "examine a dataset, or a config and its dataset, before training",
    "import": "convert published weights into one file that says what it is",
    "predict": "segment pictures with a trained trial or published weights",
    "describe": "print an experiment's networks: parameters, FLOPs, features",
}
"""Verb -> what it does; each is a module of seg_jax.commands, imported when it is used."""


def load_command(verb: str) -> ModuleType:
    """Imports the module of a verb; one that is a keyword of Python has an underscore behind."""
    return importlib.import_module(f"seg_jax.commands.{verb}{'_' * keyword.iskeyword(verb)}")


def main(arguments: list[str]) -> int:
    """Runs one verb and returns the exit code: 0 done, 1 failed, 2 refused, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python launch.py",
        description="Semantic segmentation in JAX. Without arguments: the default comparison.",
        epilog="Any field of the config can be set, e.g. --config.train.num_steps=100.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, summary in VERBS.items():
        command = load_command(verb)
        subparser = verbs.add_parser(
            verb, help=summary, description=command.__doc__, allow_abbrev=False
        )
        command.add_arguments(subparser)
    # Whole traces: those of a defect are wanted, and `meant_for_the_user` needs the last frame.
    os.environ.setdefault("JAX_TRACEBACK_FILTERING", "off")
    logging.basicConfig(format="%(levelname)s: %(message)s")
    options, overrides = parser.parse_known_args(arguments or QUICKSTART)
    command = load_command(options.verb)
    try:
        return command.run(options, overrides)
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "Interrupted. The same command continues.", file=sys.stderr)
        return 130
    except Exception as error:
        if not meant_for_the_user(error):
            traceback.print_exc()
            return 1
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2


def meant_for_the_user(error: Exception) -> bool:
    """Tells a sentence that our code raised on purpose from a defect, which keeps its trace."""
    if not isinstance(error, (ValueError, OSError, RuntimeError)):
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("seg_jax.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
