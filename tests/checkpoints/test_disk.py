"""A full disk, a limit on file sizes, a folder that cannot be written, kills at any time."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from seg_jax.checkpoints import Checkpointer

EMPTY = {"kernel": np.zeros(50_000)}

WRITER = textwrap.dedent(
    """
    import resource
    import signal
    import sys
    import numpy as np
    from seg_jax.checkpoints import Checkpointer
    folder, first, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with Checkpointer(folder) as checkpointer:
        for step in range(first, first + 100):
            checkpointer.save(step, {"kernel": np.random.RandomState(step).rand(50_000)})
            print(step, flush=True)
    """
)

FILLER = textwrap.dedent(
    """
    import os
    import sys
    import numpy as np
    from seg_jax.checkpoints import Checkpointer, CheckpointError
    os.chdir(sys.argv[1])  # a disk of 3 MB that only this process sees
    empty = {"kernel": np.zeros(50_000)}
    for free in (900_000, 390_000, 60_000, 20_000, 4096, 0):
        with Checkpointer(f"steps-{free}") as checkpointer:
            checkpointer.save(1, {"kernel": np.random.RandomState(1).rand(50_000)})
        disk = os.statvfs(".")
        with open("rest", "wb") as file:
            file.write(b"x" * max(0, disk.f_bavail * disk.f_frsize - free))
        try:
            with Checkpointer(f"steps-{free}") as checkpointer:
                checkpointer.save(2, {"kernel": np.random.RandomState(2).rand(50_000)})
        except CheckpointError as error:
            print("refused", str(error).replace(os.getcwd(), ""))
        with Checkpointer(f"steps-{free}") as checkpointer:
            kernel = checkpointer.restore(empty)["kernel"]
            newest = checkpointer.steps()[-1]
        same = np.array_equal(kernel, np.random.RandomState(newest).rand(50_000))
        print("restored", free, newest, same)
        os.remove("rest")
        with Checkpointer(f"steps-{free}") as checkpointer:
            checkpointer.save(3, empty)
        print("left", sorted(os.listdir(f"steps-{free}")))
        os.system(f"rm -r steps-{free}")
    """
)

# Root writes anywhere unless it gives up that right.
AS_ANYBODY = textwrap.dedent(
    """
    import ctypes
    import os
    import sys
    drop_from_bounding_set, dac_override = 24, 1
    if not os.geteuid():
        ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
    """
)

READER = textwrap.dedent(
    """
    import sys
    import numpy as np
    from seg_jax.checkpoints import Checkpointer, CheckpointError
    with Checkpointer(sys.argv[1]) as checkpointer:
        kernel = checkpointer.restore({"kernel": np.zeros(50_000)})["kernel"]
        print(checkpointer.steps(), np.array_equal(kernel, np.random.RandomState(1).rand(50_000)))
        try:
            checkpointer.save(3, {"kernel": kernel})
        except CheckpointError as error:
            print(error)
    """
)


def content(step):
    return np.random.RandomState(step).rand(50_000)


def write(folder, *steps):
    with Checkpointer(folder) as checkpointer:
        for step in steps:
            checkpointer.save(step, {"kernel": content(step)})


@pytest.fixture
def run(python_env):
    """Returns a function (command) -> the process it starts."""

    def start(*command):
        return subprocess.Popen(
            [*map(str, command)],
            env=python_env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_killed_after_any_time_leaves_a_whole_step(tmp_path, run, names):
    folder, first = tmp_path / "checkpoints", 1
    for delay in (0.0, 0.013, 0.031):
        writer = run(sys.executable, "-c", WRITER, folder, first, 0)
        for line in writer.stdout:
            if int(line) >= first + 3:
                break
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        with Checkpointer(folder) as checkpointer:
            kernel = checkpointer.restore(EMPTY)["kernel"]
            newest = checkpointer.steps()[-1]
        np.testing.assert_array_equal(kernel, content(newest))
        assert newest >= first + 2
        assert not [name for name in names(folder) if "damaged" in name]
        first = newest + 1


def test_a_file_that_may_not_grow_is_one_sentence_and_keeps_the_earlier_steps(tmp_path, run, names):
    folder = tmp_path / "checkpoints"
    write(folder, 0)
    largest_file_allowed = 8192
    writer = run(sys.executable, "-c", WRITER, folder, 1, largest_file_allowed)
    _, errors = writer.communicate(timeout=120)
    assert writer.returncode == 1
    assert "CheckpointError: A checkpoint could not be written" in errors
    assert "Free some space or make the folder writable" in errors
    assert "continues from step 0" in errors
    with Checkpointer(folder) as checkpointer:
        np.testing.assert_array_equal(checkpointer.restore(EMPTY)["kernel"], content(0))
        checkpointer.save(1, {"kernel": content(1)})
    assert names(folder) == ["0", "1"]


def test_a_full_disk_is_one_sentence_and_keeps_the_earlier_steps(tmp_path, run):
    try:
        private = ["unshare", "--map-root-user", "--mount"]
        subprocess.run([*private, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("Only where a process may mount a small disk of its own.")
    mount = 'mount -t tmpfs -o size=3m none "$0" && exec "$1" -c "$2" "$0"'
    filler = run(*private, "sh", "-c", mount, tmp_path, sys.executable, FILLER)
    output, errors = filler.communicate(timeout=240)
    assert filler.returncode == 0, errors
    lines = output.splitlines()
    refusals = [line for line in lines if line.startswith("refused")]
    assert len(refusals) == 5
    for line in refusals:
        assert "A checkpoint could not be written to /steps-" in line
        assert "No space left on device" in line
        assert line.endswith("it continues from step 1.")
    found = [line.split()[1:] for line in lines if line.startswith("restored")]
    roomy, *full = found
    assert roomy == ["900000", "2", "True"]
    assert [values[1:] for values in full] == [["1", "True"]] * 5
    left = [line for line in lines if line.startswith("left")]
    assert left == ["left ['2', '3']", *["left ['1', '3']"] * 5]


def test_a_folder_that_cannot_be_written_is_read_and_says_so(tmp_path, run):
    folder = tmp_path / "checkpoints"
    write(folder, 1, 2)
    damaged = next(path for path in (folder / "2").rglob("*") if path.name == "_METADATA")
    damaged.write_bytes(b"")
    for path in (folder / "2", folder):
        path.chmod(0o555)
    reader = run(sys.executable, "-c", AS_ANYBODY, sys.executable, "-c", READER, folder)
    output, errors = reader.communicate(timeout=120)
    for path in (folder, folder / "2"):
        path.chmod(0o755)
    assert reader.returncode == 0, errors
    assert "[1, 2] True" in output
    assert f"Checkpoint {folder / '2'} is not used: default/_METADATA is not what was" in errors
    assert "It stays where it is (Permission denied)." in errors
    assert "A checkpoint could not be written" in output
    assert "Permission denied" in output
    assert sorted(os.listdir(folder)) == ["1", "2"]
