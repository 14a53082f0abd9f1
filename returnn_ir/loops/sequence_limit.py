"""``max_seq_len``: a number, or Python code with ``max_len_from('LAYER')`` and functions of TensorFlow."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError
from returnn_ir.expression.evaluate import evaluate_expression
from returnn_ir.expression.namespaces import Namespace
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.table import find_function
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import is_float, is_integer
from returnn_ir.options import MAX_SIZE, Range

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["sequence_limit", "sequence_limit_refs"]

_STEPS = Range(0, MAX_SIZE)


def sequence_limit_refs(given: object) -> list[str]:
    """The layers that the code asks the length of, as the network around the loop knows them."""
    if not isinstance(given, str):
        return []
    return [name.removeprefix("base:") for name in _layers(_parse(given))]


def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _layers(tree: ast.expr | None) -> Iterator[str]:
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "max_len_from":
            for argument in (*node.args, *(k.value for k in node.keywords)):
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def sequence_limit(b: LayerBuilder, given: Any, via: str | None) -> Value:
    """The largest number of steps, an int64 scalar.

    Raises:
        ConfigError: there is none, or the code does not give a number.
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
    return _number_of_steps(b, tree, _evaluated(b, tree))


def _const(b: LayerBuilder, number: float) -> Value:
    if number not in _STEPS:
        raise ConfigError(
            "max_seq_len is no number of steps",
            where=b.place("max_seq_len"),
            expected=f"from 0 to {MAX_SIZE}",
            received=number,
        )
    return b.const(int(number), "int64")


def _evaluated(b: LayerBuilder, tree: ast.expr) -> object:
    """What the code gives; RETURNN shows it ``max_len_from`` and ``tf``."""

    def max_len_from(src: object) -> Numbered:
        if not isinstance(src, str):
            raise UnsupportedError("max_len_from takes the name of a layer")
        return Numbered(b, b.cast(_longest(b, src.removeprefix("base:")), "int32"), ())

    names = {"max_len_from": max_len_from, "tf": Namespace(b, "tf")}
    names.update({builtin: find_function(b, f"{builtin}imum") for builtin in ("max", "min")})
    try:
        return evaluate_expression(tree, names, b.program.attributes)
    except UnsupportedError as error:
        raise _not_understood(b, tree, str(error)) from error
    except UserError as error:
        error.where = error.where or b.place("max_seq_len")
        raise
    except (IRError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise _not_understood(b, tree, str(error)) from error


def _number_of_steps(b: LayerBuilder, tree: ast.expr, found: object) -> Value:
    """The code's result as a scalar; a fraction of a step is none."""
    if isinstance(found, (int, float)) and not isinstance(found, bool) and math.isfinite(found):
        return _const(b, found)
    if isinstance(found, Numbered) and not found.rank and (is_integer(found.dtype_name) or is_float(found.dtype_name)):
        return b.cast(found.value, "int64")
    shown = str(found.value.type) if isinstance(found, Numbered) else f"{found!r}" if _is_plain(found) else None
    raise _not_understood(b, tree, f"it gives {shown or f'a {type(found).__name__}'}")


def _is_plain(found: object) -> bool:
    return found is None or isinstance(found, (int, float, complex, str))


def _not_understood(b: LayerBuilder, tree: ast.expr, why: str) -> ConfigError:
    return ConfigError(
        f"max_seq_len is not understood: {why}",
        where=b.place("max_seq_len"),
        expected="a number of steps, from numbers, max_len_from('base:LAYER') and functions of tf",
        received=ast.unparse(tree),
    )


def _longest(b: LayerBuilder, name: str) -> Value:
    time = b.layer(name).time_dim
    if time is None:
        raise ConfigError(f"layer {name!r} has no time axis", where=b.place("max_seq_len"))
    length = b.length(time)
    return b.reduce("max", length, *length.dims) if length.dims else length
