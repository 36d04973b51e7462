"""ONNX files, written: the few parts of the format that a plain network needs, without the library."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

IR_VERSION, OPSET = 8, 13
FLOAT = 1  # TensorProto.DataType
INTEGERS, INTEGER, TEXT = 7, 2, 3  # AttributeProto.AttributeType
TYPES = {"float32": FLOAT, "int64": 7}

Shape = Sequence[int | str]
"""Of a tensor that goes in or out; a name is a side that may be anything."""


class Node(Struct, frozen=True):
    """An operator, by its ONNX name."""

    kind: str
    takes: tuple[str, ...]
    gives: str
    how: dict[str, Any] = {}


def model(
    nodes: Iterable[Node], numbers: Mapping[str, Any], *, takes: tuple[str, Shape], gives: tuple[str, Shape]
) -> bytes:
    """A file. `numbers` are the arrays that nodes take by name."""
    graph = b"".join(
        [
            *(part(1, node(each)) for each in nodes),
            part(2, b"network"),
            *(part(5, tensor(name, value)) for name, value in numbers.items()),
            part(11, value(*takes)),
            part(12, value(*gives)),
        ]
    )
    return number(1, IR_VERSION) + part(7, graph) + part(8, number(2, OPSET))


def node(each: Node) -> bytes:
    told = [*(part(1, name.encode()) for name in each.takes), part(2, each.gives.encode()), part(4, each.kind.encode())]
    return b"".join([*told, *(part(5, attribute(*item)) for item in each.how.items())])


def attribute(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        told = part(4, value.encode()) + number(20, TEXT)
    elif isinstance(value, int):
        told = number(3, value) + number(20, INTEGER)
    else:
        told = b"".join(number(8, each) for each in value) + number(20, INTEGERS)
    return part(1, name.encode()) + told


def tensor(name: str, value: Any) -> bytes:
    found = np.ascontiguousarray(value)
    told = b"".join(number(1, side) for side in found.shape) + number(2, TYPES[str(found.dtype)])
    return told + part(8, name.encode()) + part(9, found.astype(found.dtype.newbyteorder("<")).tobytes())


def value(name: str, shape: Shape) -> bytes:
    sides = (number(1, each) if isinstance(each, int) else part(2, each.encode()) for each in shape)
    told = number(1, FLOAT) + part(2, b"".join(part(1, side) for side in sides))
    return part(1, name.encode()) + part(2, part(1, told))


# -- protobuf --------------------------------------------------------------------------


def part(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return struct.pack(f"{len(made) + 1}B", *made, value)
