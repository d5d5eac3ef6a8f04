"""State dicts of PyTorch: both containers, as torch.save wrote them and as an attacker would."""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seg_jax.weights.files import read_tensors
from seg_jax.weights.state_dict import WeightsError

GOLDEN = Path(__file__).parents[1] / "golden"
"""Of torch 2.13: {"epoch", "optimizer", "state_dict"} with the prefix of DataParallel."""

NUMBERS = np.arange(6, dtype="<f4")
MAGIC = 0x1950A86A20F9469CFC6C


def number(value):
    return b"I%d\n" % value


def text(value):
    return b"V" + value.encode() + b"\n"


def group(*items):
    return b"(" + b"".join(items) + b"t"


def named(name):
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def call(name, *arguments):
    return named(name) + group(*arguments) + b"R"


def storage(kind="Float", key="0", size=6, view=b""):
    parts = (text("storage"), named(f"torch.{kind}Storage"), text(key), text("cpu"), number(size))
    return group(*parts, view) + b"Q"


def tensor(data=None, offset=0, shape=(2, 3), strides=(3, 1), version="_v2"):
    return call(
        f"torch._utils._rebuild_tensor{version}",
        data or storage(),
        number(offset),
        group(*map(number, shape)),
        group(*map(number, strides)),
    )


def mapping(**items):
    return b"}" + b"".join(text(name) + value + b"s" for name, value in items.items())


