"""Constants of small TensorFlow Lite graphs that are put together here."""

import flatbuffers
import numpy as np
import pytest
import tflite

from seg_jax.weights.files import read_tensors
from seg_jax.weights.state_dict import WeightsError

TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "float16": tflite.TensorType.FLOAT16,
    "int8": tflite.TensorType.INT8,
    "int32": tflite.TensorType.INT32,
}


def vector(builder, start, offsets):
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def numbers(builder, start, values):
    start(builder, len(values))
    for value in reversed(values):
        builder.PrependInt32(value)
    return builder.EndVector()


def graph(tensors, dequantised=(), num_graphs=1):
    """Returns the file of a graph.

    Args:
        tensors: (name, constant array) or (name, shape of a variable) of each tensor.
        dequantised: pairs of indices into them: input and output of a DEQUANTIZE.
        num_graphs: how often the same graph is in the file.
    """
    builder = flatbuffers.Builder(1024)
    tflite.BufferStart(builder)
    buffers = [tflite.BufferEnd(builder)]
    places = []
    for name, value in tensors:
        index = 0
        if isinstance(value, np.ndarray):
            data = builder.CreateByteVector(value.tobytes())
            tflite.BufferStart(builder)
            tflite.BufferAddData(builder, data)
            index = len(buffers)
            buffers.append(tflite.BufferEnd(builder))
        constant = isinstance(value, np.ndarray)
        label = builder.CreateString(name)
        shape = numbers(builder, tflite.TensorStartShapeVector, value.shape if constant else value)
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, label)
        tflite.TensorAddShape(builder, shape)
        tflite.TensorAddType(builder, TYPES[value.dtype.name if constant else "float32"])
        tflite.TensorAddBuffer(builder, index)
        places.append(tflite.TensorEnd(builder))
    operators = []
    for source, target in dequantised:
        inputs = numbers(builder, tflite.OperatorStartInputsVector, [source])
        outputs = numbers(builder, tflite.OperatorStartOutputsVector, [target])
        tflite.OperatorStart(builder)
        tflite.OperatorAddInputs(builder, inputs)
        tflite.OperatorAddOutputs(builder, outputs)
        operators.append(tflite.OperatorEnd(builder))
    tensor_vector = vector(builder, tflite.SubGraphStartTensorsVector, places)
    operator_vector = vector(builder, tflite.SubGraphStartOperatorsVector, operators)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_vector)
    tflite.SubGraphAddOperators(builder, operator_vector)
    subgraph = tflite.SubGraphEnd(builder)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, tflite.BuiltinOperator.DEQUANTIZE)
    code = tflite.OperatorCodeEnd(builder)
    parts = [
        vector(builder, tflite.ModelStartOperatorCodesVector, [code]),
        vector(builder, tflite.ModelStartSubgraphsVector, [subgraph] * num_graphs),
        vector(builder, tflite.ModelStartBuffersVector, buffers),
    ]
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, parts[0])
    tflite.ModelAddSubgraphs(builder, parts[1])
    tflite.ModelAddBuffers(builder, parts[2])
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


WEIGHTS = np.arange(12, dtype=np.float32).reshape(2, 1, 2, 3)


@pytest.fixture
def read(tmp_path):
    def read(data):
        (tmp_path / "a.tflite").write_bytes(data)
        return read_tensors(tmp_path / "a.tflite")

    return read


def test_constants_by_their_names(read):
    size = np.array([33, 33], np.int32)
    data = graph([("image", (1, 8, 8, 3)), ("conv/weights", WEIGHTS), ("size", size)])
    tensors = read(data)
    assert tensors.keys() == {"conv/weights"}
    np.testing.assert_array_equal(tensors["conv/weights"], WEIGHTS, strict=True)


def test_half_weights_go_by_the_name_that_convolutions_read(read):
    half = WEIGHTS.astype(np.float16)
    data = graph(
        [("conv/weights", (2, 1, 2, 3)), ("conv/weights_half", half), ("other", half[0])],
        dequantised=[(1, 0)],
    )
    tensors = read(data)
    assert tensors.keys() == {"conv/weights", "other"}
    np.testing.assert_array_equal(tensors["conv/weights"], WEIGHTS, strict=True)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (graph([("conv/weights", WEIGHTS.astype(np.int8))]), "'conv/weights' is quantised"),
        (graph([("image", (1, 8, 8, 3))]), "holds no weights"),
        (graph([("a", WEIGHTS), ("a", WEIGHTS)]), "two tensors are called 'a'"),
        (graph([("a", WEIGHTS)], num_graphs=2), "holds 2 graphs"),
    ],
)
def test_another_graph_is_refused(read, data, sentence):
    with pytest.raises(WeightsError, match=sentence):
        read(data)


def test_a_damaged_file_is_refused(read):
    data = graph([("conv/weights", WEIGHTS)])
    for length in range(9, len(data) - 40, 11):
        with pytest.raises(WeightsError):
            read(data[:length])
