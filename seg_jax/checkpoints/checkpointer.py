"""Checkpoints that are whole or not there: Orbax writes them, a SHA-256 manifest vouches.

Orbax commits a step atomically, so a kill never leaves half of one; but it restores a step with a
flipped bit without a word. Here Orbax commits into a folder of another name, the manifest follows,
and only then does the step get its name and do older ones go: whatever has a number for a name was
complete once, and is compared with its manifest before it is used.

With several processes all of them call every method and share the folder; the first one alone
writes manifests, renames and removes, and all restore the step that it chooses. `steps` and `best`
are read from the folder, where the others may see a new step a moment later than the first.
"""

import concurrent.futures
import os
import re
from pathlib import Path
from typing import Any, Literal

import jax
import orbax.checkpoint as ocp

from seg_jax.checkpoints.errors import CheckpointError
from seg_jax.checkpoints.folder import (
    find_steps,
    publish,
    remove,
    remove_leftovers,
    set_aside,
    staging,
)
from seg_jax.checkpoints.manifest import find_fault, write_manifest
from seg_jax.checkpoints.retention import best_first, read_metric, steps_to_keep, write_metric
from seg_jax.checkpoints.selection import agree_on, meet
from seg_jax.checkpoints.structure import arrays, find_difference


class Checkpointer:
    """Saves pytrees by step, in the background, and restores the newest valid one.

    Use as a context manager, or call `wait` at the end. A folder that cannot be written can be
    restored from.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        *,
        keep_last: int = 2,
        keep_every: int = 0,
        keep_best: int = 0,
    ):
        """Opens or creates the folder.

        Args:
            directory: holds one folder a step.
            keep_last: number of newest steps that stay; at least 2, so that there is one to
                fall back to.
            keep_every: steps divisible by it stay for good; 0 for none.
            keep_best: number of steps with the highest metrics that stay.

        Raises:
            ValueError: a number is too small.
        """
        if keep_last < 2 or keep_every < 0 or keep_best < 0:
            raise ValueError(
                f"keep_last={keep_last}, keep_every={keep_every} and keep_best={keep_best} must be "
                f"at least 2, 0 and 0. Set config.train.keep_last, keep_every and keep_best."
            )
        self._directory = Path(directory).absolute()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._keep = {"last": keep_last, "every": keep_every, "best": keep_best}
        handler = ocp.CompositeCheckpointHandler(default=ocp.StandardCheckpointHandler())
        # Folders made in the background leave threads waiting for minutes when that fails.
        in_order = ocp.options.AsyncOptions(create_directories_asynchronously=False)
        self._orbax = ocp.AsyncCheckpointer(handler, async_options=in_order)
        self._background = concurrent.futures.ThreadPoolExecutor(1, "checkpoint")
        self._saving: concurrent.futures.Future[None] | None = None

    def __enter__(self) -> "Checkpointer":
        return self

    def __exit__(self, kind, value, traceback) -> None:
        try:
            self.wait()
        finally:
            self._background.shutdown()
            try:
                self._orbax.close()
            except Exception as error:  # of a save that failed, once more
                raise self._failed(error) from error

    def save(self, step: int, tree: Any, metric: float | None = None) -> None:
        """Starts writing `tree` as `step`; returns once it is copied off the devices.

        A save that is still under way is waited for first.

        Args:
            step: none that is saved already.
            tree: arrays.
            metric: how good it is, higher being better; `set_metric` can tell it later.

        Raises:
            CheckpointError: this or the previous save failed, or the step is there already;
                earlier steps are untouched.
        """
        self.wait()
        folder = self._folder(step)
        try:
            if jax.process_index() == 0:
                remove_leftovers(self._directory)
                self._refuse_to_overwrite(folder)
            contents = ocp.args.Composite(default=ocp.args.StandardSave(tree))
            self._orbax.save(staging(folder), args=contents)
        except CheckpointError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        self._saving = self._background.submit(self._finish, folder, metric)

    def set_metric(self, step: int, metric: float) -> None:
        """Tells how good a saved step is; it counts when the next save decides what stays.

        Args:
            step: a saved one.
            metric: higher is better; NaN is as if it were not known.

        Raises:
            CheckpointError: the step is not there, or its folder cannot be written.
        """
        self.wait()
        if jax.process_index():
            return
        if step not in find_steps(self._directory):
            raise CheckpointError(
                f"{self._directory} holds no step {step}, so that its metric cannot be kept."
            )
        try:
            write_metric(self._folder(step), metric)
        except OSError as error:
            raise self._failed(error) from error

    def wait(self) -> None:
        """Blocks until every save so far is on disk and vouched for.

        Raises:
            CheckpointError: a save failed; earlier steps are untouched.
        """
        saving, self._saving = self._saving, None
        try:
            if saving:
                saving.result()
        except Exception as error:
            raise self._failed(error) from error
        finally:
            if saving:
                # The first process publishes: the others may look only once it has.
                meet()

    def steps(self) -> list[int]:
        """Returns the saved steps, oldest first; whether they are still whole, `restore` tells."""
        self.wait()
        return list(find_steps(self._directory))

    def best(self) -> int | None:
        """Returns the step with the highest metric, the later one of equals; None without any."""
        self.wait()
        return next(iter(best_first(self._metrics())), None)

    def restore(self, tree: Any, step: int | Literal["best"] | None = None) -> Any | None:
        """Returns a checkpoint in the form of `tree`; None when there is none.

        What does not match its manifest is put aside with a warning, and the next one is taken.

        Args:
            tree: arrays with the shapes, dtypes and shardings to restore into.
            step: which one; the newest for None, that with the highest metric for "best".

        Raises:
            CheckpointError: the checkpoint belongs to another network or optimiser; the step
                asked for is not there or damaged; or no step has a metric.
        """
        self.wait()
        chosen = agree_on(self._directory, step)
        if chosen is None:
            return None
        folder = self._folder(chosen)
        saved: Any = self._orbax.metadata(folder).item_metadata
        difference = find_difference(arrays(saved["default"].tree), arrays(tree))
        if difference:
            raise CheckpointError(
                f"{folder} holds another network or optimiser than the config describes "
                f"({difference}). Use the config it was trained with, or another --workdir."
            )
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, tree)
        contents = ocp.args.Composite(default=ocp.args.StandardRestore(abstract))
        return self._orbax.restore(folder, args=contents)["default"]

    def _folder(self, step: int) -> Path:
        return self._directory / str(step)

    def _metrics(self) -> dict[int, float | None]:
        return {step: read_metric(folder) for step, folder in find_steps(self._directory).items()}

    def _finish(self, folder: Path, metric: float | None) -> None:
        """Follows a save to its end, in the background."""
        self._orbax.wait_until_finished()
        if jax.process_index():
            return
        write_manifest(staging(folder))
        if metric is not None:
            write_metric(staging(folder), metric)
        publish(folder)
        metrics = self._metrics()
        for step in metrics.keys() - steps_to_keep(metrics, **self._keep):
            remove(self._folder(step))

    def _refuse_to_overwrite(self, folder: Path) -> None:
        if not folder.exists():
            return
        fault = find_fault(folder)
        if not fault:
            raise CheckpointError(
                f"{folder} is there already and is not overwritten. Use another --workdir."
            )
        set_aside(folder, fault)

    def _failed(self, error: Exception) -> CheckpointError:
        steps = list(find_steps(self._directory))
        newest = f"step {steps[-1]}" if steps else "the start"
        # TensorStore names the cause last, before notes such as [os_error_code='28'].
        reason = re.sub(r" \[\w+='.*", "", " ".join(str(error).split()))[-200:]
        return CheckpointError(
            f"A checkpoint could not be written to {self._directory} ({reason}). Free some space "
            f"or make the folder writable, then run the same command again; it continues from "
            f"{newest}."
        )
