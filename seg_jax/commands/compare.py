"""Tests which of two networks is better on the same images, with intervals.

Trials that differ only in their seed are one configuration. Every pair of configurations is
tested: how far apart they are in mIoU, with a 95 % interval over the choice of images, and the
p-value of a paired permutation test, corrected for the number of pairs. Needs no network and no
data, only what the evaluations counted; docs/comparing.md explains the numbers.
"""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_jax.commands import options as shared
from seg_jax.config import ConfigError
from seg_jax.files import read_json, write_json
from seg_jax.sweeps import plan as plans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--workdir", type=Path, help="folder of a sweep: compares what is in it")
    what.add_argument(
        "--trials",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders of trials, or of whole sweeps, to compare with each other",
    )
    parser.add_argument(
        "--evaluation",
        nargs="+",
        default=(),
        metavar="ROW",
        help="compare these rows of `launch.py eval`, each trial by the one it has, and not the "
        "evaluations at the end of training",
    )
    parser.add_argument(
        "--any_protocol", action="store_true", help="compare what was evaluated differently, too"
    )
    parser.add_argument(
        "--resamples", type=int, default=10_000, help="draws and exchanges of images (10000)"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write the numbers to")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Runs the verb; reads the trials and writes nothing but --out."""
    from seg_jax.evaluate.comparison import compare, read_side

    shared.refuse(overrides)
    if options.resamples < 1:
        raise ConfigError(f"--resamples={options.resamples} must be 1 or more.")
    folders = _find_trials([options.workdir] if options.workdir else options.trials)
    sides = [
        read_side(label, [_find_evaluation(folder, options.evaluation) for folder in group])
        for label, group in _group(folders).items()
    ]
    pairs, apart = compare(sides, resamples=options.resamples, any_protocol=options.any_protocol)
    intervals = {side.label: side.interval(options.resamples) for side in sides}
    print(_side_table(sides, intervals))
    print(f"\n{_pair_table(pairs)}\n")
    for sentence in (*map(_sentence, pairs), *apart, *_caveats(sides, len(pairs))):
        print(sentence)
    if options.out:
        write_json(options.out, _to_json(sides, intervals, pairs))
    return 0


def _find_trials(folders: Sequence[Path]) -> list[Path]:
    """Returns the folders of finished trials; a sweep stands for those in it.

    Raises:
        ConfigError: a folder is neither.
    """
    from seg_jax.sweeps.status import RESULT_FILE, is_done
    from seg_jax.sweeps.store import PLAN_FILE, read_plan

    found = []
    for folder in folders:
        if (folder / PLAN_FILE).is_file():
            trials = [folder / trial.uid for trial in read_plan(folder).trials]
            found += [trial for trial in trials if is_done(trial)]
        elif (folder / RESULT_FILE).is_file() and (folder / "config.json").is_file():
            found.append(folder)
        else:
            raise ConfigError(f"{folder} is neither a finished trial nor a sweep.")
    # By place, so that a sweep and one of its trials do not make the trial count twice.
    return list({folder.resolve(): folder for folder in found}.values())


def _group(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Returns the folders of every configuration by its label, unique among them.

    Where all trials are seeds of one configuration, every seed stands for itself.
    """
    from seg_jax.report.collect import NOT_COMPARED, unique_labels

    trials, groups = [], {}
    for place, folder in enumerate(folders):
        config = read_json(folder / "config.json")
        result = read_json(folder / "result.json")
        trials.append(plans.Trial(folder.name, str(result["label"]), {}, config))
        compared = {k: v for k, v in config.items() if k not in NOT_COMPARED}
        groups.setdefault(plans.config_uid(compared), []).append(place)
    if len(groups) == 1:
        return {f"{trials[i].title} ({trials[i].uid})": [folders[i]] for i in range(len(folders))}
    labels = unique_labels([trials[group[0]] for group in groups.values()])
    return {
        label: [folders[place] for place in group]
        for label, group in zip(labels, groups.values(), strict=True)
    }


def _find_evaluation(folder: Path, rows: Sequence[str]) -> tuple[Mapping[str, Any], Path]:
    """Returns what an evaluation of the trial found, and the file of its records.

    Raises:
        ConfigError: the trial has none of the rows.
    """
    from seg_jax.evaluate.records import RECORDS_FILE
    from seg_jax.evaluate.rows import read_rows

    if not rows:
        return read_json(folder / "result.json"), folder / RECORDS_FILE
    found = read_rows(folder)
    for key in rows:
        if key in found:
            return found[key], folder / found[key]["records"]
    has = ", ".join(f"{key} ({row['split']}, {row['protocol_text']})" for key, row in found.items())
    raise ConfigError(
        f"{folder} has no evaluation {' or '.join(rows)}; it has {has or 'none'}. "
        f"`python launch.py eval --workdir={folder}` adds one."
    )


def _side_table(sides, intervals) -> str:
    from tabulate import tabulate

    rows = [
        [
            side.label,
            f"{100 * side.miou:.2f}",
            _interval(intervals[side.label], sign=""),
            str(len(side.mious)),
            _over_seeds(side),
            str(len(side.ids)),
        ]
        for side in sides
    ]
    headers = ("configuration", "mIoU (%)", "95 % interval", "seeds", "mean over seeds", "images")
    align = ("left", "right", "center", "right", "right", "right")
    return tabulate(rows, headers, disable_numparse=True, colalign=align)


def _pair_table(pairs) -> str:
    from tabulate import tabulate

    rows = [
        [
            pair.better.label,
            pair.worse.label,
            f"{100 * pair.test.difference:+.2f}",
            _interval(pair.test.interval, sign="+"),
            "-" if pair.test.p_value is None else f"{pair.test.p_value:.2g}",
            f"{pair.p_value:.2g}",
            _points(pair.scatter),
        ]
        for pair in pairs
    ]
    headers = ("better", "than", "points", "95 % interval", "p", "p (Holm)", "std over seeds")
    align = ("left", "left", "right", "center", "right", "right", "right")
    return tabulate(rows, headers, disable_numparse=True, colalign=align)


def _sentence(pair) -> str:
    """Says what the numbers of a pair mean."""
    names = (pair.better.label, pair.worse.label)
    numbers = f"{100 * pair.test.difference:+.1f} points of mIoU"
    if pair.test.interval:
        numbers += " [" + ", ".join(f"{100 * end:+.1f}" for end in pair.test.interval) + "]"
    numbers += f", p = {pair.p_value:.2g}"
    if not pair.told_apart:
        return f"{names[0]} and {names[1]} cannot be told apart: {numbers}."
    sentence = f"{names[0]} is better than {names[1]}: {numbers}"
    if pair.scatter is not None and pair.test.difference <= pair.scatter:
        sentence += (
            f"; but that is no more than what two trainings with other seeds differ by "
            f"(standard deviation {100 * pair.scatter:.1f} points)"
        )
    return f"{sentence}."


def _caveats(sides, num_pairs: int) -> list[str]:
    """Says what the numbers do not cover."""
    sentences = ["Intervals and p-values cover the choice of images, not that of seeds."]
    once = [side.label for side in sides if side.std is None]
    if once:
        sentences.append(f"Trained once, so with unknown scatter over seeds: {', '.join(once)}.")
    if num_pairs > 1:
        sentences.append(f"The p-values of the sentences are corrected for {num_pairs} pairs.")
    return sentences


def _interval(interval, *, sign: str) -> str:
    if interval is None:
        return "-"
    return "[" + ", ".join(format(100 * end, f"{sign}.2f") for end in interval) + "]"


def _over_seeds(side) -> str:
    """Mean and standard deviation of the seeds' own mIoU."""
    mean = f"{100 * sum(side.mious) / len(side.mious):.2f}"
    return mean if side.std is None else f"{mean} ± {100 * side.std:.2f}"


def _points(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.2f}"


def _to_json(sides, intervals, pairs) -> dict[str, Any]:
    """Returns the numbers as fractions, by label."""
    return {
        "configurations": [
            {
                "label": side.label,
                "miou": side.miou,
                "interval": intervals[side.label],
                "miou_of_seeds": side.mious,
                "std_of_seeds": side.std,
                "num_images": len(side.ids),
                **side.images,
                "protocol": dict(side.protocol),
            }
            for side in sides
        ],
        "pairs": [
            {
                "better": pair.better.label,
                "worse": pair.worse.label,
                **dataclasses.asdict(pair.test),
                "p_value_holm": pair.p_value,
                "std_over_seeds": pair.scatter,
            }
            for pair in pairs
        ],
    }
