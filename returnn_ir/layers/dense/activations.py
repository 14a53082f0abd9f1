"""RETURNN's activations: a name, arithmetic of names and numbers (``"5.0*sigmoid"``), or an expression in ``x``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import ConfigError, IRError, UnsupportedError, UserError, did_you_mean
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from returnn_ir.expression.namespaces import Namespace
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.table import find_function, function_names
from returnn_ir.expression.trace import traceable
from returnn_ir.ir.graph import Value

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["activate"]

#: What a function of the table raises for operands that it does not take.
_EXPECTED = (UnsupportedError, IRError, TypeError, ArithmeticError)
_OVER_FEATURES = ("softmax", "log_softmax")
#: In RETURNN's order: the first that occurs splits the text at its first place.
_ARITHMETIC: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = (
    ("+", lambda a, b: a + b),
    ("-", lambda a, b: a - b),
    ("*", lambda a, b: a * b),
    ("/", lambda a, b: a / b),
)


def activate(
    b: LayerBuilder,
    name: str | Callable[..., Any] | None,
    x: LayerOutput,
    key: str = "activation",
    opts: Mapping[str, Any] | None = None,
) -> LayerOutput:
    """Apply an activation; the result remembers what went into it.

    ``opts`` are further arguments of the function, such as ``{"eps": 1e-10}`` for ``safe_log``; ``key`` is the option
    that names it.

    Raises:
        ConfigError: there is no such activation.
    """
    if not name or name in ("identity", "none", "linear"):
        return x
    value = _apply(b, name, x, key, dict(opts or {}))
    remembered = name if isinstance(name, str) else getattr(name, "__name__", "function")
    return LayerOutput(value, x.axes, x.time_dim, x.feature_dim, activation=(remembered, x))


def _apply(b: LayerBuilder, name: str | Callable[..., Any], x: LayerOutput, key: str, opts: dict[str, Any]) -> Value:
    if name in _OVER_FEATURES and not opts:
        return b.op(str(name), x.value, dims=(b.require_feature(x),))
    tensor = Numbered(b, x.value, x.axes)
    try:
        result = _function(b, name, key)(tensor, **opts)
    except UserError as error:
        if error.where is None:
            error.where = b.place(key)
        raise
    except Exception as error:  # functions and expressions of the config run here
        if isinstance(name, str) and "(" not in name and not isinstance(error, _EXPECTED):
            raise
        raise ConfigError(
            f"activation {name!r} does not work here: {error}", where=b.place(key), received=opts or None
        ) from error
    if not isinstance(result, Numbered) or result.axes != tensor.axes:
        raise ConfigError(
            f"activation {name!r} does not give a tensor of the same axes", where=b.place(key), expected=x.axes
        )
    return result.value


def _function(b: LayerBuilder, name: str | Callable[..., Any], key: str) -> Callable[..., Any]:
    """A function of one tensor."""
    if not isinstance(name, str):
        return _as_function(traceable(b, name))
    if "(" in name:
        return _expression(b, name, key)
    for sign, combine in _ARITHMETIC:
        if sign in name:
            left, _, right = name.partition(sign)
            return _combined(_operand(b, left, key), _operand(b, right, key), combine)
    found = find_function(b, name)
    if found is None:
        known = [*function_names(), *_OVER_FEATURES, "identity"]
        raise ConfigError(
            f"unknown activation {name!r}",
            where=b.place(key),
            expected="a function of one tensor, such as relu, tanh or sigmoid, or an expression in a string",
            hint=did_you_mean(name, known),
        )
    return found


def _as_function(value: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = value
    return found


def _expression(b: LayerBuilder, text: str, key: str) -> Callable[..., Any]:
    tree = parse_expression(text, b.place(key))
    return lambda x: evaluate_expression(tree, {"tf": Namespace(b, "tf"), "x": x}, b.program.attributes)


def _operand(b: LayerBuilder, text: str, key: str) -> Callable[..., Any]:
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _function(b, text, key)
    return lambda x: number


def _combined(
    left: Callable[..., Any], right: Callable[..., Any], combine: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    return lambda x: combine(left(x), right(x))
