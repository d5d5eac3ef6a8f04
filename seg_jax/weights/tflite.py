"""Constant tensors of TensorFlow Lite networks."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tflite as schema

from seg_jax.weights.state_dict import WeightsError

_FLOATS = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.FLOAT16: "<f2"}
_QUANTISED = {schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16}

_DAMAGE = (struct.error, ValueError, TypeError, IndexError, OverflowError, AttributeError)
"""What the flatbuffers library raises where an offset leads nowhere."""


def read_tflite(path: Path) -> dict[str, np.ndarray]:
    """Reads the weights of a network, in the layouts that TensorFlow Lite gives them.

    Kernels are [out, h, w, in], depthwise ones [1, h, w, out]. Weights that are kept as float16
    go by the name of what the graph makes of them, which its convolutions read.

    Returns:
        Tensor name -> float32 array.

    Raises:
        WeightsError: the file is damaged, or its weights are quantised to integers.
    """
    try:
        return _constants(path.read_bytes())
    except WeightsError as error:
        raise WeightsError(f"{str(path)!r} is not loaded: {error}.") from error
    except _DAMAGE as error:
        raise WeightsError(
            f"{str(path)!r} is not a whole TensorFlow Lite file ({error}). Fetch it again."
        ) from error


def _constants(data: bytes) -> dict[str, np.ndarray]:
    model: Any = schema.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() != 1:
        raise WeightsError(f"it holds {model.SubgraphsLength()} graphs, not one network")
    graph = model.Subgraphs(0)
    expanded = dict(_dequantised(model, graph))
    constants = {}
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        buffer = model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            continue
        name = graph.Tensors(expanded.get(index, index)).Name().decode()
        if tensor.Type() in _QUANTISED:
            raise WeightsError(
                f"{name!r} is quantised to integers; take the float variant of the network"
            )
        if tensor.Type() in _FLOATS:
            if name in constants:
                raise WeightsError(f"two tensors are called {name!r}")
            numbers = np.frombuffer(buffer.DataAsNumpy().tobytes(), _FLOATS[tensor.Type()])
            shape = [tensor.Shape(axis) for axis in range(tensor.ShapeLength())]
            constants[name] = numbers.astype(np.float32).reshape(shape)
    if not constants:
        raise WeightsError("it holds no weights")
    return constants


def _dequantised(model: Any, graph: Any) -> Iterator[tuple[int, int]]:
    """Yields (tensor, what it becomes as float32) by index, for each such operation."""
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        if code.BuiltinCode() == schema.BuiltinOperator.DEQUANTIZE:
            yield operator.Inputs(0), operator.Outputs(0)
