"""A literal parser for the learning-rates file: Python's literals, ``EpochData(...)``, nan, inf and NumPy scalars.

Nothing is evaluated: the text is parsed to a syntax tree, and only the nodes listed here mean something.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["EpochCall", "LiteralError", "parse_literal"]

_NAMES: Mapping[str, object] = {"nan": float("nan"), "inf": float("inf")}
_NUMPY_SCALARS: Mapping[str, type[np.generic]] = {
    name: getattr(np, name)
    for name in (
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    )
} | {"str_": np.str_, "bool_": np.bool_}


class LiteralError(Exception):
    """Text that is no such literal; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class EpochCall:
    """``EpochData(key=value, ...)`` as it stands in the text."""

    values: Mapping[str, object]
    line: int


def parse_literal(text: str) -> object:
    """The value of ``text``; raises :class:`LiteralError`."""
    try:
        tree = ast.parse(text.lstrip("\ufeff \t"), mode="eval")
        return _value(tree.body)
    except SyntaxError as error:
        raise LiteralError(error.msg or "syntax error", error.lineno or 1) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LiteralError(str(error) or type(error).__name__, 1) from None


def _value(node: ast.expr) -> object:
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise LiteralError(f"{ast.unparse(node)!r} is not allowed here", node.lineno)
    return handler(node)


def _dict(node: ast.Dict) -> dict[object, object]:
    result: dict[object, object] = {}
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        if key_node is None:
            raise LiteralError("'**' is not allowed here", value_node.lineno)
        key = _value(key_node)
        if not isinstance(key, (str, int, float)):
            raise LiteralError(f"{key!r} cannot be a key", key_node.lineno)
        result[key] = _value(value_node)
    return result


def _name(node: ast.Name) -> object:
    if node.id not in _NAMES:
        raise LiteralError(f"unknown name {node.id!r}", node.lineno)
    return _NAMES[node.id]


def _signed(node: ast.UnaryOp) -> object:
    value = _value(node.operand)
    if isinstance(node.op, (ast.UAdd, ast.USub)) and isinstance(value, (int, float)):
        return -value if isinstance(node.op, ast.USub) else value
    raise LiteralError(f"{ast.unparse(node)!r} is not allowed here", node.lineno)


def _numpy_name(node: ast.expr) -> str | None:
    """``float64`` of ``np.float64``; None for anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
        return node.attr
    return None


def _attribute(node: ast.Attribute) -> object:
    name = _numpy_name(node)
    if name is None or name not in _NAMES:
        raise LiteralError(f"{ast.unparse(node)!r} is not allowed here", node.lineno)
    return _NAMES[name]


def _call(node: ast.Call) -> object:
    """``EpochData(...)``, ``float('nan')``, ``np.float64(0.5)``."""
    function = node.func
    if isinstance(function, ast.Name) and function.id == "EpochData":
        if node.args or any(keyword.arg is None for keyword in node.keywords):
            raise LiteralError("EpochData takes keyword arguments only", node.lineno)
        return EpochCall({str(keyword.arg): _value(keyword.value) for keyword in node.keywords}, node.lineno)
    scalar = _NUMPY_SCALARS.get(_numpy_name(function) or "")
    is_float = isinstance(function, ast.Name) and function.id == "float"
    if (scalar is None and not is_float) or len(node.args) != 1 or node.keywords:
        raise LiteralError(f"{ast.unparse(node)!r} is not allowed here", node.lineno)
    argument = _value(node.args[0])
    if not isinstance(argument, (str, int, float)):
        raise LiteralError(f"{ast.unparse(node)!r} is not a number", node.lineno)
    try:
        return float(argument) if scalar is None else scalar(argument)
    except (ValueError, OverflowError):
        raise LiteralError(f"{ast.unparse(node)!r} is not a number", node.lineno) from None


def _items(node: ast.List | ast.Tuple | ast.Set) -> list[object]:
    return [_value(item) for item in node.elts]


_HANDLERS: Mapping[type[ast.expr], Callable[..., object]] = {
    ast.Constant: lambda node: node.value,
    ast.Dict: _dict,
    ast.List: _items,
    ast.Tuple: lambda node: tuple(_items(node)),
    ast.Name: _name,
    ast.UnaryOp: _signed,
    ast.Attribute: _attribute,
    ast.Call: _call,
}
