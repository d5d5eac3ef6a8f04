"""Reads the pickles inside PyTorch's files as data: nothing that they name is imported or run.

A pickle is a program for a stack machine that can call any function by its name. State dicts
need few of its instructions and three functions; this machine has those and refuses the rest.
"""

import pickletools
from io import BytesIO
from mmap import mmap
from typing import IO, Any, NamedTuple, cast

from seg_jax.weights.state_dict import WeightsError


class Storage(NamedTuple):
    """A run of numbers that is kept outside the pickle.

    Attributes:
        kind: PyTorch's name of the element type without "Storage", such as "Float".
        key: under which the file keeps the numbers.
        size: number of elements.
    """

    kind: str
    key: str
    size: int


class StridedTensor(NamedTuple):
    """A view of a storage; offset and strides count elements. Not checked against it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_TENSORS = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
_PARAMETER = "torch._utils._rebuild_parameter"
_DICT = "collections.OrderedDict"
_KINDS = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_STORAGES = {f"torch.{kind}Storage": kind for kind in _KINDS}
_ALLOWED = _TENSORS | _STORAGES.keys() | {_PARAMETER, _DICT}

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_CONTAINERS = {"EMPTY_LIST": list, "EMPTY_DICT": dict}
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_STRINGS = {"STRING", "BINSTRING", "SHORT_BINSTRING"}
_TEXTS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
_LITERALS = _NUMBERS | _STRINGS | _TEXTS | _BYTES
_IGNORED = frozenset({"PROTO", "FRAME"})


class _Global(NamedTuple):
    """A function or class by name; never looked up."""

    name: str


_MARK = object()


def unpickle(stream: BytesIO | mmap) -> tuple[Any, dict[str, Storage]]:
    """Reads one pickle and leaves `stream` behind its end.

    Returns:
        The object, in which tensors are `StridedTensor` and dicts, lists, tuples, numbers and
        strings are themselves; and the storages that it mentions, by key.

    Raises:
        WeightsError: the pickle names anything that a state dict does not consist of.
        ValueError, TypeError, KeyError, IndexError: it is damaged.
    """
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(cast(IO[bytes], stream)):
        if opcode.name == "STOP":
            break
        machine.step(opcode.name, argument)
    return machine.stack.pop(), machine.storages


class _Machine:
    """The part of pickle's stack machine that state dicts use."""

    def __init__(self):
        self.stack: list[Any] = []
        self.storages: dict[str, Storage] = {}
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Executes one instruction."""
        stack = self.stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _CONTAINERS:
            stack.append(_CONTAINERS[name]())
        elif name in _IGNORED:
            return
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            stack.append(tuple(self._to_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack.append(tuple(self._last(int(name[-1]))))
        elif name in ("APPEND", "APPENDS"):
            items = self._last(1) if name == "APPEND" else self._to_mark()
            _expect(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._last(2) if name == "SETITEM" else self._to_mark()
            _expect(stack[-1], dict).update(zip(items[::2], items[1::2], strict=True))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            parts = argument.split(" ") if name == "GLOBAL" else self._last(2)
            stack.append(_allowed(".".join(parts)))
        elif name == "REDUCE":
            function, arguments = self._last(2)
            stack.append(_call(_expect(function, _Global), _expect(arguments, tuple)))
        elif name == "BUILD":
            # What PyTorch hangs on a state dict, such as the versions of its modules.
            stack.pop()
            _expect(stack[-1], dict)
        elif name == "BINPERSID":
            storage = _storage(stack.pop())
            self.storages[storage.key] = storage
            stack.append(storage)
        else:
            raise WeightsError(f"it holds the pickle instruction {name}, which no state dict needs")

    def _last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def _to_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} stands where a {kind.__name__} belongs")
    return value


def _allowed(name: str) -> _Global:
    if name not in _ALLOWED:
        raise WeightsError(
            f"it holds the Python object {name}, which is no part of a state dict and could run "
            f"code"
        )
    return _Global(name)


def _call(function: _Global, arguments: tuple[Any, ...]) -> Any:
    if function.name in _TENSORS:
        storage, offset, shape, strides, *_ = arguments
        return StridedTensor(_expect(storage, Storage), offset, shape, strides)
    if function.name == _PARAMETER:
        return _expect(arguments[0], StridedTensor)
    if function.name == _DICT:
        return dict(*arguments)
    raise TypeError(f"{function.name} is no function")


def _storage(reference: Any) -> Storage:
    """Reads ("storage", type, key, device, number of elements, and in old files a view)."""
    _, kind, key, _, size, *view = _expect(reference, tuple)
    if any(part is not None for part in view):
        raise WeightsError("it shares storages in a way that PyTorch gave up in version 0.4")
    return Storage(_STORAGES[_expect(kind, _Global).name], _expect(key, str), _expect(size, int))