def archive(pickled, storages, *, compression=zipfile.ZIP_STORED, byteorder=b"little"):
    """The zip archive of PyTorch 1.6 and later."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled + b".")
        file.writestr("archive/byteorder", byteorder)
        for key, data in storages.items():
            file.writestr(f"archive/data/{key}", data)
    return buffer.getvalue()


def stream(pickled, storages, *, magic=MAGIC, little=True, size=6):
    """The stream before PyTorch 1.6; `size` elements a storage."""
    head = b"".join(pickle.dumps(value, 2) for value in (magic, 1001, {"little_endian": little}))
    tail = b"".join(struct.pack("<q", size) + data for data in storages.values())
    return head + pickled + b"." + pickle.dumps(list(storages), 2) + tail


@pytest.fixture(params=[archive, stream])
def container(request):
    return request.param


@pytest.fixture
def read(tmp_path):
    """Reads the tensors of a file with these bytes."""

    def read(data):
        path = tmp_path / "weights.pth"
        path.write_bytes(data)
        return read_tensors(path)

    return read


@pytest.mark.parametrize("name", ["torch_archive.pth", "torch_stream.pth"])
def test_what_torch_saved_is_read(name):
    tensors = read_tensors(GOLDEN / name)
    weight = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8
    quarters = np.arange(4, dtype=np.float32) / 4
    expected = {
        "conv.weight": weight,
        "conv.bias": quarters,
        "bn.running_mean": quarters,
        "bn.num_batches_tracked": np.array(7),
        "part": weight.transpose(2, 0, 1)[1:, :, ::2],
    }
    assert tensors.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(tensors[key], value, strict=True)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("Double", "<f8"),
        ("Long", "<i8"),
        ("Int", "<i4"),
        ("Short", "<i2"),
        ("Char", "i1"),
        ("Byte", "u1"),
        ("Bool", "?"),
    ],
)
def test_numbers_keep_their_type(container, read, kind, dtype):
    values = np.arange(6).astype(dtype)
    pickled = mapping(a=tensor(storage(kind)))
    found = read(container(pickled, {"0": values.tobytes()}))["a"]
    np.testing.assert_array_equal(found, values.reshape(2, 3), strict=True)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state", "model_state_dict", "model"])
def test_the_state_dict_is_found_inside_a_checkpoint(container, read, wrapper):
    inner = mapping(a=call("torch._utils._rebuild_parameter", tensor(), b"I01\n"))
    pickled = mapping(epoch=number(3), **{wrapper: inner})
    tensors = read(container(pickled, {"0": NUMBERS.tobytes()}))
    np.testing.assert_array_equal(tensors["a"], NUMBERS.reshape(2, 3))


def test_tensors_of_before_version_0_4_are_read(container, read):
    data = container(mapping(a=tensor(version="")), {"0": NUMBERS.tobytes()})
    np.testing.assert_array_equal(read(data)["a"], NUMBERS.reshape(2, 3))


def test_the_prefix_stays_where_not_all_have_it(container, read):
    pickled = mapping(**{"module.a": tensor(), "b": tensor()})
    assert read(container(pickled, {"0": NUMBERS.tobytes()})).keys() == {"module.a", "b"}


class Attack:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_in_a_pickle_is_refused_and_never_run(container, read, tmp_path, protocol):
    trace = tmp_path / "trace"
    attack = pickle.dumps(Attack(f"touch {trace}"), protocol)[:-1]
    with pytest.raises(WeightsError, match=r"the Python object (posix|nt)\.system"):
        read(container(attack, {}))
    assert not trace.exists()
    pickle.loads(attack + b".")  # the attack works where it is let through
    assert trace.exists()


@pytest.mark.parametrize(
    ("pickled", "sentence"),
    [
        (mapping(args=call("argparse.Namespace")), r"object argparse\.Namespace"),
        (mapping(a=tensor(), b=named("builtins.eval")), r"object builtins\.eval"),
        (b"(ios\nsystem\n", "instruction INST"),
        (mapping(a=named("torch._utils._rebuild_tensor_v2") + text("x") + b"b"), "not a whole"),
        (mapping(a=call("torch.FloatStorage")), "is no function"),
        (mapping(a=text("system") + group() + b"R"), "a str stands where"),
    ],
)
def test_other_objects_are_refused(container, read, pickled, sentence):
    with pytest.raises(WeightsError, match=sentence):
        read(container(pickled, {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (1, (2, 3), (3, 1)),
        (0, (3, 3), (3, 1)),
        (0, (2**60,), (0,)),
        (0, (7,), (0,)),
        (-1, (2,), (1,)),
        (5, (2,), (-1,)),
        (0, (2, 3), (3,)),
        (0, (-2, -3), (3, 1)),
    ],
)
def test_a_tensor_stays_inside_its_storage(container, read, offset, shape, strides):
    pickled = mapping(a=tensor(offset=offset, shape=shape, strides=strides))
    with pytest.raises(WeightsError, match="not a whole file"):
        read(container(pickled, {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize("size", [7, 2**40, -1])
def test_a_storage_is_as_large_as_it_claims(container, read, size):
    pickled = mapping(a=tensor(storage(size=size)))
    data = pickled, {"0": NUMBERS.tobytes()}
    file = stream(*data, size=size) if container is stream else archive(*data)
    with pytest.raises(WeightsError, match="not a whole file"):
        read(file)


def test_a_storage_has_one_size(read):
    with pytest.raises(WeightsError, match="storage 0 has two sizes"):
        read(stream(mapping(a=tensor()), {"0": NUMBERS.tobytes()}, size=5))


@pytest.mark.parametrize("name", ["torch_archive.pth", "torch_stream.pth"])
def test_a_truncated_file_is_refused(read, name):
    data = (GOLDEN / name).read_bytes()
    for length in range(20, len(data) - 1, 41):
        with pytest.raises(WeightsError):
            read(data[:length])


def test_a_flipped_bit_in_an_archive_is_noticed(read):
    data = bytearray(archive(mapping(a=tensor()), {"0": NUMBERS.tobytes()}))
    data[data.index(NUMBERS.tobytes()) + 2] ^= 1
    with pytest.raises(WeightsError, match="CRC"):
        read(bytes(data))


def test_what_grows_when_unpacked_is_refused(read):
    zeros = bytes(4 * 10**6)
    pickled = mapping(a=tensor(storage(size=10**6), shape=(10**6,), strides=(1,)))
    with pytest.raises(WeightsError, match="compressed"):
        read(archive(pickled, {"0": zeros}, compression=zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (archive(mapping(), {}), "holds no tensors"),
        (archive(b"]", {}), "holds a list"),
        (archive(mapping(a=tensor()), {}, byteorder=b"big"), "big-endian"),
        (stream(mapping(a=tensor()), {}, little=False), "big-endian"),
        (stream(mapping(a=tensor()), {}, magic=3), "pickle of another origin"),
        (pickle.dumps({"a": 1}), "not a whole file"),
        (stream(mapping(a=tensor(storage(view=group(text("v"))))), {}), "version 0.4"),
    ],
)
def test_a_file_of_another_kind_is_one_sentence(read, data, sentence):
    with pytest.raises(WeightsError, match=sentence) as caught:
        read(data)
    assert "\n" not in str(caught.value)
