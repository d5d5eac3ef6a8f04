"""A sweep in a process of its own, so that tests can kill it.

python drive_sweep.py WORKDIR NUM_SLOTS GRACE_SECONDS CONFIG_JSON...
"""

import json
import signal
import sys
from pathlib import Path

from seg_jax.sweeps.local import INTERRUPTED_EXIT_CODE, SweepInterruptedError, run_trials
from seg_jax.sweeps.lock import workdir_lock
from seg_jax.sweeps.plan import make_plan
from seg_jax.sweeps.slots import Slot
from seg_jax.sweeps.store import store_plan

DUMMY = str(Path(__file__).with_name("dummy_trial.py"))


def main(workdir: Path, num_slots: int, grace_seconds: float, configs: list[str]) -> int:
    # A test runner started in the background hands down an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    overrides = [json.loads(config) for config in configs]
    plan = make_plan("drive", {}, overrides, lambda config, change: {**config, **change})
    try:
        with workdir_lock(workdir):
            run_trials(
                store_plan(workdir, plan).trials,
                workdir,
                command=lambda folder: [sys.executable, "-S", DUMMY, str(folder)],
                slots=[Slot()] * num_slots,
                max_attempts=1,
                timeout_seconds=None,
                grace_seconds=grace_seconds,
            )
    except SweepInterruptedError as error:
        sys.stdout.write(f"{error}\n")
        return INTERRUPTED_EXIT_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
