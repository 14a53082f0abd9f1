"""Eval strings, walked over Python's syntax tree: constants are computed, tensors become IR ops."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from returnn_ir.errors import ConfigError, Origin, UnsupportedError
from returnn_ir.expression.limits import Budget
from returnn_ir.expression.numbered import Numbered
from returnn_ir.facade.access import DATA_ONLY, TRUSTED, AttributeRule, DeniedError

__all__ = ["evaluate_expression", "parse_expression"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.MatMult: operator.matmul,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
#: Characters of an expression in a message.
_SHOWN = 200
_BUILTINS = (
    "abs",
    "bool",
    "dict",
    "enumerate",
    "float",
    "int",
    "len",
    "list",
    "max",
    "min",
    "range",
    "round",
    "str",
    "sum",
    "tuple",
    "zip",
)


def parse_expression(text: str, where: Origin | None = None) -> ast.expr:
    """The syntax tree of an expression.

    Raises:
        ConfigError: it is no Python expression.
    """
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"not a Python expression: {error}", where=where, received=_short(text)) from error
    except (RecursionError, MemoryError) as error:
        raise _too_deep(where, text) from error


def evaluate_expression(tree: ast.expr, names: Mapping[str, Any], attributes: AttributeRule = DATA_ONLY) -> Any:
    """The value of an expression.

    Args:
        tree: from :func:`parse_expression`.
        names: what its names mean, besides a few builtins.
        attributes: what it may look at, by default what an expression of a config that is data may.

    Raises:
        UnsupportedError: what has no counterpart in the IR.
        DeniedError: what it must not look at.
        ConfigError: it is nested too deeply, or takes too many steps.
    """
    try:
        return _Walker(names, attributes, Budget()).visit(tree)
    except RecursionError as error:
        raise _too_deep(None, ast.unparse(tree) if isinstance(tree, ast.Lambda) else None) from error


def _too_deep(where: Origin | None, text: str | None) -> ConfigError:
    return ConfigError(
        "the expression is nested too deeply",
        where=where,
        received=_short(text) if text is not None else None,
        hint="tf.add_n([...]) adds many tensors; a layer for each part",
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


class _Walker:
    """One method per kind of syntax."""

    def __init__(self, names: Mapping[str, Any], attributes: AttributeRule, budget: Budget) -> None:
        self._names = names
        self._attributes = attributes
        self._budget = budget

    def _inside(self, names: Mapping[str, Any]) -> _Walker:
        """The same with further names."""
        return _Walker({**self._names, **names}, self._attributes, self._budget)

    def visit(self, node: ast.expr) -> Any:
        method: Callable[[Any], Any] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise UnsupportedError(f"{type(node).__name__} in an expression")
        self._budget.spend()
        return self._budget.result(method(node))

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self._names:
            return self._names[node.id]
        if node.id in _BUILTINS:
            return getattr(builtins, node.id)
        if self._attributes is not TRUSTED:
            raise DeniedError(f"the name {node.id!r}", node.id, {*self._names, *_BUILTINS})
        raise UnsupportedError(f"the name {node.id!r}")

    def _attribute(self, node: ast.Attribute) -> Any:
        holder = self.visit(node.value)
        known = self._attributes(holder)
        if known is not None and node.attr not in known:
            raise DeniedError(_short(ast.unparse(node))[1:-1], node.attr, known)
        if node.attr.startswith("__"):
            raise UnsupportedError(f"the attribute {node.attr!r}")
        try:
            return getattr(holder, node.attr)
        except AttributeError as error:
            raise UnsupportedError(f"the attribute {node.attr!r} of a {type(holder).__name__}") from error

    def _call(self, node: ast.Call) -> Any:
        function = self.visit(node.func)
        if any(k.arg is None for k in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
            raise UnsupportedError("a call with * or **")
        args = tuple(self.visit(a) for a in node.args)
        options = {k.arg: self.visit(k.value) for k in node.keywords if k.arg is not None}
        self._budget.call(function, args, options)
        return _called(function, args, options)

    def _binop(self, node: ast.BinOp) -> Any:
        """A long sum is nested on its left: that side is walked without recursion."""
        spine: list[ast.BinOp] = [node]
        while isinstance(spine[-1].left, ast.BinOp):
            spine.append(spine[-1].left)
        result = self.visit(spine[-1].left)
        for part in reversed(spine):
            kind = type(part.op)
            if kind not in _BINARY:
                raise UnsupportedError(f"the operator {kind.__name__}")
            right = self.visit(part.right)
            self._budget.spend()
            self._budget.operands(kind, result, right)
            result = self._budget.result(_BINARY[kind](result, right))
        return result

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.UAdd) and isinstance(operand, Numbered):
            return operand
        return _UNARY[type(node.op)](operand)

    def _boolop(self, node: ast.BoolOp) -> Any:
        result = self.visit(node.values[0])
        for part in node.values[1:]:
            if bool(result) is isinstance(node.op, ast.Or):
                return result
            result = self.visit(part)
        return result

    def _compare(self, node: ast.Compare) -> Any:
        left = self.visit(node.left)
        result: Any = True
        for i, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if i and isinstance(result, Numbered):
                raise UnsupportedError("a chain of comparisons of tensors")
            if i and not result:
                return result
            right = self.visit(right_node)
            self._budget.read(left, right)
            result = _COMPARE[type(op)](left, right)
            left = right
        return result

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.visit(node.body if self.visit(node.test) else node.orelse)

    def _subscript(self, node: ast.Subscript) -> Any:
        holder = self.visit(node.value)
        if isinstance(holder, type):
            raise UnsupportedError("a subscript of a type")
        self._budget.read(holder)
        return holder[self.visit(node.slice)]

    def _slice(self, node: ast.Slice) -> Any:
        parts = [self.visit(p) if p is not None else None for p in (node.lower, node.upper, node.step)]
        return slice(*parts)

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.visit(e) for e in node.elts)

    def _list(self, node: ast.List) -> Any:
        return [self.visit(e) for e in node.elts]

    def _listcomp(self, node: ast.ListComp) -> Any:
        return self._repeated(node.elt, node.generators)

    def _generatorexp(self, node: ast.GeneratorExp) -> Any:
        return self._repeated(node.elt, node.generators)

    def _repeated(self, element: ast.expr, generators: list[ast.comprehension]) -> list[Any]:
        if not generators:
            return [self.visit(element)]
        first, *others = generators
        found: list[Any] = []
        for item in self.visit(first.iter):
            inner = self._inside(_bound(first.target, item))
            if all(inner.visit(test) for test in first.ifs):
                found.extend(inner._repeated(element, others))
        return found

    def _dict(self, node: ast.Dict) -> Any:
        if any(k is None for k in node.keys):
            raise UnsupportedError("** in a dict")
        return {self.visit(k): self.visit(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}

    def _lambda(self, node: ast.Lambda) -> Any:
        plain = node.args
        if plain.vararg or plain.kwarg or plain.kwonlyargs or plain.defaults:
            raise UnsupportedError("a lambda with more than plain arguments")
        keys = [a.arg for a in plain.args]

        def call(*args: Any) -> Any:
            if len(args) != len(keys):
                raise UnsupportedError(f"a lambda of {len(keys)} arguments called with {len(args)}")
            return self._inside(dict(zip(keys, args, strict=True))).visit(node.body)

        return call


def _bound(target: ast.expr, item: Any) -> dict[str, Any]:
    """What the names of a loop's target mean."""
    if isinstance(target, ast.Name):
        return {target.id: item}
    if isinstance(target, (ast.Tuple, ast.List)):
        parts = list(item)
        if len(parts) == len(target.elts):
            return {k: v for t, part in zip(target.elts, parts, strict=True) for k, v in _bound(t, part).items()}
    raise UnsupportedError("such a target of a loop")


def _called(function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    symbolic = any(isinstance(a, Numbered) for a in (*args, *options.values()))
    owner = getattr(function, "__self__", None)
    of_numpy = isinstance(function, np.ufunc) or str(getattr(function, "__module__", "")).startswith(("numpy", "math"))
    is_builtin = isinstance(function, type) or isinstance(owner, ModuleType)
    if symbolic and (of_numpy or is_builtin) and function is not abs:
        raise UnsupportedError(f"{getattr(function, '__name__', function)!r} of a tensor")
    if not callable(function):
        raise UnsupportedError(f"a call of a {type(function).__name__}")
    return function(*args, **options)
