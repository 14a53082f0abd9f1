"""``max_seq_len``: a number, or an expression with ``max_len_from('LAYER')``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Value
from returnn_ir.options import MAX_SIZE, Range

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["sequence_limit", "sequence_limit_refs"]

_STEPS = Range(0, MAX_SIZE)
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "floordiv",
    ast.Div: "floordiv",
}


def sequence_limit_refs(given: object) -> list[str]:
    """The layers that the expression asks the length of, as the network around the loop knows them."""
    if not isinstance(given, str):
        return []
    return [name.removeprefix("base:") for name in _layers(_parse(given))]


def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _layers(tree: ast.expr | None) -> Iterator[str]:
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "max_len_from":
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def sequence_limit(b: LayerBuilder, given: Any, via: str | None) -> Value:
    """The largest number of steps, an int64 scalar.

    Raises:
        ConfigError: there is none, or the expression is not understood.
    """
    if via is not None:
        value = b.layer(via).value
        return b.cast(b.reduce("max", value, *value.dims) if value.dims else value, "int64")
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given >= 0:
        return _const(b, given)
    tree = _parse(given) if isinstance(given, str) else None
    if tree is None:
        raise ConfigError(
            "a loop that finds its own end needs max_seq_len",
            where=b.place("max_seq_len"),
            expected="a number >= 0, or an expression such as \"max_len_from('base:encoder') * 2\"",
            received=repr(given),
        )
    try:
        return _value(b, tree)
    except RecursionError as error:
        raise ConfigError("max_seq_len is nested too deeply", where=b.place("max_seq_len")) from error


def _const(b: LayerBuilder, number: float) -> Value:
    if abs(number) not in _STEPS:
        raise ConfigError(
            "max_seq_len is no number of steps",
            where=b.place("max_seq_len"),
            expected=f"at most {MAX_SIZE}",
            received=number,
        )
    return b.const(int(number), "int64")


def _value(b: LayerBuilder, node: ast.expr) -> Value:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return _const(b, node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        factor = node.right if isinstance(node.right, ast.Constant) else node.left
        if isinstance(node.op, ast.Mult) and isinstance(factor, ast.Constant) and isinstance(factor.value, float):
            other = node.left if factor is node.right else node.right
            return b.cast(b.mul(b.cast(_value(b, other), "float32"), factor.value), "int64")
        return b.binary(_BINARY[type(node.op)], _value(b, node.left), _value(b, node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        combine: dict[str, Callable[[Value, Value], Value]] = {"max": b.maximum, "min": b.minimum}
        if node.func.id in combine and len(node.args) == 2:
            return combine[node.func.id](*(_value(b, a) for a in node.args))
        if node.func.id == "max_len_from" and len(node.args) == 1:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                return _longest(b, name.value.removeprefix("base:"))
    raise ConfigError(
        "max_seq_len is not understood",
        where=b.place("max_seq_len"),
        expected="numbers, + - * //, min, max and max_len_from('base:LAYER')",
        received=ast.unparse(node),
    )


def _longest(b: LayerBuilder, name: str) -> Value:
    time = b.layer(name).time_dim
    if time is None:
        raise ConfigError(f"layer {name!r} has no time axis", where=b.place("max_seq_len"))
    length = b.length(time)
    return b.reduce("max", length, *length.dims) if length.dims else length
