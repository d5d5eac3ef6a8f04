"""A process killed at any operation on the file system leaves every step whole or not there."""

import shutil
import subprocess
import sys
import textwrap

import numpy as np

from seg_jax.checkpoints import Checkpointer

SAVER = textwrap.dedent(
    """
    import os
    import shutil
    import signal
    import sys
    import numpy as np
    from seg_jax.checkpoints import Checkpointer

    # What Python does to files; the arrays' own files are written below it.
    EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}

    def save(folder, last):
        operations = 0

        def stop(event, arguments):
            nonlocal operations
            if event in EVENTS and (event != "open" or folder in str(arguments[0])):
                operations += 1
                if operations == last:
                    os.kill(os.getpid(), signal.SIGKILL)

        with Checkpointer(folder) as checkpointer:
            sys.addaudithook(stop)
            checkpointer.save(3, {"kernel": np.full(1000, 3.0)}, 0.5)
            checkpointer.wait()
            total = operations
        print("operations", total, flush=True)

    # No backend exists before the fork: what JAX would not survive has not happened yet.
    template, first, stride = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    last, status = first, signal.SIGKILL
    while status == signal.SIGKILL:
        folder = f"{template}-{last}"
        shutil.copytree(template, folder)
        child = os.fork()
        if not child:
            save(folder, last)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(last, status, flush=True)
        last += stride
    """
)


def content(step):
    return {"kernel": np.full(1000, float(step))}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def restored(folder):
    with Checkpointer(folder) as checkpointer:
        return int(checkpointer.restore(content(0))["kernel"][0])


def test_killed_before_any_operation_of_a_save_the_last_step_or_the_new_one_is_there(
    tmp_path, python_env, stride, tell
):
    template = tmp_path / "steps"
    with Checkpointer(template) as checkpointer:
        for step in (1, 2):
            checkpointer.save(step, content(step))
    shutil.copytree(template / "2", template / "0.deleting")  # what an earlier kill left
    done = subprocess.run(
        [sys.executable, "-c", SAVER, str(template), "1", str(stride)],
        env=python_env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "operations" in done.stdout
    folders = sorted(tmp_path.glob("steps-*"), key=lambda path: int(path.name[6:]))
    results = []
    for folder in folders:
        before = names(folder)
        results.append(restored(folder))
        assert not [name for name in names(folder) if "damaged" in name], before
        assert results[-1] == max(int(name) for name in before if name.isdigit())
        with Checkpointer(folder) as checkpointer:
            checkpointer.save(4, content(4))
        assert restored(folder) == 4
        assert names(folder) == [str(results[-1]), "4"], before
    assert results == sorted(results)
    assert results[0] == 2
    assert results[-1] == 3
    tell(
        f"\n{len(results) - 1} kills: {results.count(2)} left step 2, {results.count(3) - 1} step 3"
    )
