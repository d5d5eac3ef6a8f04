"""From a dataset, or from configs and their dataset, to a diagnosis."""

from collections.abc import Iterator, Mapping, Sequence

from seg_jax.config import Config
from seg_jax.data.doctor.examined import Examined
from seg_jax.data.doctor.facts import is_for_training
from seg_jax.data.doctor.finding import Finding, by_severity
from seg_jax.data.doctor.findings import find, missing_splits
from seg_jax.data.preparation.progress import SILENT, Progress
from seg_jax.data.spec import DatasetSpec
from seg_jax.doctor.config_checks import check_config
from seg_jax.doctor.diagnosis import Diagnosis
from seg_jax.doctor.looking import Where, is_on_demand, look


def examine_dataset(
    where: Where, splits: Sequence[str] = (), progress: Progress = SILENT
) -> Diagnosis:
    """Looks at a dataset by itself; see `looking.look` for arguments and errors."""
    looked = look(where, splits, progress)
    spec, examined = where.builder.SPEC, looked.examined
    findings = [*looked.findings, *find(spec, examined)]
    if examined and not splits and not is_on_demand(where.builder):
        findings += missing_splits(spec, list(examined), prepared=looked.form == "prepared")
    weighed = next(filter(is_for_training, examined), next(iter(examined), ""))
    return Diagnosis(
        spec, looked.form, looked.place, examined, tuple(by_severity(findings)), weighed
    )


def examine_configs(
    where: Where, configs: Sequence[Config], progress: Progress = SILENT
) -> Diagnosis:
    """Looks at the splits that configs train and evaluate on, and holds the configs against them.

    Args:
        where: the dataset of all of the configs.
        configs: validated.
        progress: told what is looked at.

    Raises:
        As `looking.look`.
    """
    spec = where.builder.SPEC
    pairs = [(config.dataset.train_split, config.dataset.eval_split) for config in configs]
    splits = list(dict.fromkeys(split for pair in pairs for split in pair))
    views = [split for split in splits if split in spec.derived]
    files = bool(where.manual_dir)
    stored = [name for split in splits for name in (_stored(spec, split) if files else [split])]
    looked = look(where, list(dict.fromkeys(stored)), progress)
    findings = [*looked.findings]
    if files and views:
        findings += [_unseen_views(views)]
    for config, pair in zip(configs, pairs, strict=True):
        if set(pair) <= set(looked.examined):
            findings += _on_config(spec, config, looked.examined, pair)
    if files and views:
        findings += find(spec, looked.examined)
    # Configs of a sweep mostly say the same.
    distinct = by_severity(list(dict.fromkeys(findings)))
    weighed = pairs[0][0] if pairs[0][0] in looked.examined else next(iter(looked.examined), "")
    return Diagnosis(spec, looked.form, looked.place, looked.examined, tuple(distinct), weighed)


def _on_config(
    spec: DatasetSpec, config: Config, examined: Mapping[str, Examined], pair: tuple[str, str]
) -> Iterator[Finding]:
    own = {split: examined[split] for split in pair}
    yield from find(spec, own, training=pair[:1])
    yield from check_config(config, {split: one.facts for split, one in own.items()})


def _stored(spec: DatasetSpec, split: str) -> tuple[str, ...]:
    derived = spec.derived.get(split)
    return tuple(derived.of) if derived else (split,)


def _unseen_views(views: Sequence[str]) -> Finding:
    return Finding(
        "note",
        "views",
        ", ".join(views),
        "Views of splits cannot be opened before they are prepared: the stored splits were "
        "looked at, and the config was not held against them.",
        "Prepare the dataset and run doctor again without --manual_dir.",
    )
