"""Two processes: one writes the manifests and removes, both restore the step that it chooses."""

import json
import socket
import subprocess
import sys
import textwrap

import pytest

from seg_jax.checkpoints import MANIFEST

HOST = textwrap.dedent(
    """
    import json
    import os
    import sys
    import jax
    import numpy as np
    from jax.experimental import multihost_utils
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
    from seg_jax.checkpoints import Checkpointer, CheckpointError, checkpointer as module

    folder, port, index = sys.argv[1], sys.argv[2], int(sys.argv[3])
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 2)
    jax.distributed.initialize(f"localhost:{port}", 2, index)
    mesh = Mesh(np.array(jax.devices()), ("device",))

    def place(value, spec):
        sharding = NamedSharding(mesh, spec)
        return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])

    def tree(step):
        return {
            "step": place(np.int32(step), PartitionSpec()),
            "replicated": place(np.full((5, 3), step, np.float32), PartitionSpec()),
            "sharded": place(np.arange(8.0, dtype=np.float32) + step, PartitionSpec("device")),
        }

    def shards(tree):
        return [np.asarray(s.data).tolist() for s in tree["sharded"].addressable_shards]

    wrote, write_manifest = [], module.write_manifest
    def write(step):
        wrote.append(step.name)
        write_manifest(step)
    module.write_manifest = write

    told = {}
    with Checkpointer(folder, keep_best=1) as checkpointer:
        told["nothing"] = checkpointer.restore(tree(0)) is None
        for step in (1, 2, 3, 4):
            checkpointer.save(step, tree(step), 1 / step)
        checkpointer.wait()
        multihost_utils.sync_global_devices("saved")
        found = checkpointer.restore(tree(0))
        told["newest"] = [int(found["step"]), shards(found)]
        told["best"] = int(checkpointer.restore(tree(0), "best")["step"])
        told["steps"] = checkpointer.steps()
        # What is damaged now is put aside at once: both have to have looked.
        multihost_utils.sync_global_devices("looked")
        if index == 0:
            with open(f"{folder}/4/default/_METADATA", "ab") as file:
                file.write(b" ")
        found = checkpointer.restore(tree(0))
        told["fallback"] = [int(found["step"]), shards(found)]
        try:
            checkpointer.restore(tree(0), 9)
        except CheckpointError as error:
            told["refusal"] = str(error)
        checkpointer.save(4, tree(4))
        checkpointer.wait()
        multihost_utils.sync_global_devices("saved again")
        told["again"] = int(checkpointer.restore(tree(0))["step"])
    told["wrote"] = wrote
    print("told", json.dumps(told), flush=True)
    """
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hosts")


def test_two_processes_save_and_restore_as_one(folder, python_env, names):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", HOST, str(folder), port, str(index)],
            env=python_env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    told = []
    try:
        for host in hosts:
            output, errors = host.communicate(timeout=120)
            assert host.returncode == 0, errors
            line = next(line for line in output.splitlines() if line.startswith("told"))
            told.append(json.loads(line.removeprefix("told")))
    finally:
        for host in hosts:
            host.kill()  # one that failed leaves the other waiting for it
            host.communicate()
    first, second = told
    for values in told:
        assert values["nothing"]
        assert values["newest"][0] == 4
        assert values["best"] == 1
        assert values["steps"] == [1, 3, 4]
        assert values["fallback"][0] == 3
        assert values["again"] == 4
    assert first["newest"][1] + second["newest"][1] == [[4, 5], [6, 7], [8, 9], [10, 11]]
    assert first["fallback"][1] + second["fallback"][1] == [[3, 4], [5, 6], [7, 8], [9, 10]]
    assert first["refusal"].endswith("holds no step 9. Take one of 1, 3.")
    assert second["refusal"] == "No checkpoint is restored; the first process says why."
    assert first["wrote"] == [*(f"{step}.saving" for step in (1, 2, 3, 4)), "4.saving"]
    assert second["wrote"] == []
    assert names(folder) == ["1", "3", "4", "4.damaged-1"]
    manifest = json.loads((folder / "4" / MANIFEST).read_text())
    assert {name.split("/")[1] for name in manifest if "ocdbt.process" in name} == {
        "ocdbt.process_0",
        "ocdbt.process_1",
    }
